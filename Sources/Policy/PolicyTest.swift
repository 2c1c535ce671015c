// PolicyTest.swift: cases that stand beside a configuration and say what it must decide.

import KeyedHash
import Lookup

/// One case of a `*.test.yaml` file.
package struct PolicyTest: Sendable {
    package let name: String
    package let place: SourceLocation
    /// What is asked; its listener is looked up by `listener`.
    let inquiry: Inquiry
    /// What is shown, weighed by the configuration it is put to.
    let shown: ShownProof
    /// Nil for the first listener.
    let listener: String?
    let expectation: Expectation

    /// What must come out; what is nil may be anything.
    struct Expectation: Sendable {
        var isAllowed: Bool
        var status: Int?
        var route: String?
        var rule: String?
        var interaction: Interaction?
        var vagueness: Vague?
        var lookups: Int?
        var patients: Int?
        var fields: IdentityFields?
    }

    /// Why a search is too vague, or that it is not.
    enum Vague: Equatable, Sendable {
        case no
        case yes(Vagueness)
    }
}

/// What came of one case.
package struct CaseResult: Equatable, Sendable {
    package let name: String
    package let place: SourceLocation
    package let passed: Bool
    /// What the case expects, in words: `deny 429 by limits standard: 600 requests per 1m`.
    package let expected: String
    /// What was decided, in the same words, with the place of the rule.
    package let got: String
}

/// What came of all cases.
package struct PolicyTestRun: Sendable {
    package let results: [CaseResult]
    /// Why some cases could not be read; any error means the run has failed.
    package let diagnostics: [Diagnostic]

    package var passed: Bool {
        results.allSatisfy(\.passed) && !diagnostics.contains { $0.severity == .error }
    }
}

/// The policy tests beside a configuration: all `*.test.yaml` of its folder; for the file
/// `NAME.yaml`, those that begin with `NAME.` or `NAME-`.
package func policyTestFiles(beside path: String) -> [String] {
    let isWhole = isFolder(path)
    let place = isWhole ? (path.hasSuffix("/") ? path : path + "/") : folder(of: path)
    let found = (try? files(of: place.isEmpty ? "." : place, suffix: ".test.yaml")) ?? []
    guard !isWhole else { return found.map { place + $0 } }
    var stem = String(path.dropFirst(place.count))
    if stem.hasSuffix(".yaml") { stem = String(stem.dropLast(5)) }
    return found.filter { $0.hasPrefix(stem + ".") || $0.hasPrefix(stem + "-") }
        .map { place + $0 }
}

/// Runs the cases of some files against a configuration.
package func runPolicyTests(_ configuration: Configuration, files: [String]) -> PolicyTestRun {
    let problems = Problems()
    var tests: [PolicyTest] = []
    for file in files {
        do throws(Complaint) {
            let bytes = try readFile(file, sizeMax: Screening.sizeMax)
            tests += readPolicyTests(bytes, file: file, readsFiles: true, problems)
        } catch {
            problems.error(SourceLocation(startOf: file), error)
        }
    }
    return run(tests, configuration, problems)
}

/// Runs the cases of one text against a configuration; they can name no file.
package func runPolicyTests(
    _ configuration: Configuration, text: [UInt8], name: String
) -> PolicyTestRun {
    let problems = Problems()
    let tests = readPolicyTests(text, file: name, readsFiles: false, problems)
    return run(tests, configuration, problems)
}

private func run(
    _ tests: [PolicyTest], _ configuration: Configuration, _ problems: Problems
) -> PolicyTestRun {
    let rulebook = Rulebook(configuration)
    let results = tests.compactMap { result(of: $0, rulebook, problems) }
    return PolicyTestRun(results: results, diagnostics: problems.sorted)
}

private func result(
    of test: PolicyTest, _ rulebook: Rulebook, _ problems: Problems
) -> CaseResult? {
    let configuration = rulebook.configuration
    var inquiry = test.inquiry
    if let name = test.listener {
        let names = configuration.listeners.map(\.name)
        guard let index = names.firstIndex(of: name) else {
            problems.error(
                test.place, "unknown listener \(quoted(name))", hint: hint(for: name, among: names))
            return nil
        }
        inquiry.listener = index
    }
    do {
        inquiry.evidence = try configuration.authentication.weigh(test.shown).evidence
    } catch {
        problems.error(test.place, error.message, hint: error.hint)
        return nil
    }
    if let name = test.expectation.route {
        let names = configuration.routes.map(\.name)
        guard names.contains(name) else {
            problems.error(
                test.place, "unknown route \(quoted(name))", hint: hint(for: name, among: names))
            return nil
        }
    }
    return compare(rulebook.hear(inquiry, key: caseKey), with: test, rulebook)
}

/// Persons of one case are only told from one another, so any key will do.
private let caseKey = SipKey(low: 0, high: 0)

private func compare(
    _ hearing: Hearing, with test: PolicyTest, _ rulebook: Rulebook
) -> CaseResult {
    let expected = test.expectation
    let decision = hearing.decision
    let rule = rulebook.rule(of: decision)
    // What nobody asked about is not told.
    var got = PolicyTest.Expectation(isAllowed: decision.status == nil)
    got.status = decision.status
    got.route = decision.route.map { rulebook.configuration.routes[$0].name }
    got.rule = rule.name
    if expected.interaction != nil { got.interaction = hearing.question?.interaction }
    if expected.vagueness != nil {
        got.vagueness = hearing.question.map { $0.vagueness.map { .yes($0) } ?? .no }
    }
    if expected.lookups != nil {
        got.lookups = hearing.question.map { _ in hearing.charge.lookups }
    }
    if expected.patients != nil { got.patients = hearing.inspected?.persons.count }
    if expected.fields != nil { got.fields = hearing.inspected?.fields }
    let passed =
        expected.isAllowed == got.isAllowed
        && (expected.status == nil || expected.status == got.status)
        && (expected.route == nil || expected.route == got.route)
        && (expected.rule == nil || expected.rule == got.rule)
        && expected.interaction == got.interaction && expected.vagueness == got.vagueness
        && expected.lookups == got.lookups && expected.patients == got.patients
        && expected.fields == got.fields
    let place = rule.place.map { " at \($0)" } ?? ""
    let unread =
        hearing.inspected.map { inspected in
            if case .unparsed(let why) = inspected.finding {
                return ", its answer not understood: \(why.rawValue)"
            }
            return ""
        } ?? ""
    return CaseResult(
        name: test.name, place: test.place, passed: passed, expected: words(expected),
        got: words(got, place) + unread)
}

private func words(_ expectation: PolicyTest.Expectation, _ place: String = "") -> String {
    var text = expectation.isAllowed ? "allow" : "deny"
    if let status = expectation.status { text += " \(status)" }
    if let route = expectation.route { text += " on route \(route)" }
    if let rule = expectation.rule { text += " by `\(rule)`" }
    text += place
    if let interaction = expectation.interaction { text += ", \(interaction.rawValue)" }
    switch expectation.vagueness {
    case .no?: text += ", not vague"
    case .yes(let vagueness)?: text += ", vague: \(vagueness.rawValue)"
    case nil: break
    }
    if let lookups = expectation.lookups { text += ", lookups: \(lookups)" }
    if let patients = expectation.patients { text += ", patients: \(patients)" }
    if let fields = expectation.fields {
        let names = fields.words
        text += ", fields: \(names.isEmpty ? "none" : names.joined(separator: " "))"
    }
    return text
}
