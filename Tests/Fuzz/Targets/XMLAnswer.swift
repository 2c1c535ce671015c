// XMLAnswer.swift: answers in XML, requests of SOAP, several parts, and what extractors read.

import KeyedHash
import Lookup

private let hasher = PersonHasher(key: SipKey(low: 1, high: 2), server: "mpi")

extension FuzzTarget {
    static let xmlAnswer = FuzzTarget(name: "xml-answer") { bytes in
        fuzzXMLAnswer(bytes, hasher)
    }

    /// The first byte chooses protocol and media type.
    static let soapRequest = FuzzTarget(name: "soap-request") { bytes in
        guard !bytes.isEmpty else { return }
        let type =
            bytes[0] & 2 == 0
            ? "application/soap+xml" : "multipart/related; boundary=b; type=\"text/xml\""
        let body = bytes.extracting(1..<bytes.count)
        let dialect: Dialect = bytes[0] & 1 == 0 ? .hl7v3 : .insi
        let asked = try? questionOfSOAP(
            body, dialect: dialect, contentType: Array(type.utf8).span, hasher, countMax: 50)
        let again = try? questionOfSOAP(
            body, dialect: dialect, contentType: Array(type.utf8).span, hasher, countMax: 50)
        precondition(asked == again, "the same request asks the same")
        if let asked {
            precondition(asked.lookups <= 1, "a request of SOAP is one lookup")
            precondition(asked.page == nil || asked.opens == nil, "continues or opens")
        }
        // The same bytes as an answer of several parts.
        var inspector = MultipartAnswerInspector()
        var findings = Findings()
        inspector.begin(
            AnswerExpectation(
                dialect: dialect, status: 200, contentType: Array(type.utf8), interaction: .query),
            hasher)
        try? inspector.inspect(body, isWhole: true, into: &findings)
    }

    /// The first byte chooses the language; the fifth bit, deflated bodies.
    static let extractor = FuzzTarget(name: "extractor") { bytes in
        guard !bytes.isEmpty else { return }
        let body = bytes.extracting(1..<bytes.count)
        if bytes[0] & 16 != 0 {
            let coding = Array((bytes[0] & 1 == 0 ? "gzip" : "deflate").utf8)
            let plain = try? decoded(body, coding: coding.span, max: 1 << 16)
            precondition((plain?.count ?? 0) <= 1 << 16, "stays within its bound")
            return
        }
        let types = ["application/json", "text/html", "text/xml", "text/plain"]
        let type = Array(types[Int(bytes[0] & 3)].utf8)
        let definition =
            switch bytes[0] & 3 {
            case 0:
                ExtractorDefinition(
                    language: .jsonPointer, person: "/p/*/id",
                    fields: [.init(.name, "/p/*/name")], count: "/total")
            case 3:
                ExtractorDefinition(
                    language: .regex, person: "id=(\\w*)", count: "(?:([0-9]+)+ ?)+p")
            default:
                ExtractorDefinition(
                    language: .xpath, person: "//p/@id", fields: [.init(.name, "//p[b]//a")],
                    count: "count(//p)")
            }
        guard let extractor = try? Extractor(definition) else {
            preconditionFailure("the definitions of this target are some")
        }
        var findings = Findings()
        try? extractor.inspect(body, contentType: type.span, hasher, into: &findings)
    }
}
