// RefusedConfigurations.swift: each mistake, and the one line it is answered with.

import Testing

@testable import Policy

@Suite struct `A configuration` {
    @Test func `of a few lines loads without a word`() throws {
        #expect(diagnostics(sample) == [])
        let configuration = try configuration()
        #expect(configuration.state == "state")
        #expect(configuration.control == "state/control.sock")
        #expect(configuration.workers == .auto)
        #expect(configuration.drain == .seconds(30))
        #expect(configuration.durability == .beforeDelivery)
        let listener = configuration.listeners[0]
        #expect(listener.connectionsMax == 20_000)
        #expect(listener.timeouts == Timeouts())
        #expect(listener.tls.clientCertificate == .required)
        #expect(listener.tls.ticketLifetime == .seconds(300))
        #expect(listener.tls.chainDepth == 10)
        let route = configuration.routes[0]
        #expect(route.methods == .standard)
        #expect(route.bodyMax == 1_048_576)
        #expect(route.limits == 0)
        #expect(!route.forwardsClientCertificate)
    }

    @Test func `of the interface's example loads verbatim`() throws {
        #expect(diagnostics(interfaceExample) == [])
        let configuration = try configuration(interfaceExample)
        #expect(
            configuration.limitSets[0].limits.map(\.description)
                == ["600 requests per 1m", "60 patients per 1h", "1500 patients per 30d"])
        #expect(configuration.routes[0].lookups == .fhir)
    }

    @Test(arguments: cases(documents))
    func `is refused where it is no document`(sample: Case) {
        #expect(diagnostics(sample.new) == [sample.line])
    }

    @Test func `is refused when it is not UTF-8, at the byte`() {
        let bytes = Array("state: a\ncontact: h".utf8) + [0xF4, 0x70, 0x0A]
        let loaded = ConfigurationLoader.load(text: bytes, name: "h")
        #expect(
            loaded.diagnostics.map(\.description) == [
                "h:2:11: error: not UTF-8 (save it as UTF-8)"
            ])
    }

    @Test func `is refused when it has more than 4 MiB`() {
        let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: (4 << 20) + 1)
        let loaded = ConfigurationLoader.load(text: bytes, name: "h")
        #expect(
            loaded.diagnostics.map(\.description) == [
                "h:1:1: error: the file has 4194305 bytes, at most 4194304 are read"
            ])
    }

    @Test func `of aliases upon aliases is refused at once`() {
        var text = "a0: &a0 [x, x]\n"
        for level in 1..<40 {
            text += "? &a\(level) [*a\(level - 1), *a\(level - 1)]\n: x\n"
        }
        #expect(
            diagnostics(text) == [
                "h:26:9: error: YAML anchors and aliases are not accepted (write the value out)"
            ])
    }

    @Test(arguments: cases(mistakes))
    func `is refused where it is wrong`(mistake: Case) {
        let said = diagnostics(changed(mistake.old, mistake.new))
        #expect(said.filter { $0.contains(": error: ") } == [mistake.line])
    }

    @Test(arguments: cases(preambles))
    func `is refused where the whole of it is wrong`(preamble: Case) {
        #expect(diagnostics(preamble.new + "\n" + sample) == [preamble.line])
    }

    @Test func `tells everything that is wrong at once, in order`() {
        let text = changed("127.0.0.1:8443", "nowhere") + "extra: 1\nworkers: 0\n"
        #expect(
            diagnostics(text) == [
                "h:3:14: error: `address`: `nowhere` lacks a port (such as `127.0.0.1:8443`)",
                "h:22:1: error: unknown key `extra` in a configuration (known: listeners, "
                    + "identity_servers, routes, neutralization_lists, extractors, alerts, state, "
                    + "control, workers, drain, "
                    + "contact, authentication, neutralized, record, administration, signals, "
                    + "limits)",
                "h:23:10: error: `workers`: 0 is out of range (at least 1, at most 256)",
            ])
    }

    @Test func `is refused for an error that comes after a thousand warnings`() {
        let ids = String(repeating: "899700218897, ", count: 1001) + "899700218896"
        let text = changed("    lookups: fhir", "    allow: {professionals: [\(ids)]}")
        #expect(diagnostics(text).count == 1000)
        let worse = ConfigurationLoader.load(text: Array((text + "unknown: 1\n").utf8))
        #expect(worse.configuration == nil)
        #expect(worse.diagnostics.count == 1001)
    }

    @Test func `shows input without the characters that break or turn a line`() {
        #expect(
            diagnostics("\"a\\u2028b\\u202Ec\": 1\n").first?.hasPrefix(
                "h:1:1: error: unknown key `a\u{FFFD}b\u{FFFD}c` in a configuration") == true)
    }

    @Test func `without listeners, identity servers and routes names what is missing`() {
        #expect(
            diagnostics("routes: []\n") == [
                "h:1:1: error: the configuration needs at least one of `listeners`",
                "h:1:1: error: the configuration needs at least one of `identity_servers`",
                "h:1:1: error: the configuration needs at least one of `routes`",
            ])
    }

    @Test(arguments: [
        (
            "fhir",
            "- name: fhir\n    path: /x\n    identity_server: mpi\n    require: [certificate]",
            "h:18:5: error: duplicate route `fhir` (first at h:12)"
        )
    ])
    func `is refused with the same name twice`(name: String, route: String, line: String) {
        let text = changed("    limits: standard\n", "    limits: standard\n  \(route)\n")
        #expect(diagnostics(text) == [line])
    }

    @Test(arguments: [
        (
            "    limits: standard\n", "",
            [
                "h:12:5: warning: route `fhir` discloses identities without limits (add `limits`)",
                "h:18:3: warning: limits `standard` is not used by any route",
            ]
        ),
        (
            "client_authorities: [persons-ca.pem]", "client_certificate: none",
            [
                "h:2:5: warning: listener `professionals` asks for no client certificate "
                    + "(its routes require one and will answer 401)"
            ]
        ),
        (
            "http://127.0.0.1", "http://10.0.0.1",
            [
                "h:10:17: warning: patients' identities leave this machine in clear text (use https)"
            ]
        ),
        (
            "    limits: standard\n",
            "    limits: standard\n  - name: b\n    path: /fhir/b\n    identity_server: mpi\n"
                + "    methods: [GET]\n    require: [certificate]\n",
            [
                "h:18:5: warning: route `b` is never reached (`fhir` at h:12 comes first)"
            ]
        ),
        (
            "    limits: standard\n",
            "    limits: standard\n  - name: all\n    path: /\n    identity_server: mpi\n"
                + "    require: [certificate]\n",
            [
                "h:13:5: warning: `/fhir`, without the last slash, is refused rather than given to "
                    + "route `all` (add a route with this path)"
            ]
        ),
        (
            "    lookups: fhir", "    allow: {professionals: [899700218897]}",
            [
                "h:15:29: warning: the check digit of `899700218897` does not hold "
                    + "(a mistyped RPPS number?)"
            ]
        ),
    ])
    func `is warned of what is unlikely to be meant`(old: String, new: String, lines: [String]) {
        let loaded = ConfigurationLoader.load(text: Array(changed(old, new).utf8), name: "h")
        #expect(loaded.configuration != nil)
        #expect(loaded.diagnostics.map(\.description) == lines)
    }
}

