// PolicyTestReading.swift: the keys of a policy test.

import Identity
import Lookup

/// Reads the cases of one file; those with errors are left out, and `problems` knows them.
func readPolicyTests(
    _ bytes: [UInt8], file: String, readsFiles: Bool, _ problems: Problems
) -> [PolicyTest] {
    guard let document = readDocument(bytes, file: file, problems: problems) else { return [] }
    guard case .list(let values) = document.content else {
        problems.error(
            document.place, "policy tests must be a list, not \(document.kind)",
            hint: "write `- name: …` for each case")
        return []
    }
    let reading = PolicyTestReading(readsFiles: readsFiles, problems: problems)
    var places: [String: SourceLocation] = [:]
    return values.compactMap { value in
        guard let test = reading.test(value) else { return nil }
        if let first = places[test.name] {
            problems.error(
                test.place, "duplicate case \(quoted(test.name))", hint: "first at \(first)")
        }
        places[test.name] = test.place
        return test
    }
}

private struct PolicyTestReading {
    static let keys = [
        "name", "request", "content_type", "body", "body_file", "as", "with", "holder", "title",
        "structure", "card_age", "break_glass", "listener", "after", "neutralized", "answer",
        "expect", "status", "route", "rule", "interaction", "vague", "lookups", "patients",
        "fields",
    ]
    /// Bytes of a body or an answer that stands in a file of its own.
    static let bodyMax = 16 << 20

    /// Whether bodies may stand in files of their own.
    let readsFiles: Bool
    let problems: Problems

