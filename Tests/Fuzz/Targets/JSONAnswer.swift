// JSONAnswer.swift: texts and answers in JSON, whole and in pieces.

import KeyedHash
import Lookup

private let hasher = PersonHasher(
    key: SipKey(low: 1, high: 2), server: "mpi", canonicalSystem: "1.2.3.4")

extension FuzzTarget {
    /// The first byte chooses how the answer comes, the second where it is cut.
    static let jsonAnswer = FuzzTarget(name: "json-answer") { bytes in
        guard bytes.count >= 2 else { return }
        let body = bytes.extracting(2..<bytes.count)
        let cut = body.count * Int(bytes[1]) / 255
        let isSequence = bytes[0] & 1 != 0
        let text = read(body, cut: nil, isSequence)
        precondition(read(body, cut: cut, isSequence) == text, "pieces are the same text")

        let inspector = AnswerInspector()
        let whole = inspect(body, cut: nil, bytes[0], inspector)
        precondition(
            inspect(body, cut: cut, bytes[0], inspector) == whole, "pieces are the same answer")
        let isText = text.last != .failure
        let isRefused = whole.finding == .unparsed(.malformed)
        precondition(!isRefused || !isText, "what is JSON is not refused as something else")
    }

    /// What stands in a text, place by place.
    private enum Step: Equatable {
        case token(JSONToken)
        case failure
    }

    private static func read(_ body: Span<UInt8>, cut: Int?, _ isSequence: Bool) -> [Step] {
        var reader = JSONReader(isSequence: isSequence)
        var steps: [Step] = []
        do throws(Unparsed) {
            if let cut {
                let piece = body.extracting(0..<cut)
                while true {
                    let token = try reader.next(piece, isWhole: false)
                    if token == .more { break }
                    steps.append(.token(token))
                }
            }
            while true {
                let token = try reader.next(body, isWhole: true)
                precondition(token != .more, "a whole text needs no more")
                precondition(reader.depth <= JSONReader.depthMax, "no deeper than is allowed")
                steps.append(.token(token))
                if token == .end { return steps }
            }
        } catch {
            steps.append(.failure)
        }
        return steps
    }

    private struct Outcome: Equatable {
        var finding: Finding
        var keys: [UInt64]
        var starts: [Int]
        var fields: IdentityFields
        var pages: [UInt64]
    }

    private static func inspect(
        _ body: Span<UInt8>, cut: Int?, _ choice: UInt8, _ inspector: AnswerInspector
    ) -> Outcome {
        let type = choice & 1 == 0 ? "application/fhir+json" : "application/fhir+ndjson"
        inspector.begin(
            AnswerExpectation(
                dialect: .fhir, status: choice & 2 == 0 ? 200 : 404,
                contentType: Array(type.utf8), interaction: .search), hasher)
        if let cut { inspector.inspect(body.extracting(0..<cut), isWhole: false) }
        inspector.inspect(body, isWhole: true)
        let findings = inspector.findings
        let persons = findings.persons
        for person in 0..<persons.count {
            precondition(persons.starts[person] < persons.starts[person + 1], "each has a key")
        }
        return Outcome(
            finding: inspector.finding, keys: persons.allKeys, starts: persons.starts,
            fields: persons.fields, pages: findings.pages)
    }
}
