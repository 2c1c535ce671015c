// PolicyTestFiles.swift: the runner of policy tests, and what it refuses.

import Testing

@testable import Policy

private func run(_ text: String) throws -> PolicyTestRun {
    runPolicyTests(try configuration(), text: Array(text.utf8), name: "t")
}

@Suite struct `A policy test` {
    @Test func `that fails says what was expected, what came, and by which rule`() throws {
        let run = try run(
            """
            - name: a
              request: GET /fhir/Patient?birthdate=1970-01-01
              as: account:899700218896
              after: 600
              expect: allow
              route: fhir
            - name: b
              request: GET /none
              as: none
              expect: deny
              status: 401
              rule: nothing
            - {name: c, request: "GET /fhir/Patient/1", as: 899700218896, expect: allow, rule: route fhir}
            """)
        #expect(run.diagnostics == [])
        #expect(!run.passed)
        #expect(run.results.map(\.passed) == [false, false, true])
        #expect(run.results.map(\.place.line) == [1, 7, 13])
        #expect(run.results[0].expected == "allow on route fhir")
        #expect(
            run.results[0].got
                == "deny 429 on route fhir by `limits standard: 600 requests per 1m` at h:20")
        #expect(run.results[1].expected == "deny 401 by `nothing`")
        #expect(run.results[1].got == "deny 404 by `no route`")
    }

    @Test(arguments: cases(refusedTests))
    func `that cannot be read is refused with its place`(sample: Case) throws {
        let run = try run(sample.new)
        #expect(run.diagnostics.map(\.description) == [sample.line])
        #expect(!run.passed)
    }

    @Test func `is found beside its configuration only`() {
        #expect(policyTestFiles(beside: "/nowhere/herse.yaml") == [])
        #expect(policyTestFiles(beside: "/nowhere") == [])
    }
}

/// Whole texts (`+`) and the one line each is answered with (`=`).
private let refusedTests = #"""
    + name: a\n
    = t:1:1: error: policy tests must be a list, not a mapping (write `- name: …` for each case)

    + - {request: GET /, as: none, expect: deny}
    = t:1:3: error: a policy test needs `name`

    + - {name: a, as: none, expect: deny}
    = t:1:3: error: a policy test needs `request`

    + - {name: a, request: GET, as: none, expect: deny}
    = t:1:22: error: `request`: `GET` is not a request (such as `GET /fhir/Patient`)

    + - {name: a, request: GET /, as: Durand, expect: deny}
    = t:1:33: error: `as`: `Durand` is neither `none` nor `account:` and a national identifier (such as `account:899700218896`)

    + - {name: a, request: GET /, as: none, expect: refuse}
    = t:1:47: error: `expect`: unknown value `refuse` (known: allow, deny)

    + - {name: a, request: GET /, as: none, expect: deny, status: 200}
    = t:1:61: error: `status`: 200 is out of range (at least 400, at most 599)

    + - {name: a, request: GET /, as: none, expect: allow, status: 403}
    = t:1:54: error: `status` goes with `expect: deny` only (the identity server answers what is allowed)

    + - {name: a, request: GET /, as: none, holder: person, expect: deny}
    = t:1:39: error: a `holder` needs `with: certificate`

    + - {name: a, request: GET /, as: none, expect: deny, listener: pros}
    = t:1:3: error: unknown listener `pros` (known: professionals)

    + - {name: a, request: GET /, as: none, expect: deny, route: fihr}
    = t:1:3: error: unknown route `fihr` (did you mean `fhir`?)

    + - {name: a, request: GET /, as: none, expect: deny, afer: 1}
    = t:1:53: error: unknown key `afer` in a policy test (did you mean `after`?)

    + - {name: a, request: GET /, as: none, expect: deny}\n- {name: a, request: GET /, as: none, expect: deny}
    = t:2:3: error: duplicate case `a` (first at t:1)
    """#
