// Answer.swift: an answer of the sample identity server, before HTTP.

import FlyingFox
import Foundation

/// A status and a FHIR document.
struct Answer {
    var status: HTTPStatusCode
    var json: String
    var version: String?

    static func document(_ json: String, version: String? = nil) -> Answer {
        Answer(status: .ok, json: json, version: version)
    }

    static func problem(_ status: HTTPStatusCode, _ code: String, _ text: String) -> Answer {
        Answer(status: status, json: operationOutcome(code, text))
    }

    static let notFound = Answer.problem(.notFound, "not-found", "there is nothing here")
    static let notAllowed = Answer.problem(
        .methodNotAllowed, "not-supported", "this method is not possible here")

    func response(to request: HTTPRequest) -> HTTPResponse {
        let body = Data(json.utf8)
        var headers: HTTPHeaders = [
            .contentType: "application/fhir+json; charset=utf-8",
            .cacheControl: "no-store",
        ]
        if let version { headers[.eTag] = #"W/"\#(version)""# }
        if status == .methodNotAllowed {
            headers[HTTPHeader("Allow")] =
                request.target.path() == "/fhir/Patient/_search" ? "POST" : "GET, HEAD"
        }
        if let professional = Self.professional(of: request) {
            headers[HTTPHeader("X-Sample-Professional")] = professional
        }
        if request.method == .HEAD {
            headers[.contentLength] = String(body.count)
            return HTTPResponse(statusCode: status, headers: headers)
        }
        return HTTPResponse(statusCode: status, headers: headers, body: body)
    }

    /// Who the gate said is asking, shown back so that a demonstration can see it.
    private static func professional(of request: HTTPRequest) -> String? {
        guard let value = request.headers[HTTPHeader("Herse-Professional")],
            (1...128).contains(value.utf8.count),
            value.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return nil }
        return value
    }
}
