// RecordRules.swift: how the record is kept, as it is read.

import Testing

@testable import Policy

private let key = "partner+0f1e2d3c+BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

@Suite struct `The record's keys` {
    @Test func `have defaults`() throws {
        let rule = try configuration().record
        #expect(rule.place == nil)
        #expect(rule.durability == .beforeDelivery)
        #expect(rule.auditors.isEmpty)
        #expect(!rule.isUnsealed)
        #expect(rule.origin == nil)
        #expect(rule.witnesses.isEmpty)
        #expect(rule.witnessEvery == 60)
        #expect(rule.keep == nil)
        #expect(rule.diskMax == nil)
        #expect(rule.diskFreeMin == 64 << 20)
        #expect(rule.whenFull == .refuse)
    }

    @Test func `are all taken`() throws {
        let rule = try configuration(
            sample + """
                record:
                  durable: grouped
                  auditors: [anne.pem, keys/bela.pem]
                  origin: identities.example.fr/record
                  witnesses:
                    - {name: partner, url: "https://witness.example/add-checkpoint", key: "\(key)", authorities: ca.pem}
                    - {name: siem, syslog: "tls://siem.example", authorities: ca.pem}
                    - {name: vault, file: "/mnt/vault/herse.checkpoints"}
                  witness_every: 10s
                  keep: 1095d
                  disk_max: 200GiB
                  disk_free_min: 2G
                  when_full: purge-oldest

                """
        ).record
        #expect(rule.place?.line == 22)
        #expect(rule.durability == .grouped)
        #expect(rule.auditors.map(\.path) == ["anne.pem", "keys/bela.pem"])
        #expect(rule.origin == "identities.example.fr/record")
        #expect(rule.witnessEvery == 10)
        #expect(rule.keep == 94_608_000)
        #expect(rule.diskMax == 200 << 30)
        #expect(rule.diskFreeMin == 2 << 30)
        #expect(rule.whenFull == .purgeOldest)
        #expect(rule.witnesses.map(\.name) == ["partner", "siem", "vault"])
        guard rule.witnesses.count == 3,
            case .address(let url, let text) = rule.witnesses[0].target,
            case .syslog(let address) = rule.witnesses[1].target,
            case .file(let file) = rule.witnesses[2].target
        else {
            Issue.record("other witnesses")
            return
        }
        #expect(url == "https://witness.example/add-checkpoint")
        #expect(text == key)
        #expect(rule.witnesses[0].authorities?.path == "ca.pem")
        #expect(address.description == "siem.example:6514")
        #expect(file.path == "/mnt/vault/herse.checkpoints")
    }

    @Test(arguments: [
        ("16777216", 16 << 20), ("20480k", 20 << 20), ("20480KiB", 20 << 20), ("16M", 16 << 20),
        ("16MiB", 16 << 20), ("3G", 3 << 30), ("3GiB", 3 << 30), ("2T", 2 << 40), ("2TiB", 2 << 40),
    ])
    func `spell sizes`(text: String, bytes: Int) throws {
        #expect(try configuration(sample + "record: {disk_max: \(text)}\n").record.diskMax == bytes)
    }

    @Test(arguments: refused)
    func `are refused where they are wrong`(record: String, line: String) {
        #expect(diagnostics("record: {\(record)}\n" + sample) == [line])
    }
}

/// What is written of the record, and what is said of it.
private let refused: [(String, String)] = [
    (
        "witneses: []",
        "h:1:10: error: unknown key `witneses` in `record` (did you mean `witnesses`?)"
    ),
    (
        "unsealed: true, auditors: [a.pem]",
        "h:1:10: error: `unsealed` and `auditors` contradict each other (remove one of them)"
    ),
    (
        "auditors: []",
        "h:1:10: error: `auditors` is empty (who will read the record; `unsealed: true` seals it to "
            + "nobody)"
    ),
    (
        "origin: \"https://a.example\"",
        "h:1:18: error: `origin`: `https://a.example` has a scheme (such as "
            + "`identities.example.fr/record`)"
    ),
    (
        "origin: a+b",
        "h:1:18: error: `origin`: `a+b` is not a name for the record (such as "
            + "`identities.example.fr/record`: at most 200 printable ASCII characters but blanks, "
            + "`+`, `\"`, `\\`)"
    ),
    ("keep: 1h", "h:1:16: error: `keep`: 1h is out of range (at least 1d, at most 36500d)"),
    (
        "disk_max: 200GB",
        "h:1:20: error: `disk_max`: `200GB` is not a size (a number of bytes, or `500M`, `200G`, "
            + "`2T`)"
    ),
    (
        "disk_max: 1M",
        "h:1:20: error: `disk_max`: 1M is out of range (at least 16M, at most 1024T)"
    ),
    (
        "when_full: purge",
        "h:1:21: error: `when_full`: unknown value `purge` (known: refuse, purge-oldest)"
    ),
    (
        "witness_every: 0s",
        "h:1:25: error: `witness_every`: 0s is out of range (at least 1s, at most 1d)"
    ),
    (
        "witnesses: [{name: a}]",
        "h:1:22: error: a witness needs `url`, `syslog` or `file`"
    ),
    (
        "witnesses: [{name: a, file: x, syslog: \"tls://b.example\"}]",
        "h:1:32: error: a witness has one way to it (make two of it, each with a name)"
    ),
    (
        "witnesses: [{name: a, url: \"https://b.example/a\", authorities: ca.pem}]",
        "h:1:22: error: a witness needs `key`"
    ),
    (
        "witnesses: [{name: a, url: \"https://b.example/a\", key: \"b+00000000+BA\"}]",
        "h:1:22: error: witness `a` needs `authorities` (who signs its certificate; the system's "
            + "store is never used)"
    ),
    (
        "witnesses: [{name: a, url: \"http://b.example/\", key: \"b+0+BA\"}]",
        "h:1:63: error: `key`: `b+0+BA` is not a verifier key (`NAME+HASH+KEY`, as the witness's "
            + "operator publishes it)"
    ),
    (
        "witnesses: [{name: a, syslog: \"b.example:6514\"}]",
        "h:1:40: error: `syslog`: `b.example:6514` is not a tls URL (such as "
            + "`tls://siem.example.fr:6514`)"
    ),
    (
        "witnesses: [{name: a, file: x, key: \"b+00000000+BA\"}]",
        "h:1:41: error: `key` has no use without `url`"
    ),
    (
        "witnesses: [{name: a, file: x, authorities: ca.pem}]",
        "h:1:41: error: `authorities` has no use without TLS"
    ),
    (
        "witnesses: [{name: a, file: x}, {name: a, file: y}]",
        "h:1:42: error: duplicate witness `a` (first at h:1)"
    ),
    (
        "witnesses: [{name: a, file: state/x}]",
        "h:1:38: warning: this witness is kept beside the record (who changes the one changes the "
            + "other: use a disk of another machine)"
    ),
]
