// PlainIdentifier.swift: a session, a token or a client, by the identifier its maker gave it.

/// An identifier made by software, compared byte by byte: letters of either case differ.
package struct PlainIdentifier: Hashable, Sendable {
    /// Printable ASCII without blanks.
    package let id: String

    /// Bytes an identifier may take; a `jti` or a `client_id` mostly takes 10 to 40.
    package static let lengthMax = 128

    package init(_ text: Span<UInt8>) throws(SubjectError) {
        _ = try SubjectKey(identifier: text)
        var id = ""
        for index in 0..<text.count { id.unicodeScalars.append(Unicode.Scalar(text[index])) }
        self.id = id
    }

    package init(_ text: String) throws(SubjectError) {
        try self.init(Array(text.utf8).span)
    }

    /// What was checked when the list was read.
    init(read id: String) { self.id = id }
}

extension SubjectKey {
    /// The key of a session, a token or a client, or why the text is none: 1…128 bytes of
    /// printable ASCII, blanks excluded.
    ///
    /// A token whose identifier is none cannot be neutralized by itself; whoever accepts tokens
    /// decides whether it may pass.
    package init(identifier text: Span<UInt8>) throws(SubjectError) {
        guard text.count > 0 else { throw .empty }
        guard text.count <= PlainIdentifier.lengthMax else { throw .identifierLength(text.count) }
        var hash = FNV128()
        for index in 0..<text.count {
            let byte = text[index]
            guard byte > 0x20, byte < 0x7F else { throw .identifierByte(byte, at: index) }
            hash.add(byte)
        }
        self.init(high: hash.high, low: hash.low)
    }

    package init(identifier: PlainIdentifier) {
        var hash = FNV128()
        for byte in identifier.id.utf8 { hash.add(byte) }
        self.init(high: hash.high, low: hash.low)
    }
}
