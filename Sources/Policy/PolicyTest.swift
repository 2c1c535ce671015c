// PolicyTest.swift: cases that stand beside a configuration and say what it must decide.

import Identity

/// One case of a `*.test.yaml` file.
package struct PolicyTest: Sendable {
    package let name: String
    package let place: SourceLocation
    let question: Question
    let expectation: Expectation

    /// What is asked of the rulebook.
    struct Question: Sendable {
        var method: String
        var path: String
        var isNeutralized: Bool
        /// Nil for the first listener.
        var listener: String?
        var proof: Proof
        var professional: String
        var structure: String
        /// Requests already made within every window.
        var earlier: Int
    }

    /// What must come out; what is nil may be anything.
    struct Expectation: Sendable {
        var isAllowed: Bool
        var status: Int?
        var route: String?
        var rule: String?
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
            tests += readPolicyTests(bytes, file: file, problems)
        } catch {
            problems.error(SourceLocation(startOf: file), error)
        }
    }
    return run(tests, configuration, problems)
}

/// Runs the cases of one text against a configuration.
package func runPolicyTests(
    _ configuration: Configuration, text: [UInt8], name: String
) -> PolicyTestRun {
    let problems = Problems()
    let tests = readPolicyTests(text, file: name, problems)
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
    let question = test.question
    var listener = 0
    if let name = question.listener {
        let names = configuration.listeners.map(\.name)
        guard let index = names.firstIndex(of: name) else {
            problems.error(
                test.place, "unknown listener \(quoted(name))", hint: hint(for: name, among: names))
            return nil
        }
        listener = index
    }
    if let name = test.expectation.route {
        let names = configuration.routes.map(\.name)
        guard names.contains(name) else {
            problems.error(
                test.place, "unknown route \(quoted(name))", hint: hint(for: name, among: names))
            return nil
        }
    }
    let method = Array(question.method.utf8)
    let path = Array(question.path.utf8)
    let professional = Array(question.professional.utf8)
    let structure = Array(question.structure.utf8)
    let decision = rulebook.decide(
        rulebook.decide(
            isNeutralized: question.isNeutralized, method: Method(method.span), path: path.span,
            listener: listener, proof: question.proof, professional: professional.span,
            structure: structure.span),
        afterRequests: question.earlier)
    return compare(decision, with: test, rulebook)
}

private func compare(
    _ decision: Decision, with test: PolicyTest, _ rulebook: Rulebook
) -> CaseResult {
    let expectation = test.expectation
    let rule = rulebook.rule(of: decision)
    let route = decision.route.map { rulebook.configuration.routes[$0].name }
    let passed =
        expectation.isAllowed == (decision.status == nil)
        && (expectation.status == nil || expectation.status == decision.status)
        && (expectation.route == nil || expectation.route == route)
        && (expectation.rule == nil || expectation.rule == rule.name)
    let place = rule.place.map { " at \($0)" } ?? ""
    return CaseResult(
        name: test.name, place: test.place, passed: passed,
        expected: words(
            isAllowed: expectation.isAllowed, expectation.status, expectation.route,
            expectation.rule),
        got: words(isAllowed: decision.status == nil, decision.status, route, rule.name) + place)
}

private func words(isAllowed: Bool, _ status: Int?, _ route: String?, _ rule: String?) -> String {
    var text = isAllowed ? "allow" : "deny"
    if let status { text += " \(status)" }
    if let route { text += " on route \(route)" }
    if let rule { text += " by `\(rule)`" }
    return text
}
