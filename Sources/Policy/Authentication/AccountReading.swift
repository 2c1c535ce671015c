// AccountReading.swift: the keys of local accounts, of the directory and of the assertion.

import Identity

extension Reading {
    func accounts(_ entry: Entry) -> AccountRule? {
        let keys = ["service", "deadline", "helpers", "levels", "webauthn", "link"]
        guard let fields = Fields(entry.value, of: "`accounts`", keys: keys, problems: problems)
        else { return nil }
        var rule = AccountRule(place: entry.place)
        rule.service = fields.optional("service", default: rule.service) {
            (scalar) throws(Complaint) in try scalar.name()
        }
        let deadline = fields.optional("deadline", default: .milliseconds(rule.deadline)) {
            (scalar) throws(Complaint) in try scalar.duration(.milliseconds(100) ... .seconds(60))
        }
        rule.deadline = milliseconds(deadline)
        rule.helpers = fields.optional("helpers", default: rule.helpers) {
            (scalar) throws(Complaint) in try scalar.number(1...64)
        }
        let link = fields.optional("link", default: Int64(rule.linkHours) * 3600) {
            (scalar) throws(Complaint) -> Int64 in
            let seconds = try scalar.seconds(3600...7 * 86_400)
            guard seconds % 3600 == 0 else { throw Complaint("not a whole number of hours") }
            return seconds
        }
        rule.linkHours = Int(link / 3600)
        readLevels(fields, &rule)
        readWebAuthn(fields, &rule)
        return rule
    }

    private func readLevels(_ fields: Fields, _ rule: inout AccountRule) {
        let keys = [ProofMethod.pamTOTP.rawValue, ProofMethod.pamWebAuthn.rawValue]
        guard let entry = fields["levels"],
            let levels = Fields(entry.value, of: "`levels`", keys: keys, problems: problems)
        else { return }
        func level(_ method: ProofMethod, _ standard: AssuranceLevel) -> AssuranceLevel {
            levels.optional(method.rawValue, default: standard) { (scalar) throws(Complaint) in
                try scalar.word(AssuranceLevel.self)
            }
        }
        rule.totpLevel = level(.pamTOTP, rule.totpLevel)
        rule.webAuthnLevel = level(.pamWebAuthn, rule.webAuthnLevel)
    }

    private func readWebAuthn(_ fields: Fields, _ rule: inout AccountRule) {
        let keys = ["attestation", "models", "authorities"]
        guard let entry = fields["webauthn"],
            let keysFields = Fields(
                entry.value, of: "`webauthn`", keys: keys, problems: problems)
        else { return }
        rule.attestation = keysFields.optional("attestation", default: rule.attestation) {
            (scalar) throws(Complaint) in try scalar.word(AccountRule.Attestation.self)
        }
        rule.models = keysFields.texts("models", countMax: 256) { (scalar) throws(Complaint) in
            try scalar.model()
        }.map(\.value)
        rule.attestationAuthorities = fileList("authorities", of: keysFields)
        if rule.attestation == .none {
            // Without attestation, a key says of itself which model it is, and browsers blank it.
            for key in ["models", "authorities"] where !isEmptyList(keysFields[key]) {
                guard let entry = keysFields[key] else { continue }
                problems.error(
                    entry.place, "`\(key)` goes with `attestation: direct` only",
                    hint: "without attestation nobody vouches for a key's model")
            }
        } else if rule.attestationAuthorities.isEmpty {
            problems.error(
                keysFields.place(of: "attestation"), "`attestation: direct` needs `authorities`",
                hint: "who signs the attestations of the keys that may be registered")
        }
    }

    func directory(_ entry: Entry) -> DirectoryRule? {
        let keys = ["files", "unknown", "left"]
        guard let fields = Fields(entry.value, of: "`directory`", keys: keys, problems: problems)
        else { return nil }
        var rule = DirectoryRule(place: entry.place)
        if let files = fields.required("files") {
            refuseEmpty(files, hint: "extracts, and correspondence files of identifiers")
        }
        rule.files = fields.texts("files", countMax: 64) { (scalar) throws(Complaint) in
            try file(scalar)
        }.map(\.value)
        rule.acceptsUnknown = accepts("unknown", of: fields, default: .accept)
        rule.acceptsLeft = accepts("left", of: fields)
        return rule
    }

    func assertion(_ entry: Entry) -> AssertionRule? {
        let keys = ["issuer", "lifetime", "rotate"]
        guard let fields = Fields(entry.value, of: "`assertion`", keys: keys, problems: problems)
        else { return nil }
        let issuer = fields.required("issuer") { (scalar) throws(Complaint) in
            try scalar.token(lengthMax: 512)
        }
        var rule = AssertionRule(place: entry.place, issuer: issuer ?? "")
        rule.lifetime = fields.optional("lifetime", default: rule.lifetime) {
            (scalar) throws(Complaint) in try scalar.seconds(5...600)
        }
        rule.rotate = fields.optional("rotate", default: rule.rotate) {
            (scalar) throws(Complaint) in try scalar.seconds(10...400 * 86_400)
        }
        if rule.rotate < 2 * rule.lifetime, let entry = fields["rotate"] ?? fields["lifetime"] {
            problems.error(
                entry.place, "a key would be replaced before its assertions are over",
                hint: "`rotate` at least twice `lifetime`")
        }
        return rule
    }
}

private func milliseconds(_ duration: Duration) -> Int {
    let (seconds, attoseconds) = duration.components
    return Int(seconds * 1000 + attoseconds / 1_000_000_000_000_000)
}

extension Scalar {
    /// The AAGUID of a model of security keys, in lower case.
    fileprivate func model() throws(Complaint) -> String {
        let parts = text.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        let isModel =
            parts.map(\.count) == [8, 4, 4, 4, 12]
            && parts.allSatisfy {
                $0.allSatisfy { isDigit($0) || (0x61...0x66).contains($0 | 0x20) }
            }
        guard isModel else {
            throw Complaint(
                "\(quoted(text)) is not the AAGUID of a model",
                hint: "such as `2fc0579f-8113-47ea-b116-bb5a8db9202a`")
        }
        return text.lowercased()
    }
}