    func test(_ value: Value) -> PolicyTest? {
        let errorsBefore = problems.errorCount
        guard
            let fields = Fields(
                value, of: "a policy test", keys: Self.keys, problems: problems)
        else { return nil }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.line() }
        let inquiry = inquiry(fields)
        let listener = fields.optional("listener") { (scalar) throws(Complaint) in
            try scalar.name()
        }
        let expectation = expectation(fields)
        guard let name, let inquiry, let expectation, problems.errorCount == errorsBefore else {
            return nil
        }
        return PolicyTest(
            name: name, place: value.place, inquiry: inquiry, listener: listener,
            expectation: expectation)
    }

    private func inquiry(_ fields: Fields) -> Inquiry? {
        let request = fields.required("request") { (scalar) throws(Complaint) in
            try scalar.request()
        }
        let subject = fields.required("as") { (scalar) throws(Complaint) in try scalar.account() }
        let used = used(fields)
        let holder = holder(fields)
        guard let request, let subject else { return nil }
        var inquiry = Inquiry(
            method: request.method, target: request.target,
            proof: proof(fields, hasAccount: subject != nil), professional: subject ?? "")
        inquiry.holder = holder
        inquiry.used = used
        inquiry.isNeutralized = fields.optional("neutralized", default: false) {
            (scalar) throws(Complaint) in try scalar.truth()
        }
        inquiry.breaksGlass = fields.optional("break_glass", default: false) {
            (scalar) throws(Complaint) in try scalar.truth()
        }
        inquiry.contentType = fields.optional("content_type", default: "") {
            (scalar) throws(Complaint) in try scalar.line()
        }
        inquiry.body = body(fields, "body", "body_file")
        inquiry.answer = answer(fields)
        return inquiry
    }

    private func holder(_ fields: Fields) -> LimitedHolder {
        let structure = fields.optional("structure", default: "") {
            (scalar) throws(Complaint) in
            guard let id = try? StructureID(scalar.text) else {
                throw Complaint("\(quoted(scalar.text)) is not a structure's national identifier")
            }
            return id.description
        }
        let title = fields.optional("title") { (scalar) throws(Complaint) in try scalar.line() }
        let age = fields.optional("card_age", default: .zero) { (scalar) throws(Complaint) in
            try scalar.duration(.zero ... .seconds(86_400))
        }
        return LimitedHolder(
            titles: title.map { [$0] } ?? [], structure: Array(structure.utf8), cardAge: age)
    }

    /// A number of requests, or how many of each thing that is counted.
    private func used(_ fields: Fields) -> Usage {
        guard let entry = fields["after"] else { return Usage() }
        func number(_ scalar: Scalar) throws(Complaint) -> Int {
            try scalar.number(0...1_000_000_000)
        }
        guard case .mapping = entry.value.content else {
            return Usage(requests: fields.optional("after", default: 0, number))
        }
        let counts = Limit.Count.allCases.map(\.rawValue)
        guard
            let after = Fields(entry.value, of: "`after`", keys: counts, problems: problems)
        else { return Usage() }
        func used(_ count: Limit.Count) -> Int {
            after.optional(count.rawValue, default: 0, number)
        }
        return Usage(
            requests: used(.requests), lookups: used(.lookups), patients: used(.patients),
            disclosures: used(.disclosures), misses: used(.misses))
    }

    private func answer(_ fields: Fields) -> SampleAnswer? {
        guard let entry = fields["answer"],
            let answer = Fields(
                entry.value, of: "`answer`", keys: ["status", "content_type", "body", "file"],
                problems: problems)
        else { return nil }
        let status = answer.optional("status", default: 200) { (scalar) throws(Complaint) in
            try scalar.number(200...599)
        }
        let type = answer.optional("content_type", default: "application/fhir+json") {
            (scalar) throws(Complaint) in try scalar.line()
        }
        return SampleAnswer(
            status: status, contentType: type, body: body(answer, "body", "file"))
    }

    /// A body that stands in the case, or in a file beside it.
    private func body(_ fields: Fields, _ key: String, _ fileKey: String) -> [UInt8] {
        if fields[key] != nil, let entry = fields[fileKey] {
            problems.error(entry.place, "`\(fileKey)` beside `\(key)`: one of them is enough")
        }
        if let text = fields.optional(key, { (scalar) throws(Complaint) in scalar.text }) {
            return Array(text.utf8)
        }
        let bytes = fields.optional(fileKey) { (scalar) throws(Complaint) -> [UInt8] in
            guard readsFiles else { throw Complaint("files are not read here") }
            let path = resolve(scalar.text, in: scalar.place.file)
            let bytes = try readFile(path, sizeMax: Self.bodyMax)
            guard bytes.count <= Self.bodyMax else {
                throw Complaint("the file has more than \(Self.bodyMax >> 20) MiB")
            }
            return bytes
        }
        return bytes ?? []
    }

    private func proof(_ fields: Fields, hasAccount: Bool) -> Proof {
        let way = fields.optional("with", default: hasAccount ? Way.certificate : .none) {
            (scalar) throws(Complaint) in try scalar.word(Way.self)
        }
        let holder = fields.optional("holder", default: hasAccount ? Holder.person : .nobody) {
            (scalar) throws(Complaint) in try scalar.word(Holder.self)
        }
        if way == .none, let entry = fields["holder"] {
            problems.error(entry.place, "a `holder` needs `with: certificate`")
        }
        guard way == .certificate else { return .none }
        switch holder {
        case .person: return .person
        case .organisation: return .organisation
        case .nonNominative: return .nonNominative
        case .nobody: return .nobody
        }
    }

    private func expectation(_ fields: Fields) -> PolicyTest.Expectation? {
        let verdict = fields.required("expect") { (scalar) throws(Complaint) in
            try scalar.word(Verdict.self)
        }
        let status = fields.optional("status") { (scalar) throws(Complaint) in
            try scalar.number(400...599)
        }
        let route = fields.optional("route") { (scalar) throws(Complaint) in try scalar.name() }
        let rule = fields.optional("rule") { (scalar) throws(Complaint) in try scalar.line() }
        if verdict == .allow, let entry = fields["status"] {
            problems.error(
                entry.place, "`status` goes with `expect: deny` only",
                hint: "the identity server answers what is allowed")
        }
        guard let verdict else { return nil }
        var expectation = PolicyTest.Expectation(
            isAllowed: verdict == .allow, status: status, route: route, rule: rule)
        expectation.interaction = fields.optional("interaction") { (scalar) throws(Complaint) in
            try scalar.word(Interaction.self)
        }
        expectation.vagueness = fields.optional("vague") { (scalar) throws(Complaint) in
            try scalar.text == "none" ? .no : .yes(scalar.word(Vagueness.self))
        }
        expectation.lookups = fields.optional("lookups") { (scalar) throws(Complaint) in
            try scalar.number(0...1_000_000_000)
        }
        expectation.patients = number("patients", with: "answer", fields)
        expectation.fields = exposed(fields)
        return expectation
    }

    private func number(_ key: String, with other: String, _ fields: Fields) -> Int? {
        if let entry = fields[key], fields[other] == nil {
            problems.error(entry.place, "`\(key)` needs an `\(other)`")
        }
        return fields.optional(key) { (scalar) throws(Complaint) in
            try scalar.number(0...1_000_000)
        }
    }

    private func exposed(_ fields: Fields) -> IdentityFields? {
        guard let entry = fields["fields"] else { return nil }
        if fields["answer"] == nil { problems.error(entry.place, "`fields` needs an `answer`") }
        let names = IdentityFields.names.map(\.description)
        let read = fields.texts("fields", countMax: names.count) { (scalar) throws(Complaint) in
            guard let bit = names.firstIndex(of: scalar.text) else {
                throw Complaint(
                    "unknown value \(quoted(scalar.text))",
                    hint: hint(for: scalar.text, among: names))
            }
            return IdentityFields(rawValue: 1 << UInt16(bit))
        }
        return read.reduce(into: []) { $0.formUnion($1.value) }
    }
}

private enum Way: String, CaseIterable {
    case certificate
    case none
}

private enum Holder: String, CaseIterable {
    case person
    case organisation
    case nonNominative = "non-nominative"
    /// A certificate without any identifier that could be read.
    case nobody
}

private enum Verdict: String, CaseIterable {
    case allow
    case deny
}

extension Scalar {
    /// `METHOD PATH`, which a query may follow.
    fileprivate func request() throws(Complaint) -> (method: String, target: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasPrefix("/"), !parts[0].isEmpty else {
            throw Complaint("\(quoted(text)) is not a request", hint: "such as `GET /fhir/Patient`")
        }
        return (String(parts[0]), String(parts[1]))
    }

    /// `account:ID`, `ID` or `none`.
    fileprivate func account() throws(Complaint) -> String? {
        guard text != "none" else { return nil }
        let id = text.hasPrefix("account:") ? String(text.dropFirst(8)) : text
        guard let professional = try? ProfessionalID(id) else {
            throw Complaint(
                "\(quoted(text)) is neither `none` nor `account:` and a national identifier",
                hint: "such as `account:899700218896`")
        }
        return professional.description
    }
}
