// LocalPath.swift: where a browser may be sent after signing in: paths of this host, nothing else.

/// A path of this host with its query; what stands in `to`.
struct LocalPath: Equatable, Sendable {
    let text: String

    /// Bytes at most: sealed into a cookie with the rest it must stay under 4,096.
    static let lengthMax = 1536
    /// Where to go when nothing is said, or nothing good.
    static let session = LocalPath(trusted: "/.herse/session")

    private init(trusted text: String) { self.text = text }

    /// Nil for whatever a browser could take for another host's address, or for no path.
    init?(_ text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= Self.lengthMax, bytes.first == UInt8(ascii: "/") else { return nil }
        // `//host` is another host's, and browsers read `\` as `/`.
        if bytes.count > 1, bytes[1] == UInt8(ascii: "/") { return nil }
        for byte in bytes {
            // Browsers take tabs and line ends out of an address before they read it.
            guard (0x21...0x7E).contains(byte), byte != UInt8(ascii: "\\"),
                byte != UInt8(ascii: "\""), byte != UInt8(ascii: "<"), byte != UInt8(ascii: ">"),
                byte != UInt8(ascii: "#")
            else { return nil }
        }
        // Of the gate's own pages only one is a place to be: the others would begin things.
        if bytes.starts(with: "/.herse".utf8), text != Self.session.text { return nil }
        self.text = text
    }
}
