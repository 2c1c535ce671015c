// QuestionAsking.swift: asks the classifier in the words of a request line.

import KeyedHash

@testable import Lookup

/// Rules and keys that all tests of questions share.
enum Asking {
    static let rules = QuestionRules(countMax: 100)
    static let hasher = PersonHasher(key: SipKey(low: 1, high: 2), server: "mpi")

    /// What the head of `POST /fhir/Patient` and the like is found to be.
    static func head(_ line: String, contentType: String = "") throws(QuestionError) -> FHIRHead {
        let parts = Parts(line)
        return try questionOfFHIR(
            method: LookupMethod(parts.method.span), path: parts.path.span,
            query: parts.query.span, contentType: Array(contentType.utf8).span, rules, hasher)
    }

    /// The question of a request without a body that matters.
    static func question(_ line: String) throws -> Question {
        switch try head(line) {
        case .question(let question): return question
        case .needsBody(let kind): throw Needs(kind: kind)
        }
    }

    /// The question of a request with a body.
    static func question(
        _ line: String, body: String, contentType: String
    ) throws -> Question {
        guard case .needsBody(let kind) = try head(line, contentType: contentType) else {
            throw Needs(kind: nil)
        }
        let parts = Parts(line)
        return try questionOfFHIR(
            body: Array(body.utf8).span, kind: kind, method: LookupMethod(parts.method.span),
            path: parts.path.span, query: parts.query.span,
            contentType: Array(contentType.utf8).span, rules, hasher)
    }

    static func form(_ line: String, _ body: String) throws -> Question {
        try question(line, body: body, contentType: "application/x-www-form-urlencoded")
    }

    static func json(_ line: String, _ body: String) throws -> Question {
        try question(line, body: body, contentType: "application/fhir+json")
    }

    /// The hash that a page link's opaque value has.
    static func token(_ value: String) -> UInt64 {
        hasher.token(1, Array(value.utf8).span)
    }

    /// A body is needed where none was thought of, or the reverse.
    struct Needs: Error, Equatable {
        let kind: FHIRBodyKind?
    }

    private struct Parts {
        let method: [UInt8]
        let path: [UInt8]
        let query: [UInt8]

        init(_ line: String) {
            let words = line.split(separator: " ", maxSplits: 1)
            let url = words[1].split(
                separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
            method = Array(words[0].utf8)
            path = Array(url[0].utf8)
            query = url.count > 1 ? Array(url[1].utf8) : []
        }
    }
}
