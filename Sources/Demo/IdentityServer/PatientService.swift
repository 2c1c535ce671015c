// PatientService.swift: what each request of the sample identity server is answered.

import FlyingFox
import Foundation

/// Patients under `/fhir`, read and searched; holds no connection, so that it can be asked in a
/// test without one.
struct PatientService: HTTPHandler {
    let resources: [PatientResource]
    private let places: [String: Int]
    private let pages = PageStore()

    /// Bytes of a request's body.
    static let bodyMax = 64 * 1024

    init(_ patients: [SamplePatient]) {
        resources = patients.map(PatientResource.init)
        places = Dictionary(
            zip(patients.map(\.id), patients.indices), uniquingKeysWith: { first, _ in first })
    }

    func handleRequest(_ request: HTTPRequest) async throws -> HTTPResponse {
        // The body is read whatever the answer: what is left of it would be taken for a request.
        let body = try await body(of: request)
        var answer = Answer.problem(.payloadTooLarge, "too-long", "body is too long")
        if let body {
            do {
                answer = try self.answer(to: request, body: body)
            } catch {
                answer = .problem(.badRequest, "invalid", error.message)
            }
        }
        return answer.response(to: request)
    }

    private func answer(to request: HTTPRequest, body: [UInt8]) throws(SearchError) -> Answer {
        let base = Self.base(of: request.headers)
        let path = request.target.path()
        let isRead = request.method == .GET || request.method == .HEAD
        switch path {
        case "/fhir/metadata":
            guard isRead else { return .notAllowed }
            return .document(capabilityStatement(base: base))
        case "/fhir", "/fhir/":
            guard isRead else { return .notAllowed }
            return try page(SearchForm(request.target.query()), base: base)
        case "/fhir/Patient":
            guard isRead else { return .notAllowed }
            return try search(SearchForm(request.target.query()), base: base)
        case "/fhir/Patient/_search":
            guard request.method == .POST else { return .notAllowed }
            let type = request.headers[.contentType]?.lowercased() ?? ""
            guard type.hasPrefix("application/x-www-form-urlencoded") else {
                return .problem(.unsupportedMediaType, "not-supported", "body is not a form")
            }
            guard let text = String(validating: body, as: UTF8.self) else { throw .badEncoding }
            var form = try SearchForm(request.target.query())
            form.append(try SearchForm(text))
            return try search(form, base: base)
        default:
            guard path.hasPrefix("/fhir/Patient/") else { return .notFound }
            guard isRead else { return .notAllowed }
            guard let place = places[String(path.dropFirst("/fhir/Patient/".count))] else {
                return .notFound
            }
            return .document(resources[place].json, version: "1")
        }
    }

    private func search(_ form: SearchForm, base: String) throws(SearchError) -> Answer {
        let search = try PatientSearch(form)
        let found = resources.indices.filter { search.matches(resources[$0]) }
        let name = found.count > search.count && search.count > 0 ? pages.keep(found) : nil
        let selfLink = form.fields.isEmpty ? "/Patient" : "/Patient?" + form.encoded
        return page(
            found, from: 0, count: search.count, snapshot: name, base: base, selfLink: selfLink)
    }

    /// A further page of a search, named by the link that the page before carried.
    private func page(_ form: SearchForm, base: String) throws(SearchError) -> Answer {
        guard let name = form.value("_getpages") else { return .notFound }
        guard let offset = form.value("_getpagesoffset").flatMap({ Int($0) }), offset >= 0 else {
            throw .badValue(parameter: "_getpagesoffset")
        }
        guard let count = form.value("_count").flatMap({ Int($0) }), count > 0 else {
            throw .badValue(parameter: "_count")
        }
        guard let found = pages.result(name) else {
            return .problem(.gone, "expired", "this search is forgotten: ask it again")
        }
        return page(
            found, from: offset, count: min(count, PatientSearch.countMax), snapshot: name,
            base: base, selfLink: "?" + form.encoded)
    }

    private func page(
        _ found: [Int], from offset: Int, count: Int, snapshot: String?, base: String,
        selfLink: String
    ) -> Answer {
        let first = min(offset, found.count)
        // Both are bounded: the sum cannot overflow.
        let last = min(first + count, found.count)
        var nextLink: String?
        if let snapshot, last < found.count {
            nextLink =
                "\(base)?_getpages=\(snapshot)&_getpagesoffset=\(last)&_count=\(count)"
                + "&_bundletype=searchset"
        }
        let page = SearchPage(
            total: found.count, selfLink: base + selfLink, nextLink: nextLink, base: base,
            resources: found[first..<last].map { resources[$0] })
        return .document(page.json)
    }

    /// The body, or nil when it is longer than `bodyMax`; read to its end either way.
    private func body(of request: HTTPRequest) async throws -> [UInt8]? {
        var body: [UInt8] = []
        var isTooLong = false
        for try await part in request.bodySequence {
            if body.count + part.count > Self.bodyMax { isTooLong = true }
            if !isTooLong { body += part }
        }
        return isTooLong ? nil : body
    }

    /// `SCHEME://HOST/fhir` as the asker sees it: through a proxy when one says so.
    static func base(of headers: HTTPHeaders) -> String {
        let scheme = headers[HTTPHeader("X-Forwarded-Proto")] == "https" ? "https" : "http"
        let host = headers[HTTPHeader("X-Forwarded-Host")] ?? headers[.host] ?? ""
        let isPlain = host.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
            default: "-.:[]_".utf8.contains(byte)
            }
        }
        let usable = isPlain && (1...255).contains(host.utf8.count)
        return "\(scheme)://\(usable ? host : "localhost")/fhir"
    }
}
