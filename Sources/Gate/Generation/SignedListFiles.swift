// SignedListFiles.swift: the keys and terms of signed lists, as the configuration names them.

internal import Neutralization
internal import Outbound
internal import Policy
internal import SignedLists
internal import Wire

extension MaterialLoader {
    /// What a rule asks for, with everything it names read; nil when something of it is wrong.
    mutating func load(_ rule: NeutralizationListRule) -> ListSettings? {
        var isGood = true
        func complain(
            _ loader: inout MaterialLoader, _ place: SourceLocation, _ what: String, _ hint: String?
        ) {
            loader.error(place, what, hint)
            isGood = false
        }
        var pem: [UInt8] = []
        for file in rule.keys {
            guard let bytes = readWhole(file.path) else {
                complain(&self, file.place, "`\(file.path)` cannot be read", nil)
                continue
            }
            pem += bytes + [0x0A]
        }
        let trust: ListSettings.Trust
        switch rule.signature {
        case .cms:
            for file in rule.keys {
                let read = attempt(file) { () throws(TLSMaterialError) in
                    try readCertificates(file.path)
                }
                if read == nil { isGood = false }
            }
            trust = .authorities(pem)
        case .ed25519:
            let keys = ListKey.read(pem: pem)
            if keys == nil, isGood, let place = rule.keys.first?.place {
                complain(
                    &self, place,
                    "there is no Ed25519 public key in `keys`, or one of another kind",
                    "PEM, as `openssl pkey -in KEY -pubout` makes it")
            }
            trust = .keys(keys ?? [])
        }
        var scope = ListScope(
            kinds: Set(rule.kinds.compactMap { SubjectKind(rawValue: $0.rawValue) }))
        (scope.accounts, scope.structures) = (rule.accounts, rule.structures)
        scope.entriesMax = rule.entriesMax
        for network in rule.networks {
            let bytes = Array(network.text.utf8)
            do throws(SubjectError) {
                scope.networks.append(try Network(bytes.span))
            } catch {
                complain(&self, network.place, "`networks`: \(error.message)", error.hint)
            }
        }
        var settings = ListSettings(
            name: rule.name, trust: trust, scope: scope, folder: ListFolder(listFolder))
        for (name, file) in rule.hashKeys {
            if let problem = problemOfSecret(file.path) {
                complain(&self, file.place, "`\(file.path)`: \(problem)", nil)
            } else if let bytes = readWhole(file.path), let key = ListHashKey(bytes) {
                settings.hashKeys[name] = key
            } else {
                complain(
                    &self, file.place, "`\(file.path)` is no key of 32 bytes",
                    "make one with `openssl rand -hex 32`")
            }
        }
        settings.authority = ListAuthority(rawValue: rule.authority.rawValue) ?? .lower
        (settings.every, settings.staleAfter) = (rule.every, rule.staleAfter)
        settings.tls.authorities = rule.tlsAuthorities?.path
        if let list = rule.url, let signature = rule.signatureURL {
            settings.place = .address(list: list, signature: signature)
        } else if let list = rule.file, let signature = rule.signatureFile {
            settings.place = .file(list: list.path, signature: signature.path)
        }
        return isGood ? settings : nil
    }
}
