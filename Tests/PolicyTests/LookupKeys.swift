// LookupKeys.swift: the keys by which patients are counted: of routes, limits and extractors.

import Lookup
import Testing

@testable import Policy

/// The sample's route with these lines added.
private func withRoute(_ lines: String, lookups: String = "fhir") -> String {
    changed("    lookups: fhir\n", "    lookups: \(lookups)\n\(lines)")
}

@Suite struct `A route of lookups` {
    @Test func `refuses what is unbounded or vague unless it says otherwise`() throws {
        let rules = try #require(try configuration().routes[0].lookupRules)
        #expect(rules.interactions.rawValue == Interactions.standard.rawValue)
        #expect(rules.operations.isEmpty)
        #expect(rules.vague == .refuse)
        #expect(rules.countMax == 50)
        #expect(rules.weight(of: .standard) == 1)
        #expect(rules.unparsed == .withhold)
        #expect(rules.answerMax == 8 << 20)
        #expect(rules.breakGlass == nil)
    }

    @Test func `says all it can say`() throws {
        let text = changed(
            "    lookups: fhir\n",
            """
                lookups: fhir
                interactions: [read, search, batch]
                operations: [lastn, x-y]
                vague: weigh
                vague_weight: 7
                count_max: 20
                weights: {search: 5, batch: 2}
                unparsed: charge
                unparsed_charge: 40
                answer_max: 64k
                break_glass: {header: X-Emergency, limits: glass}

            """)
        let configuration = try configuration(
            text + "  glass:\n    - {count: patients, limit: 600, per: 1d}\n")
        let route = configuration.routes[0]
        let rules = try #require(route.lookupRules)
        #expect(
            rules.interactions.rawValue
                == ([Interactions(.read), Interactions(.search), Interactions(.batch)]
                as Interactions).rawValue)
        #expect(rules.operations == ["lastn", "x-y"])
        #expect(rules.vague == .weigh(7))
        #expect(rules.countMax == 20)
        #expect(rules.weight(of: Interactions(.read)) == 1)
        #expect(rules.weight(of: [Interactions(.batch), Interactions(.search)]) == 5)
        #expect(rules.unparsed == .charge(40))
        #expect(rules.answerMax == 65_536)
        #expect(rules.breakGlass?.header == "x-emergency")
        #expect(rules.breakGlass?.limits == 1)
    }

    @Test func `has no rules where nothing is looked up`() throws {
        let configuration = try configuration(changed("    lookups: fhir\n", ""))
        #expect(configuration.routes[0].lookups == .none)
        #expect(configuration.routes[0].lookupRules == nil)
    }

    @Test func `may name an extractor`() throws {
        let configuration = try configuration(
            """
            extractors:
              - {name: other, language: regex, person: "id=([0-9]+)"}
              - name: portal
                language: json-pointer
                person: /patients/*/id
                fields: {name: /patients/*/name, birth-date: /patients/*/born}
                count: /total

            """ + changed("lookups: fhir", "lookups: portal"))
        #expect(configuration.routes[0].lookups == .declared(1))
        let extractor = configuration.extractors[1]
        #expect(extractor.language == .jsonPointer)
        #expect(extractor.person.text == "/patients/*/id")
        #expect(extractor.fields.map(\.field) == [.name, .birthDate])
        #expect(extractor.count?.text == "/total")
    }

    @Test(arguments: cases(routeMistakes))
    func `is refused where it is wrong`(mistake: Case) {
        let said = diagnostics(changed("    lookups: fhir\n", mistake.new))
        #expect(said.filter { $0.contains(": error: ") } == [mistake.line])
    }

    @Test func `is warned of what no limit can bound`() {
        #expect(
            diagnostics(withRoute("    interactions: [read, export]\n")) == [
                "h:16:26: warning: one answer to `export` can hold every patient there is "
                    + "(keep its route to few `allow.professionals`, and its limits low)"
            ])
        #expect(
            diagnostics(changed("    - {count: patients, limit: 60, per: 1h}\n", "")) == [
                "h:19:3: warning: limits `standard` count no patients, though route `fhir` "
                    + "discloses them (add `{count: patients, limit: 600, per: 30d}`)"
            ])
    }
}

@Suite struct `A limit` {
    private func limits(_ text: String) throws -> [Limit] {
        try configuration(
            changed("    - {count: requests, limit: 600, per: 1m}\n", text)
        ).limitSets[0].limits
    }

    @Test func `counts any of five things`() throws {
        let lines = Limit.Count.allCases.map {
            "    - {count: \($0.rawValue), limit: 5, per: 9d}\n"
        }
        let limits = try limits(lines.joined())
        #expect(limits.dropLast().map(\.count) == Limit.Count.allCases)
    }

