// Proofs.swift: how good a proof must be, and what machines may pass.

import Identity
import Lookup
import Testing

@testable import Policy

/// The sample with more keys on its only route.
private func route(_ keys: String) throws -> Rulebook {
    let text = changed("    limits: standard\n", "    limits: standard\n" + keys)
    return Rulebook(try configuration(text))
}

extension Rulebook {
    fileprivate func judge(
        _ evidence: Evidence, organisation: String = "", structure: String = ""
    ) -> Decision {
        let professional = Array((evidence.proof == .person ? "899700218896" : "").utf8)
        let (name, owner) = (Array(organisation.utf8), Array(structure.utf8))
        return judge(
            evidence, route: 0, professional: professional.span, structure: owner.span,
            organisation: name.span)
    }
}

@Suite struct `A route that asks for a good proof` {
    @Test(arguments: [
        (AssuranceLevel.low, Decision.levelTooLow(route: 0)),
        (.substantial, .allowed(route: 0)), (.high, .allowed(route: 0)),
    ])
    func `refuses one below its level`(level: AssuranceLevel, decision: Decision) throws {
        let rulebook = try route("    level: substantial\n")
        #expect(rulebook.judge(Evidence(.person, level: level)) == decision)
    }

    @Test(arguments: [
        (UInt32?.some(0), Decision.allowed(route: 0)), (900, .allowed(route: 0)),
        (901, .proofTooOld(route: 0)), (nil, .proofTooOld(route: 0)),
    ])
    func `refuses one too old, or of unknown age`(age: UInt32?, decision: Decision) throws {
        let rulebook = try route("    max_age: 15m\n")
        #expect(rulebook.judge(Evidence(.person, ageSeconds: age)) == decision)
    }

    @Test func `asks for nothing it does not say`() throws {
        let rulebook = try route("")
        let weak = Evidence(.person, level: .low, ageSeconds: nil)
        #expect(rulebook.judge(weak) == .allowed(route: 0))
    }

    @Test(arguments: [ProofMethod.token, .session, .pamTOTP, .pamWebAuthn])
    func `takes no way that it does not list`(method: ProofMethod) throws {
        let rulebook = try route("")
        #expect(rulebook.judge(Evidence(.person, by: method)) == .unproven(route: 0))
    }

    @Test func `names the rule that refuses`() throws {
        let rulebook = try route("    level: high\n    max_age: 1m\n")
        #expect(rulebook.rule(of: .levelTooLow(route: 0)).name == "route fhir: level high")
        #expect(rulebook.rule(of: .levelTooLow(route: 0)).place?.line == 18)
        #expect(rulebook.rule(of: .proofTooOld(route: 0)).name == "route fhir: max_age")
        #expect(rulebook.rule(of: .proofTooOld(route: 0)).place?.line == 19)
    }
}

@Suite struct `A route for machines` {
    private static let machine = Evidence(.organisation)

    @Test(arguments: [
        ("INSI-AUTO", "10B0152872", true), ("insi-auto", "10B0152872", false),
        ("INSI-AUTO", "10B0193488", false), ("INSI-AUTO2", "10B0152872", false),
        ("INSI-AUTO", "", false), ("", "10B0152872", false),
    ])
    func `lets pass those it names, byte by byte`(
        name: String, structure: String, passes: Bool
    ) throws {
        let rulebook = try route(
            "    machines: {names: [INSI-AUTO, INSI-MANU], structures: [10B0152872]}\n")
        let decision = rulebook.judge(Self.machine, organisation: name, structure: structure)
        #expect(decision == (passes ? .allowed(route: 0) : .organisationRefused(route: 0)))
    }

    @Test func `still lets people pass, and by its own rule refuses machines`() throws {
        let rulebook = try route("    machines: {names: [INSI-AUTO]}\n")
        #expect(rulebook.judge(Evidence(.person)) == .allowed(route: 0))
        #expect(
            rulebook.rule(of: .organisationRefused(route: 0)).name == "route fhir: machines")
        #expect(try route("").judge(Self.machine) == .organisationRefused(route: 0))
    }

    @Test(arguments: [
        (Interaction.read, true), (.crossReference, true), (.feed, true), (.search, false),
        (.match, false), (.page, false),
    ])
    func `searches nobody unless it may`(interaction: Interaction, passes: Bool) throws {
        let question = Question(interaction)
        let strict = try route("    machines: {names: [INSI-AUTO]}\n")
        let judged = strict.judge(question, route: 0, isMachine: true)
        if case .passes = judged { #expect(passes) } else { #expect(!passes) }
        let lenient = try route("    machines: {names: [INSI-AUTO], lookups: accept}\n")
        guard case .passes = lenient.judge(question, route: 0, isMachine: true) else {
            Issue.record("refused although it may look up")
            return
        }
        guard case .passes = strict.judge(question, route: 0) else {
            Issue.record("a person is refused by the rule for machines")
            return
        }
    }
}
