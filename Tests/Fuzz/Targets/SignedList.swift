// SignedList.swift: the headers of signed lists.

import SignedLists

extension FuzzTarget {
    static let signedList = FuzzTarget(name: "signed-list") { bytes in
        guard let header = try? ListHeader(bytes) else { return }
        precondition(header.bodyStart <= bytes.count, "the body lies within the list")
        precondition(header.sequence > 0 && !header.issuer.isEmpty, "it says whose and which it is")
        precondition(bytes[header.bodyStart - 1] == 0x0A, "the body begins with a line")
    }
}
