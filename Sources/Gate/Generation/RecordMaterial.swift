// RecordMaterial.swift: what the record needs of files: auditors' keys, authorities of witnesses.

internal import Alerts
internal import Outbound
internal import Policy
internal import RecordKeeping
internal import Sealing
internal import Transparency
internal import Wire

/// For whom the record is sealed, and how it is looked after.
struct RecordMaterial: Sendable {
    /// None leaves it unsealed.
    var auditors: [AuditorPublicKey] = []
    var keeping = KeeperSettings()
}

extension MaterialLoader {
    /// Loads what `rule` names, and says that a record nobody was asked to seal is not sealed.
    mutating func load(_ rule: RecordRule) -> RecordMaterial {
        var material = RecordMaterial()
        if rule.auditors.isEmpty, !rule.isUnsealed {
            warn(
                rule.place ?? SourceLocation(startOf: configurationFile),
                "the record is not sealed",
                "name `auditors`, or say `unsealed: true`")
        }
        for file in rule.auditors {
            guard let key = loadAuditor(file) else { continue }
            if material.auditors.contains(key) {
                error(file.place, "`\(file.path)` is the key of another auditor here", nil)
            }
            material.auditors.append(key)
        }
        material.keeping.witnesses = rule.witnesses.compactMap { load($0) }
        material.keeping.witnessEvery = rule.witnessEvery
        material.keeping.keep = rule.keep
        material.keeping.ceiling = DiskCeiling(bytesMax: rule.diskMax, freeMin: rule.diskFreeMin)
        material.keeping.purgesWhenFull = rule.whenFull == .purgeOldest
        return material
    }

    private mutating func loadAuditor(_ file: FileReference) -> AuditorPublicKey? {
        guard let bytes = readWhole(file.path, bytesMax: 16 * 1024) else {
            error(file.place, "`\(file.path)` cannot be read", nil)
            return nil
        }
        do throws(AuditorKeyError) {
            return try AuditorPublicKey(pem: bytes)
        } catch {
            self.error(file.place, "`\(file.path)` \(error.message)", error.hint)
            return nil
        }
    }

    private mutating func load(_ rule: WitnessRule) -> WitnessSettings? {
        var tls = FetchTLS()
        if let file = rule.authorities {
            guard let loaded = loadTLS([file], nil) else { return nil }
            tls = loaded
        }
        switch rule.target {
        case .address(let url, let text):
            guard let key = NoteVerifier(text), key.algorithm == .cosignature else {
                error(
                    rule.place, "the key of witness `\(rule.name)` is not one that cosigns",
                    "`NAME+HASH+KEY` with an Ed25519 key of type 4 (C2SP tlog-cosignature)")
                return nil
            }
            return WitnessSettings(name: rule.name, target: .address(url: url, key: key, tls: tls))
        case .syslog(let address):
            var stream = StreamTarget(host: address.hostText, port: address.port)
            stream.tls = tls
            return WitnessSettings(name: rule.name, target: .syslog(SyslogTarget(stream: stream)))
        case .file(let file):
            return WitnessSettings(name: rule.name, target: .file(file.path))
        }
    }
}