/// Whole texts (`+`) and the one line each is answered with (`=`).
private let documents = #"""
    +
    = h:1:1: error: the file is empty (nothing but blank lines and comments)

    + # a\n\n
    = h:1:1: error: the file is empty (nothing but blank lines and comments)

    + ---\n
    = h:2:1: error: a configuration must be a mapping, not nothing (write `key: value` lines)

    + - a\n
    = h:1:1: error: a configuration must be a mapping, not a list (write `key: value` lines)

    + state: a\n\tdrain: 1s\n
    = h:2:1: error: a tab character (indent with spaces)

    + state: "é\t"\n
    = h:1:10: error: a tab character (indent with spaces)

    + state: a\u{0}b\n
    = h:1:9: error: a control character (0x0)

    + state: a\rb: c\n
    = h:1:9: error: a carriage return in the middle of a line

    + state: [a\n
    = h:2:1: error: not readable as YAML: did not find expected ',' or ']' (while parsing a flow sequence, which began on line 1)

    + state: a\n b: c\n
    = h:2:3: error: not readable as YAML: mapping values are not allowed in this context

    + state: a\n---\nstate: b\n
    = h:2:1: error: not readable as YAML: but found another document

    + state: &a b\n
    = h:1:8: error: YAML anchors and aliases are not accepted (write the value out)

    + state: !!str a\n
    = h:1:8: error: YAML tags are not accepted (remove the word after `!`)

    + state: !!int "5"\n
    = h:1:8: error: YAML tags are not accepted (remove the word after `!`)

    + ? [a]\n: b\n
    = h:1:3: error: a key must be a word

    + identity_server:\n- name: mpi\nroutes:\n- {name: a, path: /, identity_server: mpi, require: [certificate]}\n
    = h:1:1: error: unknown key `identity_server` in a configuration (did you mean `identity_servers`?)

    + state: *a\n
    = h:1:8: error: not readable as YAML: found undefined alias

    + routes: [[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
    = h:1:73: error: more than 64 brackets are open

    + routes: [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]
    = h:1:24: error: nested deeper than 16 levels

    + state: a\nworkers: 1\nstate: b\n
    = h:3:1: error: duplicate key `state` (first on line 1)

    + record: {durable: none, durable: none}\n
    = h:1:25: error: duplicate key `durable` (first on line 1)

    + record:\n  "durable": none\n  durable: none\n
    = h:3:3: error: duplicate key `durable` (first on line 2)
    """#

/// A piece of the sample (`-`), what stands there instead (`+`), and what is said of it (`=`).
private let mistakes = #"""
    - listeners:
    + liseners:
    = h:1:1: error: unknown key `liseners` in a configuration (did you mean `listeners`?)

    -     lookups:
    +     look_up:
    = h:15:5: error: unknown key `look_up` in a route (did you mean `lookups`?)

    -     limits: standard
    +     limit: standard
    = h:17:5: error: unknown key `limit` in a route (did you mean `limits`?)

    - client_authorities: [
    + client_authorities: persons-ca.pem #
    = h:7:27: error: `client_authorities` must be a list, not text (write `[a, b]` or lines that begin with `- `)

    -       client_authorities: [persons-ca.pem]\n
    +
    = h:5:7: error: `tls` needs `client_authorities` (who signs the professionals' certificates; the system's store is never used)

    - [persons-ca.pem]
    + []
    = h:7:7: error: `client_authorities` is empty (nobody could prove anything)

    - [persons-ca.pem]
    + [""]
    = h:7:28: error: `client_authorities`: `` is not a path

    -       private_key: server.key\n
    +
    = h:5:7: error: `tls` needs `private_key`

    - 127.0.0.1:8443
    + gate.example.org:8443
    = h:3:14: error: `address`: `gate.example.org` is not an IP address (such as `127.0.0.1:8443` or `[::]:8443`)

    - 127.0.0.1:8443
    + 127.0.0.1
    = h:3:14: error: `address`: `127.0.0.1` lacks a port (such as `127.0.0.1:8443`)

    - 127.0.0.1:8443
    + 127.0.0.1:65536
    = h:3:14: error: `address`: `65536` is not a port (0 to 65535)

    - 127.0.0.1:8443
    + 256.0.0.1:1
    = h:3:14: error: `address`: `256.0.0.1` is neither a host name nor an IP address

    - 127.0.0.1:8443
    + ::1:8443
    = h:3:14: error: `address`: `::1:8443` has several colons (write an IPv6 address in brackets)

    - 127.0.0.1:8443
    + "[::g]:8443"
    = h:3:14: error: `address`: `::g` is not an IPv6 address

    - 127.0.0.1:8443
    + {}
    = h:3:14: error: `address` must be a single value, not a mapping

    - 127.0.0.1:8443
    +
    = h:3:13: error: `address` has no value

    -     address: 127.0.0.1:8443\n
    +
    = h:2:5: error: a listener needs `address`

    - http://127.0.0.1:9000
    + ftp://127.0.0.1
    = h:10:17: error: `endpoints`: `ftp://127.0.0.1` is not an http or https URL (such as `https://mpi.example.org:9443`)

    - http://127.0.0.1:9000
    + http://127.0.0.1:9000/fhir
    = h:10:17: error: `endpoints`: `/fhir` after the port is not allowed (the request's own path is sent, unchanged)

    - http://127.0.0.1:9000
    + http://a@127.0.0.1:9000
    = h:10:17: error: `endpoints`: a user name in a URL is not allowed (such as `https://mpi.example.org:9443`)

    - http://127.0.0.1:9000
    + http://-a:9000
    = h:10:17: error: `endpoints`: `-a` is neither a host name nor an IP address

    - http://127.0.0.1:9000
    + https://127.0.0.1:9000
    = h:10:17: error: an https endpoint needs `authorities` (who signs the identity server's certificate; the system's store is never used)

    - ["http://127.0.0.1:9000"]
    + []
    = h:10:5: error: `endpoints` is empty

    - ["http://127.0.0.1:9000"]
    + ["http://127.0.0.1:9000", "http://127.0.0.1:9000"]
    = h:10:42: error: duplicate endpoint `127.0.0.1:9000`

    - name: fhir
    + name: "f h"
    = h:12:11: error: `name`: `f h` is not a name (1 to 64 letters, digits, `.`, `_`, `-`)

    - path: /fhir/
    + path: fhir
    = h:13:11: error: `path`: `fhir` does not begin with `/`

    - path: /fhir/
    + path: /a/../b
    = h:13:11: error: `path`: `/a/../b` has a segment of dots

    - path: /fhir/
    + path: /a//
    = h:13:11: error: `path`: `/a//` has an empty segment

    - path: /fhir/
    + path: /a?b
    = h:13:11: error: `path`: `/a?b` has a query (routes are chosen by path alone)

    - path: /fhir/
    + path: /a%41
    = h:13:11: error: `path`: `/a%41` has `%`, which no path may (write it as the decoded path, in letters, digits and `-._~!$&'()*+,=:@`)

    -     lookups: fhir
    +     lookups: fihr
    = h:15:14: error: `lookups`: unknown value `fihr` (did you mean `fhir`?)

    -     identity_server: mpi
    +     identity_server: mip
    = h:14:22: error: `identity_server`: unknown identity server `mip` (did you mean `mpi`?)

    -     limits: standard
    +     limits: standart
    = h:17:13: error: `limits`: unknown limits `standart` (did you mean `standard`?)

    -     require: [certificate]\n
    +
    = h:12:5: error: a route needs `require`

    -     require: [certificate]
    +     require: []
    = h:16:5: error: `require` is empty (nothing passes unproven: `[certificate]`)

    -     require: [certificate]
    +     require: [pam+totp]
    = h:16:5: error: route `fhir` requires `pam+totp`, but there are no local accounts (add `accounts` to `authentication`)

    -     require: [certificate]
    +     require: [token]
    = h:16:5: error: route `fhir` requires `token`, but no issuer's are accepted (add `tokens` to an issuer)

    -     require: [certificate]
    +     require: [session]
    = h:16:5: error: route `fhir` requires `session`, but nobody can sign in (add `providers` to `authentication.sign_in`)

    -     require: [certificate]
    +     require: [certificate]\n    level: highest
    = h:17:12: error: `level`: unknown value `highest` (known: low, substantial, high)

    -     require: [certificate]
    +     require: [certificate]\n    max_age: 31d
    = h:17:14: error: `max_age`: 31d is out of range (at least 1s, at most 30d)

    -     require: [certificate]
    +     require: [certificate]\n    basic: true
    = h:17:5: error: `basic` needs `pam+totp` in `require` (a password alone proves nothing: it is followed by the six digits)

    -     require: [certificate]
    +     require: [certificate]\n    machines: {limits: standard}
    = h:17:15: error: `machines` names nobody (`names`, the CN of certificates, or `structures`, or both)

    -     require: [certificate]
    +     require: [certifcate]
    = h:16:15: error: `require`: unknown value `certifcate` (did you mean `certificate`?)

    -     lookups: fhir
    +     methods: [TRACE]
    = h:15:15: error: `methods`: `TRACE` is never forwarded

    -     lookups: fhir
    +     methods: [get]
    = h:15:15: error: `methods`: unknown method `get` (did you mean `GET`?)

    -     lookups: fhir
    +     methods: []
    = h:15:5: error: `methods` is empty

    -     lookups: fhir
    +     body_max: 2G
    = h:15:15: error: `body_max`: `2G` is not a size (a number of bytes, or `64k`, `10M`)

    -     lookups: fhir
    +     body_max: 1025M
    = h:15:15: error: `body_max`: 1025M is out of range (at most 1024M)

    -     lookups: fhir
    +     listeners: [pros]
    = h:15:17: error: `listeners`: unknown listener `pros` (known: professionals)

    -     lookups: fhir
    +     forward: {client_cert: yes}
    = h:15:28: error: `client_cert`: `yes` is neither `true` nor `false`

    -     lookups: fhir
    +     allow: {professionals: [Durand]}
    = h:15:29: error: `professionals`: `Durand` is not a professional's national identifier (such as `899700218896`: `8` and the RPPS number, `0` and the ADELI number)

    - count: requests
    + count: request
    = h:20:15: error: `count`: unknown value `request` (did you mean `requests`?)

    - limit: 600
    + limit: 0
    = h:20:32: error: `limit`: 0 is out of range (at least 1, at most 1000000000)

    - limit: 600
    + limit: "600"
    = h:20:32: error: `limit`: `600` is not a number (a whole number of 1 to 1000000000, unquoted)

    - limit: 600
    + limit: 99999999999999999999
    = h:20:32: error: `limit`: `99999999999999999999` is not a number (a whole number of 1 to 1000000000, unquoted)

    - per: 1m
    + per: 1 minute
    = h:20:42: error: `per`: `1 minute` is not a duration (a number and its unit: `10s`, `5m`, `1h`, `30d`)

    - per: 1m
    + per: 401d
    = h:20:42: error: `per`: 401d is out of range (at least 1s, at most 400d)

    - per: 1m
    + per: 999999999999999999d
    = h:20:42: error: `per`: `999999999999999999d` is not a duration (a number and its unit: `10s`, `5m`, `1h`, `30d`)

    - per: 1m
    + per: 1m, enforce: step-down
    = h:20:55: error: `enforce`: unknown value `step-down` (known: deny, shadow, step-up)

    - per: 1m}
    + per: 1m}\n    - {count: requests, limit: 5, per: 60s}
    = h:21:7: error: limits `standard` limits requests per 1m twice (first at h:20)

    -     - {count: requests, limit: 600, per: 1m}\n    - {count: patients, limit: 60, per: 1h}\n
    +     []\n
    = h:19:3: error: limits `standard` has no limit
    """#

/// Lines put before the sample (`+`), and what is said of them (`=`).
private let preambles = #"""
    + workers: 0
    = h:1:10: error: `workers`: 0 is out of range (at least 1, at most 256)

    + workers: many
    = h:1:10: error: `workers`: `many` is not a number (a whole number of 1 to 256, unquoted)

    + drain: 2h
    = h:1:8: error: `drain`: 2h is out of range (at least 0s, at most 1h)

    + contact: |\n  a\n  b
    = h:1:10: error: `contact`: not one line of 1 to 200 characters

    + administration: {four_eyes: [mass]}
    = h:1:18: error: `four_eyes` needs at least two `approvers` (else nothing it holds could ever be approved)

    + administration: {four_eyes: [all]}
    = h:1:30: error: `four_eyes`: unknown value `all` (known: mass, reinstate, grant, purge)

    + administration: {within: 5s}
    = h:1:26: error: `within`: 5s is out of range (at least 1m, at most 1d)

    + administration: {mass: 1}
    = h:1:24: error: `mass`: 1 is out of range (at least 2, at most 100000)

    + administration: {approvers: [{name: alice}]}
    = h:1:30: error: an approver needs `key`

    + record: {durable: never}
    = h:1:19: error: `durable`: unknown value `never` (known: before-delivery, grouped, none)

    + record: before-delivery
    = h:1:9: error: `record` must be a mapping, not text (write `key: value` lines)

    + authentication: {certificate: {professional_id: CM}}
    = h:1:49: error: `professional_id`: unknown attribute `CM` (did you mean `CN`?)

    + authentication: {certificate: {organisations: yes}}
    = h:1:47: error: `organisations`: unknown value `yes` (known: refuse, accept)

    + control: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    = h:1:10: error: the path of the admin socket has 108 bytes, at most 107 are possible (set `control`)
    """#

/// The example of the operator's interface, version 1.
private let interfaceExample = """
    state: ./state                     # durable state, made 0700; paths are relative to this file
    control: ./state/control.sock      # admin socket, 0600, peer checked by SO_PEERCRED
    workers: auto                      # data-plane threads: auto (one per core) or a number

    listeners:
      - name: professionals
        address: 127.0.0.1:8443        # host:port, [v6]:port
        tls:
          certificate: server.pem      # chain
          private_key: server.key
          client_certificate: required # required | optional | none
          client_authorities: [persons-ca.pem]
          revocation_lists: []         # X.509 CRLs, PEM or DER

    identity_servers:
      - name: mpi
        endpoints: ["http://127.0.0.1:9000"]   # https:// with `authorities`, `client_certificate`…

    authentication:
      certificate:
        professional_id: CN            # attribute of the subject, read from ASN.1 (multi-valued RDNs)

    routes:                            # first match wins; what matches none is 404 and never forwarded
      - name: fhir
        path: /fhir/                   # prefix when it ends in "/", else exact
        methods: [GET, POST]           # default: GET, HEAD, POST
        identity_server: mpi
        lookups: fhir                  # fhir | hl7v3 | insi | none | a declared extractor
        require: [certificate]         # accepted ways to prove identity
        limits: standard

    limits:
      standard:
        - {count: requests, limit: 600, per: 1m}
        - {count: patients, limit: 60, per: 1h}              # distinct persons disclosed
        - {count: patients, limit: 1500, per: 30d, enforce: shadow}

    neutralized: neutralized.list      # the operator's own list, reread by `herse reload`
    record: {durable: before-delivery}   # before-delivery (default) | grouped | none (named in status as degraded)
    """
