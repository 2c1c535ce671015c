// Decisions.swift: the order in which a request is refused, and the rule each refusal names.

import Testing

@testable import Policy

private func rulebook(_ text: String = sample) throws -> Rulebook {
    Rulebook(try configuration(text))
}

extension Rulebook {
    fileprivate func decide(
        _ path: String = "/fhir/Patient/1", _ method: Method = .get, neutralized: Bool = false,
        proof: Proof = .person, professional: String = "899700218896", structure: String = ""
    ) -> Decision {
        let path = Array(path.utf8)
        let professional = Array(professional.utf8)
        let structure = Array(structure.utf8)
        let nothing: [UInt8] = []
        return decide(
            isNeutralized: neutralized, method: method, path: path.span, listener: 0,
            evidence: Evidence(proof), professional: professional.span, structure: structure.span,
            organisation: nothing.span)
    }
}

@Suite struct `A decision` {
    @Test func `refuses the neutralized before anything else`() throws {
        let rulebook = try rulebook()
        #expect(rulebook.decide("/none", neutralized: true, proof: .none) == .neutralized)
        #expect(rulebook.decide("//", neutralized: true) == .neutralized)
    }

    @Test func `looks for the route before the proof`() throws {
        let rulebook = try rulebook()
        #expect(rulebook.decide("/none", proof: .none) == .unknownRoute)
        #expect(rulebook.decide("/fhir/..", proof: .none) == .ambiguousPath)
        #expect(rulebook.decide("/fhir/", .put, proof: .none) == .methodNotAllowed)
    }

    @Test(arguments: [
        (Proof.none, "", Decision.unproven(route: 0)),
        (.none, "899700218896", .unproven(route: 0)),
        (.nobody, "", .nobody(route: 0)),
        (.person, "", .nobody(route: 0)),
        (.person, "899700218896", .allowed(route: 0)),
        (.organisation, "", .organisationRefused(route: 0)),
        (.nonNominative, "3760021832/000000018", .nonNominativeRefused(route: 0)),
    ])
    func `lets only a proven human pass`(proof: Proof, id: String, decision: Decision) throws {
        #expect(try rulebook().decide(proof: proof, professional: id) == decision)
    }

    @Test func `lets organisations and service cards pass where they are accepted`() throws {
        let rulebook = try rulebook(
            "authentication: {certificate: {organisations: accept, non_nominative: accept}}\n"
                + sample)
        #expect(rulebook.decide(proof: .organisation, professional: "") == .allowed(route: 0))
        #expect(rulebook.decide(proof: .nonNominative, professional: "") == .allowed(route: 0))
        #expect(rulebook.decide(proof: .nobody) == .nobody(route: 0))
    }

    @Test(arguments: [
        ("899700218896", "10B0152872", Decision.allowed(route: 0)),
        ("00b7010446", "10b0152872", .allowed(route: 0)),
        ("899700427885", "10B0152872", .professionalNotAllowed(route: 0)),
        ("89970021889", "10B0152872", .professionalNotAllowed(route: 0)),
        ("8997002188966", "10B0152872", .professionalNotAllowed(route: 0)),
        ("899700218896", "10B0193488", .structureNotAllowed(route: 0)),
        ("899700218896", "", .structureNotAllowed(route: 0)),
    ])
    func `asks both lists, in any case of letters`(
        professional: String, structure: String, decision: Decision
    ) throws {
        let rulebook = try rulebook(
            changed(
                "    lookups: fhir",
                "    allow:\n      professionals: [899700218896, 00B7010446]\n"
                    + "      structures: [10B0152872]"))
        #expect(rulebook.decide(professional: professional, structure: structure) == decision)
    }