    @Test func `may hold for some titles and structures only`() throws {
        let text = """
                - {count: requests, limit: 1, per: 1s}
                - {count: requests, limit: 2, per: 1s, roles: [Médecin, sage-femme]}
                - {count: requests, limit: 3, per: 1s, structures: [10B0152872]}
                - {count: requests, limit: 4, per: 1s, roles: [médecin], structures: [10B0152872]}
                - {count: requests, limit: 5, per: 1s, each: structure}

            """
        let set = try configuration(
            changed("    - {count: requests, limit: 600, per: 1m}\n", text)
        ).limitSets[0]
        let here = Array("10b0152872".utf8)
        let none: [UInt8] = []
        #expect(set.applying(titles: [" MÉDECIN "], structure: here.span) == 0b111111)
        #expect(set.applying(titles: ["Interne", "Sage-Femme"], structure: none.span) == 0b110011)
        #expect(set.applying(titles: [], structure: here.span) == 0b110101)
        #expect(set.limits[4].each == .structure)
        #expect(
            set.limits.dropLast().map(\.description) == [
                "1 requests per 1s", "2 requests per 1s for some roles",
                "3 requests per 1s for some structures",
                "4 requests per 1s for some roles for some structures",
                "5 requests per 1s and structure",
            ])
    }

    @Test func `that steps up asks for a card shown lately`() throws {
        let limits = try limits(
            """
                - {count: requests, limit: 1, per: 1s, enforce: step-up}
                - {count: requests, limit: 1, per: 2s, enforce: step-up, max_age: 1h}

            """)
        #expect(limits[0].cardAgeMax == .seconds(300))
        #expect(limits[1].cardAgeMax == .seconds(3600))
        #expect(limits[2].cardAgeMax == nil)
    }

    @Test(arguments: cases(limitMistakes))
    func `is refused where it is wrong`(mistake: Case) {
        let text = changed("count: requests, limit: 600, per: 1m", mistake.new)
        #expect(diagnostics(text) == [mistake.line])
    }
}

@Suite struct `An identity server` {
    @Test(arguments: [
        ("1.2.250.1.213.1.4.8", "urn:oid:1.2.250.1.213.1.4.8"),
        ("urn:oid:1.2.3", "urn:oid:1.2.3"),
        ("URN:OID:1.2.3", "urn:oid:1.2.3"),
        ("https://mpi.example.org/id", "https://mpi.example.org/id"),
    ])
    func `may name its canonical identifier`(text: String, system: String) throws {
        let configuration = try configuration(
            changed("  - name: mpi\n", "  - name: mpi\n    canonical_identifier: \(text)\n"))
        #expect(configuration.identityServers[0].canonicalSystem == system)
    }

    @Test(arguments: ["urn:oid:1", "urn:oid:1.02", "urn:oid:3.1", "mpi", "1.2.", "a b", ":x", "x:"])
    func `is refused one that is no system`(text: String) {
        let said = diagnostics(
            changed("  - name: mpi\n", "  - name: mpi\n    canonical_identifier: \"\(text)\"\n"))
        #expect(said.count == 1)
        #expect(said.first?.hasPrefix("h:10:27: error: `canonical_identifier`: `") == true)
    }
}

@Suite struct `An extractor` {
    @Test(arguments: cases(extractorMistakes))
    func `is refused where it is wrong`(mistake: Case) {
        let text = "extractors:\n  - {\(mistake.new)}\n" + sample
        #expect(diagnostics(text).filter { $0.contains(": error: ") } == [mistake.line])
    }
}

