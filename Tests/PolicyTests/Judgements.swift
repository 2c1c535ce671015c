// Judgements.swift: what becomes of a request once it is known what it asks.

import Lookup
import Testing

@testable import Policy

private func judge(_ question: Question, _ lines: String = "") throws -> LookupJudgement {
    let text = changed("    lookups: fhir\n", "    lookups: fhir\n" + lines)
    return Rulebook(try configuration(text)).judge(question, route: 0)
}

private func search(vague: Vagueness? = nil) -> Question {
    var question = Question(.search)
    question.vagueness = vague
    return question
}

private func batch(of asked: [Interaction]) -> Question {
    var question = Question(.batch)
    for interaction in asked { question.interactions.insert(Interactions(interaction)) }
    question.lookups = asked.count
    return question
}

@Suite struct `A judgement` {
    @Test(arguments: Interaction.allCases)
    func `lets pass what is bounded, and nothing else`(interaction: Interaction) throws {
        let judgement = try judge(Question(interaction))
        if interaction.isUnbounded {
            #expect(judgement == .refused(.interactionNotAllowed(route: 0, interaction)))
        } else {
            #expect(judgement == .passes(lookups: interaction.isLookup ? 1 : 0))
        }
    }

    @Test func `lets pass what the route lists, and nothing else`() throws {
        let lines = "    interactions: [read, export]\n"
        #expect(try judge(Question(.export), lines) == .passes(lookups: 1))
        #expect(
            try judge(Question(.search), lines)
                == .refused(.interactionNotAllowed(route: 0, .search)))
    }

    @Test func `of a batch asks for all that is in it`() throws {
        #expect(try judge(batch(of: [.read, .search, .feed])) == .passes(lookups: 3))
        #expect(
            try judge(batch(of: [.read, .historySystem]))
                == .refused(.interactionNotAllowed(route: 0, .historySystem)))
        #expect(
            try judge(batch(of: [.read]), "    interactions: [read]\n")
                == .refused(.interactionNotAllowed(route: 0, .batch)))
    }

    @Test func `of a vague search refuses, weighs or allows`() throws {
        for vagueness in Vagueness.allCases {
            let question = search(vague: vagueness)
            #expect(try judge(question) == .refused(.tooVague(route: 0, vagueness)))
            #expect(try judge(question, "    vague: weigh\n") == .passes(lookups: 10))
            #expect(try judge(question, "    vague: allow\n") == .passes(lookups: 1))
        }
        #expect(try judge(search(), "    vague: weigh\n") == .passes(lookups: 1))
    }

    @Test func `weighs by what is asked, by the heaviest of a batch, and never overflows`() throws {
        let lines = "    weights: {search: 5, match: 3}\n    vague: weigh\n    vague_weight: 1000\n"
        #expect(try judge(search(), lines) == .passes(lookups: 5))
        #expect(try judge(search(vague: .shortName), lines) == .passes(lookups: 5000))
        #expect(try judge(batch(of: [.read, .search, .match]), lines) == .passes(lookups: 15))
        var endless = search(vague: .shortName)
        endless.lookups = .max
        #expect(try judge(endless, lines) == .passes(lookups: .max))
        endless.lookups = .min
        #expect(try judge(endless, lines) == .passes(lookups: 0))
    }

    @Test(arguments: [
        (Decision.interactionNotAllowed(route: 0, .export), 403, "route fhir: interactions", 16),
        (.interactionNotAllowed(route: 0, .operation), 403, "route fhir: operations", 17),
        (.tooVague(route: 0, .noCriterion), 403, "route fhir: vague", 18),
        (.questionNotUnderstood(route: 0, .bodyNotUnderstood), 400, "route fhir: lookups", 12),
    ])
    func `names the key that refuses`(
        decision: Decision, status: Int, name: String, line: Int
    ) throws {
        let text = changed(
            "    lookups: fhir\n",
            "    lookups: fhir\n    interactions: [read]\n    operations: [lastn]\n"
                + "    vague: refuse\n")
        let rule = Rulebook(try configuration(text)).rule(of: decision)
        #expect(decision.status == status)
        #expect(decision.route == 0)
        #expect(rule == Rule(name: name, place: rule.place))
        #expect(rule.place?.line == line)
    }

    @Test func `counts nothing where nothing is looked up`() throws {
        let rulebook = Rulebook(try configuration(changed("    lookups: fhir\n", "")))
        #expect(rulebook.judge(Question(.search), route: 0) == .passes(lookups: 0))
    }
}