    @Test func `of limits counts what was asked before`() throws {
        let rulebook = try rulebook(
            changed(
                "    - {count: requests, limit: 600, per: 1m}",
                "    - {count: requests, limit: 5, per: 1s, enforce: shadow}\n"
                    + "    - {count: requests, limit: 600, per: 1m}"))
        func decide(
            _ decision: Decision, _ charge: Usage, after used: Usage, age: Duration = .zero
        ) -> Decision {
            rulebook.decide(
                decision, set: 0, charging: charge, after: used,
                holder: LimitedHolder(cardAge: age))
        }
        let allowed = rulebook.decide()
        let one = Usage(requests: 1)
        #expect(decide(allowed, one, after: Usage(requests: 599)) == .allowed(route: 0))
        #expect(
            decide(allowed, one, after: Usage(requests: 600))
                == .limitReached(route: 0, set: 0, limit: 1))
        #expect(decide(.unknownRoute, one, after: Usage(requests: 600)) == .unknownRoute)
        // Who has used up the patients may still ask for those already seen.
        #expect(decide(allowed, one, after: Usage(patients: 60)) == .allowed(route: 0))
        #expect(
            decide(allowed, Usage(patients: 3), after: Usage(patients: 58))
                == .limitReached(route: 0, set: 0, limit: 2))
        #expect(decide(allowed, Usage(patients: 2), after: Usage(patients: 58)) == allowed)
        #expect(
            decide(allowed, Usage(patients: .max), after: Usage(patients: .max))
                == .limitReached(route: 0, set: 0, limit: 2))
    }

    @Test func `over a ceiling that steps up lets pass who has shown the card lately`() throws {
        let rulebook = try rulebook(
            changed("per: 1m}", "per: 1m, enforce: step-up, max_age: 5m}"))
        let allowed = rulebook.decide()
        for (age, decision) in [
            (Duration.seconds(300), allowed),
            (.seconds(301), .stepUpNeeded(route: 0, set: 0, limit: 0)),
        ] {
            #expect(
                rulebook.decide(
                    allowed, set: 0, charging: Usage(requests: 1), after: Usage(requests: 600),
                    holder: LimitedHolder(cardAge: age)) == decision)
        }
        #expect(Decision.stepUpNeeded(route: 0, set: 0, limit: 0).status == 403)
    }

    @Test(
        arguments: [
            (Decision.neutralized, 403, "neutralized", nil),
            (.ambiguousPath, 400, "ambiguous path", nil),
            (.unknownRoute, 404, "no route", nil),
            (.methodNotAllowed, 403, "no route with this method", nil),
            (.unproven(route: 0), 401, "route fhir: require", "h:16"),
            (.nobody(route: 0), 403, "route fhir: require", "h:16"),
            (
                .organisationRefused(route: 0), 403,
                "authentication.certificate.organisations: refuse",
                "h:16"
            ),
            (
                .nonNominativeRefused(route: 0), 403,
                "authentication.certificate.non_nominative: refuse",
                "h:16"
            ),
            (.professionalNotAllowed(route: 0), 403, "route fhir: allow.professionals", nil),
            (.structureNotAllowed(route: 0), 403, "route fhir: allow.structures", nil),
            (
                .limitReached(route: 0, set: 0, limit: 0), 429,
                "limits standard: 600 requests per 1m",
                "h:20"
            ),
            (.allowed(route: 0), nil, "route fhir", "h:12"),
        ] as [(Decision, Int?, String, String?)])
    func `has a status and a rule with its place`(
        decision: Decision, status: Int?, name: String, place: String?
    ) throws {
        #expect(decision.status == status)
        let rule = try rulebook().rule(of: decision)
        #expect(rule.name == name)
        #expect(rule.place?.description == place)
    }
}

@Suite struct `A set of identifiers` {
    @Test func `holds what was put in, and nothing else`() {
        let set = ByteSet(["b", "a", "A", "abc", "", "ab/1"])
        #expect(set.count == 4)
        for (id, isIn) in [
            ("a", true), ("B", true), ("ab", false), ("AB/1", true), ("abc", true), ("abcd", false),
            ("", false), ("é", false), ("c", false),
        ] {
            let bytes = Array(id.utf8)
            #expect(set.contains(bytes.span) == isIn, "\(id)")
        }
    }
}
