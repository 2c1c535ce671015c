// Routes.swift: which route a request meets, and that it cannot choose another.

import Testing

@testable import Policy

/// Routes `PATH METHOD…`, named by their index, all to one identity server.
private func table(_ routes: [String]) throws -> RouteTable {
    var text = sample
    let head = text.firstRange(of: "  - name: fhir")?.lowerBound ?? text.startIndex
    let tail = text.firstRange(of: "limits:\n  standard")?.lowerBound ?? text.endIndex
    let lines = routes.enumerated().map { index, route in
        let words = route.split(separator: " ")
        let methods = words.dropFirst().joined(separator: ", ")
        return "  - name: r\(index)\n    path: \"\(words[0])\"\n    identity_server: mpi\n"
            + "    require: [certificate]\n"
            + (methods.isEmpty ? "" : "    methods: [\(methods)]\n")
    }
    text.replaceSubrange(head..<tail, with: lines.joined())
    return RouteTable(try configuration(text).routes)
}

private func match(
    _ table: RouteTable, _ path: String, _ method: String = "GET", listener: Int = 0
) -> RouteMatch {
    let path = Array(path.utf8)
    let method = Array(method.utf8)
    return table.match(path: path.span, method: Method(method.span), listener: listener)
}

@Suite struct `A request's route` {
    @Test(arguments: [
        ("/fhir/", "GET", RouteMatch.route(0)),
        ("/fhir/Patient/1", "GET", .route(0)),
        ("/fhir/Patient/1", "POST", .route(0)),
        ("/fhir/Patient/1", "PUT", .methodNotAllowed),
        ("/fhir/Patient/1", "get", .methodNotAllowed),
        ("/fhir/Patient/1", "CONNECT", .methodNotAllowed),
        ("/fhir/Patient/1", "", .methodNotAllowed),
        ("/fhi", "GET", .unknown),
        ("/fhirx", "GET", .unknown),
        ("/status", "GET", .route(1)),
        ("/statusx", "GET", .unknown),
        ("/status/x", "GET", .unknown),
        ("/write", "GET", .route(2)),
        ("/write", "PUT", .route(3)),
        ("/write", "DELETE", .methodNotAllowed),
        ("/", "GET", .unknown),
        ("*", "OPTIONS", .unknown),
    ])
    func `is the first that matches`(path: String, method: String, route: RouteMatch) throws {
        let table = try table(["/fhir/", "/status", "/write GET", "/write PUT"])
        #expect(match(table, path, method) == route)
    }

