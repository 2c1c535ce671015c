// PolicyTestReading.swift: the keys of a policy test.

import Identity

/// Reads the cases of one file; those with errors are left out, and `problems` knows them.
func readPolicyTests(_ bytes: [UInt8], file: String, _ problems: Problems) -> [PolicyTest] {
    guard let document = readDocument(bytes, file: file, problems: problems) else { return [] }
    guard case .list(let values) = document.content else {
        problems.error(
            document.place, "policy tests must be a list, not \(document.kind)",
            hint: "write `- name: …` for each case")
        return []
    }
    var places: [String: SourceLocation] = [:]
    return values.compactMap { value in
        guard let test = PolicyTestReading(problems: problems).test(value) else { return nil }
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
        "name", "request", "as", "with", "holder", "structure", "listener", "after",
        "neutralized", "expect", "status", "route", "rule",
    ]

    let problems: Problems

    func test(_ value: Value) -> PolicyTest? {
        let errorsBefore = problems.errorCount
        guard
            let fields = Fields(
                value, of: "a policy test", keys: Self.keys, problems: problems)
        else { return nil }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.line() }
        let question = question(fields)
        let expectation = expectation(fields)
        guard let name, let question, let expectation, problems.errorCount == errorsBefore else {
            return nil
        }
        return PolicyTest(
            name: name, place: value.place, question: question, expectation: expectation)
    }

    private func question(_ fields: Fields) -> PolicyTest.Question? {
        let request = fields.required("request") { (scalar) throws(Complaint) in
            try scalar.request()
        }
        let subject = fields.required("as") { (scalar) throws(Complaint) in try scalar.account() }
        let structure = fields.optional("structure") { (scalar) throws(Complaint) in
            guard let id = try? StructureID(scalar.text) else {
                throw Complaint("\(quoted(scalar.text)) is not a structure's national identifier")
            }
            return id.description
        }
        let listener = fields.optional("listener") { (scalar) throws(Complaint) in
            try scalar.name()
        }
        let earlier = fields.optional("after", default: 0) { (scalar) throws(Complaint) in
            try scalar.number(0...1_000_000_000)
        }
        let isNeutralized = fields.optional("neutralized", default: false) {
            (scalar) throws(Complaint) in try scalar.truth()
        }
        guard let request, let subject else { return nil }
        return PolicyTest.Question(
            method: request.method, path: request.path, isNeutralized: isNeutralized,
            listener: listener, proof: proof(fields, hasAccount: subject != nil),
            professional: subject ?? "", structure: structure ?? "", earlier: earlier)
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
        return PolicyTest.Expectation(
            isAllowed: verdict == .allow, status: status, route: route, rule: rule)
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
    /// `METHOD PATH`; a query is left out, as routes do not see it.
    fileprivate func request() throws(Complaint) -> (method: String, path: String) {
        let parts = text.split(separator: " ", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[1].hasPrefix("/"), !parts[0].isEmpty else {
            throw Complaint("\(quoted(text)) is not a request", hint: "such as `GET /fhir/Patient`")
        }
        return (String(parts[0]), String(parts[1].prefix { $0 != "?" }))
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
