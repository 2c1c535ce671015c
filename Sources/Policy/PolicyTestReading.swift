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
        "name", "request", "content_type", "body", "body_file", "as", "with", "issuer", "client",
        "level", "age", "holder", "organisation", "directory", "title", "structure", "card_age",
        "break_glass", "listener", "after", "neutralized", "answer",
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
        let age = proofAge(fields)
        let inquiry = inquiry(fields, provenBefore: age)
        let listener = fields.optional("listener") { (scalar) throws(Complaint) in
            try scalar.name()
        }
        let shown = shown(
            fields, hasAccount: inquiry?.professional.isEmpty == false, provenBefore: age)
        let expectation = expectation(fields)
        guard let name, let inquiry, let expectation, problems.errorCount == errorsBefore else {
            return nil
        }
        return PolicyTest(
            name: name, place: value.place, inquiry: inquiry, shown: shown, listener: listener,
            expectation: expectation)
    }

    private func inquiry(_ fields: Fields, provenBefore age: UInt32) -> Inquiry? {
        let request = fields.required("request") { (scalar) throws(Complaint) in
            try scalar.request()
        }
        let subject = fields.required("as") { (scalar) throws(Complaint) in try scalar.account() }
        let used = used(fields)
        let holder = holder(fields, provenBefore: age)
        guard let request, let subject else { return nil }
        var inquiry = Inquiry(
            method: request.method, target: request.target, proof: .none,
            professional: subject ?? "")
        inquiry.organisation =
            fields.optional("organisation") { (scalar) throws(Complaint) in
                Array(try scalar.line().utf8)
            } ?? []
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

    private func holder(_ fields: Fields, provenBefore age: UInt32) -> LimitedHolder {
        let structure = fields.optional("structure", default: "") {
            (scalar) throws(Complaint) in
            guard let id = try? StructureID(scalar.text) else {
                throw Complaint("\(quoted(scalar.text)) is not a structure's national identifier")
            }
            return id.description
        }
        let title = fields.optional("title") { (scalar) throws(Complaint) in try scalar.line() }
        return LimitedHolder(
            titles: title.map { [$0] } ?? [], structure: Array(structure.utf8),
            cardAge: .seconds(age))
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

    /// Seconds since the proof was given: `age`, or of a card also `card_age`.
    private func proofAge(_ fields: Fields) -> UInt32 {
        if fields["age"] != nil, let entry = fields["card_age"] {
            problems.error(entry.place, "`card_age` beside `age`: one of them is enough")
        }
        let key = fields["age"] == nil ? "card_age" : "age"
        return fields.optional(key, default: 0) { (scalar) throws(Complaint) in
            UInt32(try scalar.seconds(0...(key == "age" ? 30 : 1) * 86_400))
        }
    }

    private func shown(
        _ fields: Fields, hasAccount: Bool, provenBefore age: UInt32
    ) -> ShownProof {
        let isMachine = fields["organisation"] != nil
        let way = fields.optional("with", default: hasAccount || isMachine ? .certificate : .none) {
            (scalar) throws(Complaint) in try scalar.word(Way.self)
        }
        let standard: Holder = isMachine ? .organisation : hasAccount ? .person : .nobody
        let holder = fields.optional("holder", default: standard) {
            (scalar) throws(Complaint) in try scalar.word(Holder.self)
        }
        judge(fields, way, holder)
        var shown = ShownProof(
            way == .none ? .none : holder.proof, by: way.method ?? .certificate,
            ageSeconds: age)
        shown.issuer = fields.optional("issuer") { (scalar) throws(Complaint) in try scalar.name() }
        shown.client = fields.optional("client") { (scalar) throws(Complaint) in
            try scalar.token()
        }
        shown.level = fields.optional("level") { (scalar) throws(Complaint) in
            try scalar.word(AssuranceLevel.self)
        }
        shown.standing = fields.optional("directory", default: .unchecked) {
            (scalar) throws(Complaint) in try scalar.word(DirectoryWord.self).standing
        }
        return shown
    }

    /// Refuses what does not go together.
    private func judge(_ fields: Fields, _ way: Way, _ holder: Holder) {
        if way == .none {
            for key in ["holder", "organisation", "level", "age"] {
                guard let entry = fields[key] else { continue }
                let article = key == "organisation" || key == "age" ? "an" : "a"
                problems.error(entry.place, "\(article) `\(key)` needs `with: certificate`")
            }
        } else if way != .certificate {
            for key in ["holder", "organisation"] {
                guard let entry = fields[key] else { continue }
                problems.error(
                    entry.place, "`\(key)` goes with `with: certificate` only",
                    hint: "by \(way.rawValue) one proves to be a person")
            }
        }
        if holder != .organisation, way == .certificate, let entry = fields["organisation"] {
            problems.error(entry.place, "`organisation` goes with `holder: organisation` only")
        }
        if way != .token, way != .session, let entry = fields["issuer"] {
            problems.error(entry.place, "`issuer` goes with `with: token` or `session` only")
        }
        if way != .token, let entry = fields["client"] {
            problems.error(entry.place, "`client` goes with `with: token` only")
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
    case token
    case session
    case pamTOTP = "pam+totp"
    case pamWebAuthn = "pam+webauthn"
    case none

    var method: ProofMethod? { ProofMethod(rawValue: rawValue) }
}

/// What the directory says of somebody.
private enum DirectoryWord: String, CaseIterable {
    case known
    case unknown
    case left

    var standing: Standing {
        switch self {
        case .known: .known
        case .unknown: .unknown
        case .left: .left
        }
    }
}

private enum Holder: String, CaseIterable {
    case person
    case organisation
    case nonNominative = "non-nominative"
    /// A certificate without any identifier that could be read.
    case nobody

    var proof: Proof {
        switch self {
        case .person: .person
        case .organisation: .organisation
        case .nonNominative: .nonNominative
        case .nobody: .nobody
        }
    }
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
