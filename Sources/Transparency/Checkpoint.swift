// Checkpoint.swift: what a tree was at some size, as C2SP's tlog-checkpoint writes it.

internal import Foundation

/// The root of a tree at some size.
package struct Checkpoint: Equatable, Sendable {
    /// The name of the tree.
    package let origin: String
    /// Leaves.
    package let size: UInt64
    package let root: TreeHash

    package init(origin: String, size: UInt64, root: TreeHash) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads the text of a note; nil when it is no checkpoint.
    ///
    /// Further lines are passed over.
    package init?(_ text: String) {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count >= 4, !lines[0].isEmpty, let size = UInt64(lines[1]),
            String(size) == lines[1], let root = TreeHash(base64: lines[2])
        else { return nil }
        self.init(origin: String(lines[0]), size: size, root: root)
    }

    /// The text of its note.
    package var text: String { "\(origin)\n\(size)\n\(root.base64)\n" }
}

extension TreeHash {
    /// Base64 with padding.
    package var base64: String { Data(bytes).base64EncodedString() }

    /// Reads base64 with padding; nil when it is no hash.
    package init?(base64: some StringProtocol) {
        guard let bytes = decodedBase64(base64) else { return nil }
        self.init(bytes)
    }
}

/// The bytes of base64 with padding; nil when it is none, or not the one text that they have.
package func decodedBase64(_ text: some StringProtocol) -> [UInt8]? {
    guard let data = Data(base64Encoded: String(text)),
        // The last character may hold bits that nobody reads: two texts would be one signature.
        data.base64EncodedData().elementsEqual(text.utf8)
    else { return nil }
    return Array(data)
}
