// OwnRequest.swift: a request for one of the gate's own pages, and its answer.

/// A request under `/.herse/`, whole.
package struct OwnRequest: Sendable {
    /// What may be asked of a page.
    package enum Method: Sendable {
        case get
        case head
        case post
    }

    package var method = Method.get
    /// The path as received, query excluded; it begins with `/.herse/`.
    package var path = ""
    /// Without its `?`, as received.
    package var query = ""
    package var body: [UInt8] = []
    // Fields as received; empty when absent.
    package var contentType = ""
    package var cookie = ""
    package var authorization = ""
    package var accept = ""
    package var acceptLanguage = ""
    package var origin = ""
    /// `Sec-Fetch-Site`.
    package var fetchSite = ""
    package var userAgent = ""
    /// Where it comes from: an address, without its port.
    package var peer = ""
    package var listener = 0
    /// SHA-256 of the certificate shown on this connection, and whom it names.
    package var certificate: [UInt8]?
    package var certificateProfessional: String?
    /// Seconds since 1970.
    package var now: Int64 = 0

    package init() {}
}

/// The gate's own answer.
package struct OwnReply: Sendable {
    package var status: Int
    /// Neither length nor framing.
    package var fields: [(name: String, value: String)]
    package var body: [UInt8]

    package init(status: Int, fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }
}
