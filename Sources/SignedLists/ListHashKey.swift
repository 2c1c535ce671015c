// ListHashKey.swift: the key under which a list hides whom it names.

internal import COpenSSL
package import Neutralization

/// A key that an issuer shares with those who read its lists: 32 bytes.
package struct ListHashKey: Equatable, Sendable {
    private let bytes: [UInt8]

    package static let length = 32

    /// Reads 32 bytes as they are, or as 64 hexadecimal digits on one line.
    package init?(_ file: [UInt8]) {
        if file.count == Self.length {
            bytes = file
            return
        }
        var text = file[...]
        while let last = text.last, last == 0x0A || last == 0x0D { text.removeLast() }
        guard text.count == 2 * Self.length,
            let digits = SignedLists.bytes(hexadecimal: text)
        else { return nil }
        bytes = digits
    }

    /// HMAC-SHA-256 of `account:` and an upper-cased identifier: 32 bytes.
    package func digest(ofAccount id: Span<UInt8>) -> [UInt8] {
        var text = Array("account:".utf8)
        for index in id.indices { text.append(id[index]) }
        var digest = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        // Safe because every array has the count given, and SHA-256 writes 32 bytes.
        _ = unsafe HMAC(
            EVP_sha256(), bytes, Int32(bytes.count), text, text.count, &digest, &count)
        return digest
    }

    /// The line by which a list names an account without showing it.
    package func line(for account: AccountID) -> String {
        let id = Array(account.id.utf8)
        return "account hmac-sha256:\(hexadecimal(digest(ofAccount: id.span)))"
    }

    var hashing: AccountHashKey { AccountHashKey { digest(ofAccount: $0) } }
}
