// OpaqueName.swift: sessions, tokens and clients as they are named to cut them off.

/// The name somebody else gave a session (`sid`), a token (`jti`) or a client (`client_id`).
///
/// Compared byte by byte, letters' case included: whoever made it up decides what it means.
package struct OpaqueName: Hashable, Sendable {
    package let id: String

    /// Bytes a name may take.
    package static let lengthMax = 255

    package init(_ text: Span<UInt8>) throws(SubjectError) {
        _ = try SubjectKey(name: text)
        var name = ""
        for index in 0..<text.count { name.unicodeScalars.append(Unicode.Scalar(text[index])) }
        id = name
    }

    /// What was checked when the list was read.
    init(read id: String) { self.id = id }
}

extension SubjectKey {
    /// The key of a session, token or client, or why the text is none: 1…255 printable ASCII
    /// characters without a blank.
    package init(name text: Span<UInt8>) throws(SubjectError) {
        guard text.count > 0 else { throw .empty }
        guard text.count <= OpaqueName.lengthMax else { throw .nameLength(text.count) }
        var hash = FNV128()
        for index in 0..<text.count {
            guard text[index] > 0x20, text[index] < 0x7F else {
                throw .nameByte(text[index], at: index)
            }
            hash.add(text[index])
        }
        self.init(high: hash.high, low: hash.low)
    }

    package init(_ name: OpaqueName) { self.init(name: name) }

    init(name: OpaqueName) {
        var hash = FNV128()
        for byte in name.id.utf8 { hash.add(byte) }
        self.init(high: hash.high, low: hash.low)
    }
}