/// What stands instead of the sample's `lookups: fhir` (`+`), and what is said of it (`=`).
private let routeMistakes = #"""
    +     vague: allow\n
    = h:15:5: error: `vague` has no meaning on a route without lookups (say what is spoken: `lookups: fhir`, `hl7v3`, `insi`, or an extractor)

    +     lookups: none\n    interactions: [read]\n
    = h:16:5: error: `interactions` has no meaning on a route without lookups (say what is spoken: `lookups: fhir`, `hl7v3`, `insi`, or an extractor)

    +     lookups: fhri\n    vague: allow\n
    = h:15:14: error: `lookups`: unknown value `fhri` (did you mean `fhir`?)

    +     lookups: insi\n    vague: allow\n
    = h:16:5: error: `vague` has no meaning where `lookups` is `insi` (it goes with `lookups: fhir` or `hl7v3`)

    +     lookups: hl7v3\n    operations: [lastn]\n
    = h:16:5: error: `operations` has no meaning where `lookups` is `hl7v3` (it goes with `lookups: fhir`)

    +     lookups: fhir\n    interactions: []\n
    = h:16:5: error: `interactions` is empty (remove it to mean all but the unbounded)

    +     lookups: fhir\n    interactions: [serach]\n
    = h:16:20: error: `interactions`: unknown interaction `serach` (did you mean `search`?)

    +     lookups: fhir\n    interactions: [read, read]\n
    = h:16:26: error: duplicate interaction `read`

    +     lookups: insi\n    interactions: [search]\n
    = h:16:20: error: `interactions`: `search` cannot be asked where `lookups` is insi (known there: capabilities, ins-by-traits, ins-by-card, unknown)

    +     lookups: fhir\n    operations: [$lastn]\n
    = h:16:18: error: `operations`: `$lastn` begins with `$` (write the name alone)

    +     lookups: fhir\n    vague: refused\n
    = h:16:12: error: `vague`: unknown value `refused` (did you mean `refuse`?)

    +     lookups: fhir\n    vague_weight: 5\n
    = h:16:5: error: `vague_weight` goes with `vague: weigh` only

    +     lookups: fhir\n    vague: weigh\n    vague_weight: 1\n
    = h:17:19: error: `vague_weight`: 1 is out of range (at least 2, at most 1000)

    +     lookups: fhir\n    count_max: 0\n
    = h:16:16: error: `count_max`: 0 is out of range (at least 1, at most 1000)

    +     lookups: fhir\n    weights: 5\n
    = h:16:14: error: `weights` must be a mapping, not text (such as `{match: 5}`)

    +     lookups: fhir\n    weights: {feed: 5}\n
    = h:16:15: error: `weights`: `feed` discloses nobody, so it counts for nothing

    +     lookups: fhir\n    weights: {match: 0}\n
    = h:16:22: error: `match`: 0 is out of range (at least 1, at most 1000)

    +     lookups: fhir\n    weights: {macth: 2}\n
    = h:16:15: error: `weights`: unknown interaction `macth` (did you mean `match`?)

    +     lookups: fhir\n    unparsed_charge: 5\n
    = h:16:5: error: `unparsed_charge` goes with `unparsed: charge` only

    +     lookups: fhir\n    answer_max: 1k\n
    = h:16:17: error: `answer_max`: 1k is out of range (at least 64k, at most 256M)

    +     lookups: fhir\n    answer_max: 257M\n
    = h:16:17: error: `answer_max`: 257M is out of range (at least 64k, at most 256M)

    +     lookups: fhir\n    break_glass: yes\n
    = h:16:18: error: `break_glass` must be a mapping, not text (write `key: value` lines)

    +     lookups: fhir\n    break_glass: {header: X-Emergency}\n
    = h:16:18: error: `break_glass` needs `limits`

    +     lookups: fhir\n    break_glass: {header: X-Emergency, limits: standard}\n
    = h:16:48: error: `limits`: `standard` are the route's own limits (whoever breaks the glass is counted by other limits)

    +     lookups: fhir\n    break_glass: {header: X-Emergency, limits: glas}\n
    = h:16:48: error: `limits`: unknown limits `glas` (known: standard)
    """#

/// What stands instead of the sample's first limit (`+`), and what is said of it (`=`).
private let limitMistakes = #"""
    + count: patient, limit: 5, per: 1m
    = h:20:15: error: `count`: unknown value `patient` (did you mean `patients`?)

    + count: requests, limit: 5, per: 1m, max_age: 5m
    = h:20:44: error: `max_age` goes with `enforce: step-up` only (it is how long ago the card may have been shown)

    + count: requests, limit: 5, per: 1m, enforce: step-up, max_age: 2h
    = h:20:71: error: `max_age`: 2h is out of range (at least 1s, at most 1h)

    + count: requests, limit: 5, per: 1m, each: structures
    = h:20:50: error: `each`: unknown value `structures` (did you mean `structure`?)

    + count: requests, limit: 5, per: 1m, roles: []
    = h:20:44: error: `roles` is empty (remove it to mean everybody)

    + count: requests, limit: 5, per: 1m, structures: [X]
    = h:20:57: error: `structures`: `X` is not a structure's national identifier (such as `10B0152872`: `1` and the FINESS number, `3` and the SIRET number)

    + count: patients, limit: 5, per: 60m
    = h:21:7: error: limits `standard` limits patients per 1h twice (first at h:20)
    """#

/// The keys of an extractor (`+`), and what is said of them (`=`).
private let extractorMistakes = #"""
    + name: portal, language: regex
    = h:2:5: error: an extractor needs `person`

    + name: fhir, language: regex, person: x
    = h:2:12: error: `name`: `fhir` is a word of `lookups` already (choose another name)

    + name: portal, language: css, person: x
    = h:2:30: error: `language`: unknown value `css` (known: json-pointer, xpath, regex)

    + name: portal, language: regex, person: ""
    = h:2:45: error: `person`: the expression is empty

    + name: portal, language: regex, person: "id=("
    = h:2:45: error: `id=(` is no regular expression: missing closing parenthesis (see character 5)

    + name: portal, language: xpath, person: //id, fields: {name: "//("}
    = h:2:66: error: `//(` is no XPath: not an expression of XPath 1.0 (as in `//tr[@class='patient']/@data-id`; for names in a namespace `*[local-name()='patient']`)

    + name: portal, language: json-pointer, person: /id, count: total
    = h:2:64: error: `total` is no JSON Pointer (begin with `/`, as in `/patients/*/id`; write `~0` for `~`, `~1` for `/`)

    + name: portal, language: regex, person: x, fields: {birth-dat: y}
    = h:2:57: error: unknown key `birth-dat` in `fields` (did you mean `birth-date`?)
    """#