    @Test(arguments: [
        // The same path in other writings meets the same route.
        ("/fhir/Patient/1", RouteMatch.route(0)),
        ("/%66hir/Patient/1", .route(0)),
        ("/fhir/%50atient/1", .route(0)),
        ("/fhir/%50%61%74%69%65%6e%74/1", .route(0)),
        ("/fhir/Patient%2D1", .route(1)),
        ("/fhir/Patient/Jos%C3%A9", .route(0)),
        ("/fhir/Patient/a%20b", .route(0)),
        ("/fhir/%24export", .route(2)),
        ("/fhir/$export", .route(2)),
        ("/fhir/Encounter", .route(3)),
        // Writings that servers read differently are refused.
        ("/fhir%2FPatient/1", .ambiguous),
        ("/fhir/Patient%2f1", .ambiguous),
        ("/fhir/Patient%5C1", .ambiguous),
        ("/fhir/Patient\\1", .ambiguous),
        ("/fhir/Patient;x=1/1", .ambiguous),
        ("/fhir/Patient%3Bx/1", .ambiguous),
        ("/fhir/..;/Patient", .ambiguous),
        ("/fhir/../admin", .ambiguous),
        ("/fhir/%2e%2e/admin", .ambiguous),
        ("/fhir/.%2E/admin", .ambiguous),
        ("/fhir/%2e/Patient", .ambiguous),
        ("/fhir/..", .ambiguous),
        ("/fhir/.", .ambiguous),
        ("/fhir/%2e", .ambiguous),
        ("/fhir//Patient", .ambiguous),
        ("//fhir/Patient", .ambiguous),
        ("/fhir/%00", .ambiguous),
        ("/fhir/Patient%00/1", .ambiguous),
        ("/fhir/%0d%0a", .ambiguous),
        ("/fhir/%2550atient", .ambiguous),
        ("/fhir/Patient%3Fx", .ambiguous),
        ("/fhir/Patient%23x", .ambiguous),
        ("/fhir/Patient?x", .ambiguous),
        ("/fhir/Patient#x", .ambiguous),
        ("/fhir/%C0%AFx", .ambiguous),
        ("/fhir/%E0%80%AF", .ambiguous),
        ("/fhir/%ED%A0%80", .ambiguous),
        ("/fhir/%F5%80%80%80", .ambiguous),
        ("/fhir/%C3", .ambiguous),
        ("/fhir/%C3a", .ambiguous),
        ("/fhir/%A9", .ambiguous),
        ("/fhir/é", .ambiguous),
        ("/fhir/a b", .ambiguous),
        ("/fhir/%", .ambiguous),
        ("/fhir/%6", .ambiguous),
        ("/fhir/%6g", .ambiguous),
        ("", .ambiguous),
        ("fhir/", .ambiguous),
        ("http://h/fhir/", .ambiguous),
        // Writings a lenient server takes for the earlier route do not reach the later one.
        ("/fhir/patient/1", .ambiguous),
        ("/fhir/PATIENT/1", .ambiguous),
        ("/fhir/%70atient/1", .ambiguous),
        ("/fhir/Patient", .ambiguous),
        ("/fhir/$export/", .ambiguous),
        ("/fhir/$EXPORT", .ambiguous),
        // Where no later route would take it, it is simply unknown.
        ("/FHIR/Patient/1", .unknown),
        // What looks alike and is not stays apart.
        ("/fhir/Patients/1", .route(3)),
        ("/fhir/...", .route(3)),
        ("/fhir/Patient-2", .route(3)),
    ])
    func `cannot be evaded by writing the path another way`(
        path: String, route: RouteMatch
    ) throws {
        let table = try table(["/fhir/Patient/", "/fhir/Patient-1", "/fhir/$export", "/fhir/"])
        #expect(match(table, path) == route)
    }

    @Test(arguments: [
        ("/App/Status", RouteMatch.route(0)), ("/app/status", .route(1)),
        ("/app/Status", .ambiguous), ("/list", .route(3)), ("/list/", .route(4)),
        ("/list/1", .route(4)), ("/LIST", .ambiguous), ("/other", .route(5)),
    ])
    func `follows the operator who told near paths apart`(path: String, route: RouteMatch) throws {
        let table = try table([
            "/App/Status", "/app/status", "/LIST POST", "/list", "/list/", "/",
        ])
        #expect(match(table, path) == route)
    }

    @Test func `is of the listener the request came in by`() throws {
        let text = changed(
            "    limits: standard\n", "    limits: standard\n    listeners: [professionals]\n")
        let table = RouteTable(try configuration(text).routes)
        #expect(match(table, "/fhir/", listener: 0) == .route(0))
        for listener in [1, 63, 64, -1, .max, .min] {
            #expect(match(table, "/fhir/", listener: listener) == .unknown)
        }
    }

    @Test func `is found without a trap, whatever the path`() throws {
        let table = try table(["/fhir/Patient/", "/fhir/Patient-1", "/fhir/"])
        let seed: UInt64 = 0x5EED
        var random = Seeded(seed)
        let alphabet = Array("/%.;fhirPatent-12eE cC3aA9\u{0}".utf8) + [0xC3, 0xFF, 0x80]
        for _ in 0..<20_000 {
            let path = (0..<Int(random.next() % 24)).map { _ in
                alphabet[Int(random.next() % UInt64(alphabet.count))]
            }
            _ = table.match(path: path.span, method: .get, listener: 0)
        }
    }
}

/// SplitMix64: the same numbers from the same seed.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
