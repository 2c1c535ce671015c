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
        #expect(rule.keep == 1095 * 86_400)
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
}
