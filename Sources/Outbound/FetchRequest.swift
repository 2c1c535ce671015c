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
    package var body: [UInt8] = []
    /// Milliseconds for all of it, name resolution and TLS included.
    package var deadline = 10_000
    /// Bytes of an answer's body.
    package var answerMax = 1 << 20
    package var tls = FetchTLS()

    package init(url: String) { self.url = url }
}

/// Whom to trust and what to show.
package struct FetchTLS: Equatable, Sendable {
    /// Path of a PEM file of trust anchors; without one no `https` address can be fetched.
    package var authorities: String?
    /// Paths of the certificate chain and private key shown, if any.
    package var certificate: String?
    package var privateKey: String?

    package init() {}
}

/// An answer, whatever its status.
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
}
