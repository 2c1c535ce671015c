// FHIRQuestion.swift: query strings, and whole FHIR requests, and what they are found to ask.

import KeyedHash
import Lookup

extension FuzzTarget {
    static let fhirQuery = FuzzTarget(name: "fhir-query") { bytes in
        let parameters = read(bytes)
        if let parameters {
            precondition(parameters.count <= FormReader.parametersMax, "bounded")
            // Written out again, it has the same parameters.
            var form: [UInt8] = []
            for (name, value) in parameters {
                precondition(!name.isEmpty && name.count <= FormReader.nameLengthMax, "a name")
                write(name, to: &form)
                form.append(UInt8(ascii: "="))
                write(value, to: &form)
                form.append(UInt8(ascii: "&"))
            }
            let again = read(form.span)
            precondition(again?.count == parameters.count, "as many")
            for (left, right) in zip(again ?? [], parameters) {
                precondition(left.name == right.name && left.value == right.value, "the same")
            }
        } else {
            precondition(pageToken(ofQuery: bytes, hasher) == nil, "no token of no form")
        }
        // The same question whoever asks, and the same page as its link had.
        guard let get = try? head(.get, Array("/fhir/Patient".utf8).span, bytes),
            case .question(let question) = get
        else { return }
        check(question)
        precondition(question.page == pageToken(ofQuery: bytes, hasher), "one page, one token")
        let form = Array("application/x-www-form-urlencoded".utf8)
        let path = Array("/fhir/Patient/_search".utf8)
        let posted = try? questionOfFHIR(
            body: bytes, kind: .form, method: .post, path: path.span, query: Span(),
            contentType: form.span, rules, hasher)
        precondition(posted?.vagueness == question.vagueness, "a form is as vague as a query")
        precondition(posted?.lookups == question.lookups, "a form makes as many lookups")
        precondition(posted?.page == question.page, "a form is the same page")
    }

    /// The first line is `METHOD PATH?QUERY`, the second the media type, the rest the body.
    static let fhirQuestion = FuzzTarget(name: "fhir-question") { bytes in
        let line = Line(bytes, from: 0)
        let type = Line(bytes, from: line.next)
        let method = line.first(UInt8(ascii: " "), bytes)
        let target = Line(start: min(method + 1, line.end), end: line.end)
        let mark = target.first(UInt8(ascii: "?"), bytes)
        let path = bytes.extracting(target.start..<mark)
        let query = bytes.extracting(min(mark + 1, line.end)..<line.end)
        let verb = LookupMethod(bytes.extracting(line.start..<method))
        let contentType = bytes.extracting(type.start..<type.end)
        let head = try? questionOfFHIR(
            method: verb, path: path, query: query, contentType: contentType, rules, hasher)
        switch head {
        case .question(let question): check(question)
        case .needsBody(let kind):
            let question = try? questionOfFHIR(
                body: bytes.extracting(type.next..<bytes.count), kind: kind, method: verb,
                path: path, query: query, contentType: contentType, rules, hasher)
            if let question { check(question) }
        case nil: break
        }
    }

    private static let rules = QuestionRules(countMax: 100)
    private static let hasher = PersonHasher(key: SipKey(low: 1, high: 2), server: "a")

    private static func head(
        _ method: LookupMethod, _ path: Span<UInt8>, _ query: Span<UInt8>
    ) throws(QuestionError) -> FHIRHead {
        try questionOfFHIR(
            method: method, path: path, query: query, contentType: Span(), rules, hasher)
    }

    /// What every question keeps to.
    private static func check(_ question: Question) {
        precondition(
            question.interaction == .page || question.interactions.contains(question.interaction),
            "what is asked is among all that is asked")
        precondition(question.lookups >= 0 && question.lookups <= 1_000_000, "bounded")
        precondition(question.operations.count <= 16, "bounded")
        precondition(
            question.operations.isEmpty || question.interactions.contains(.operation),
            "only an operation has a name")
        if question.page != nil {
            precondition(question.interactions.contains(.page), "a page is said to be one")
        }
    }

    private static func read(_ form: Span<UInt8>) -> [(name: [UInt8], value: [UInt8])]? {
        var reader = FormReader()
        var parameters: [(name: [UInt8], value: [UInt8])] = []
        do {
            while try reader.next(form) { parameters.append((reader.name, reader.value)) }
        } catch {
            return nil
        }
        return parameters
    }

    private static func write(_ text: [UInt8], to form: inout [UInt8]) {
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text {
            form.append(UInt8(ascii: "%"))
            form.append(digits[Int(byte >> 4)])
            form.append(digits[Int(byte & 15)])
        }
    }

    /// Where a line lies, and where the next one begins.
    private struct Line {
        let start: Int
        let end: Int
        let next: Int

        init(start: Int, end: Int) {
            self.start = start
            self.end = end
            next = end
        }

        init(_ bytes: Span<UInt8>, from start: Int) {
            var end = start
            while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
            self.start = start
            self.end = end
            next = min(end + 1, bytes.count)
        }

        /// Where `byte` comes first; the line's end when it does not.
        func first(_ byte: UInt8, _ bytes: Span<UInt8>) -> Int {
            var index = start
            while index < end, bytes[index] != byte { index += 1 }
            return index
        }
    }
}
