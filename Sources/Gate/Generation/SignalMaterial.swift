// SignalMaterial.swift: what streams of security events need of files: keys, tokens, authorities.

internal import Policy
internal import Tokens
internal import Wire

extension MaterialLoader {
    /// Reads the files the rules of streams name; the keys of each receiver that are in one.
    mutating func loadSignals(_ rule: SignalsRule?) -> [KeySet?] {
        guard let rule else { return [] }
        var secrets = rule.transmitter?.receivers.map(\.token) ?? []
        var authorities = rule.transmitter?.receivers.compactMap(\.authorities) ?? []
        for one in rule.receivers {
            secrets += [one.push?.token, one.poll?.token, one.verification?.token]
                .compactMap(\.self)
            authorities += [one.authorities].compactMap(\.self)
        }
        for file in secrets where bearerSecret(file.path) == nil {
            error(
                file.place, "`\(file.path)` holds no bearer token",
                "one line of printable characters without blanks")
        }
        for file in authorities {
            _ = attempt(file) { () throws(TLSMaterialError) in try readCertificates(file.path) }
        }
        return rule.receivers.map { one in
            guard case .file(let file) = one.keys else { return nil }
            return loadKeys(file)
        }
    }
}
