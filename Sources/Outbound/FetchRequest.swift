// FetchRequest.swift: one HTTP request of the gate's own, and all that bounds it.

/// Something to be fetched.
package struct FetchRequest: Sendable {
    /// What is asked of an address.
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
    }

    /// `https://…`, or `http://…` where the operator wrote so.
    package var url: String
    package var method = Method.get
    /// Name and value; neither may hold CR, LF or NUL.
    package var fields: [(name: String, value: String)] = []
    /// Sent with POST only.
    package var body: [UInt8] = []
    /// Milliseconds until the connection stands, TLS included.
    package var connectDeadline = 5_000
    /// Milliseconds for all of it, name resolution and TLS included.
    package var deadline = 10_000
    /// Bytes of an answer's body.
    package var answerMax = 1 << 20
    package var tls = FetchTLS()

    package init(url: String) { self.url = url }

    /// A form sent by POST, as endpoints of OAuth want it; see `formEncoded`.
    package init(posting form: [(name: String, value: String)], to url: String) {
        self.url = url
        method = .post
        fields = [("Content-Type", "application/x-www-form-urlencoded")]
        let pairs = form.map { "\(formEncoded($0.name))=\(formEncoded($0.value))" }
        body = Array(pairs.joined(separator: "&").utf8)
    }
}

/// Whom to trust and what to show.
package struct FetchTLS: Equatable, Sendable {
    /// Path of a PEM file of trust anchors; without any no `https` address can be fetched.
    package var authorities: String?
    /// Trust anchors in PEM that were read before, instead of a path.
    package var authoritiesPEM: [UInt8] = []
    /// Paths of the certificate chain and private key shown, if any.
    package var certificate: String?
    package var privateKey: String?

    package init() {}

    var hasAuthorities: Bool { authorities != nil || !authoritiesPEM.isEmpty }
}

/// An answer, whatever its status; one that sends elsewhere is not followed.
package struct FetchAnswer: Sendable {
    package var status: Int
    /// Names in lower case.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, fields: [(name: String, value: String)], body: [UInt8]) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The first field of this name, in lower case.
    package func field(_ name: String) -> String? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// The media type of the body in lower case, without its parameters.
    package var mediaType: String? {
        guard let value = field("content-type") else { return nil }
        let type = value.prefix { $0 != ";" && $0 != " " && $0 != "\t" }
        return type.lowercased()
    }
}

/// A text as `application/x-www-form-urlencoded` has it (WHATWG URL §5.2, RFC 6749 appendix B).
///
/// All but unreserved characters is percent-encoded, blanks too: every reader takes `%20`.
package func formEncoded(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var out: [UInt8] = []
    out.reserveCapacity(text.utf8.count)
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            out.append(byte)
        default:
            out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: out, as: UTF8.self)
}
