// NeutralizationListReading.swift: signed neutralization lists of others, and what each may do here.

/// A list of another region's, or of an authority's.
package struct NeutralizationListRule: Sendable {
    /// How it is signed.
    package enum Signature: String, CaseIterable, Sendable {
        case ed25519
        case cms
    }

    /// How its word weighs against that of this gate's operators.
    package enum Authority: String, CaseIterable, Sendable {
        case lower
        case same
        case higher
    }

    /// What a list can name.
    package enum Kind: String, CaseIterable, Sendable {
        case account, structure, certificate, serial, network, session, token, client
        case issuedBefore = "issued-before"
    }

    package let name: String
    package let place: SourceLocation
    package var url: String?
    package var signatureURL: String?
    package var file: FileReference?
    package var signatureFile: FileReference?
    package var signature = Signature.ed25519
    /// Ed25519 public keys, or the authorities of a CMS signature's signer.
    package var keys: [FileReference] = []
    /// Trust anchors of an https address.
    package var tlsAuthorities: FileReference?
    package var kinds: [Kind] = []
    /// Identifiers, or the beginning of some before a `*`.
    package var accounts: [String] = []
    package var structures: [String] = []
    package var networks: [(text: String, place: SourceLocation)] = []
    package var entriesMax = 10_000
    package var authority = Authority.lower
    /// Seconds between two fetches.
    package var every: Int64 = 900
    /// Seconds after its issue from which a list without `next-update` is stale.
    package var staleAfter: Int64 = 26 * 3600
    package var hashKeys: [(name: String, file: FileReference)] = []

    static let countMax = 64

    init(name: String, place: SourceLocation) {
        self.name = name
        self.place = place
    }
}

extension Reading {
    func neutralizationList(_ value: Value) -> NeutralizationListRule? {
        let keys = [
            "name", "url", "signature_url", "file", "signature_file", "signature", "keys",
            "authorities", "tls_authorities", "scope", "authority", "every", "stale_after",
            "hash_keys",
        ]
        guard
            let fields = Fields(
                value, of: "a neutralization list", keys: keys, problems: problems),
            let name = fields.required(
                "name", { (scalar) throws(Complaint) in try scalar.name() })
        else { return nil }
        var rule = NeutralizationListRule(name: name, place: value.place)
        rule.signature = fields.optional("signature", default: rule.signature) {
            (scalar) throws(Complaint) in
            try scalar.word(NeutralizationListRule.Signature.self)
        }
        readPlace(fields, &rule)
        readTrust(fields, &rule)
        readScope(fields, &rule)
        rule.authority = fields.optional("authority", default: rule.authority) {
            (scalar) throws(Complaint) in
            try scalar.word(NeutralizationListRule.Authority.self)
        }
        rule.every = fields.optional("every", default: rule.every) {
            (scalar) throws(Complaint) in try scalar.seconds(10...7 * 86_400)
        }
        rule.staleAfter = fields.optional("stale_after", default: rule.staleAfter) {
            (scalar) throws(Complaint) in try scalar.seconds(60...365 * 86_400)
        }
        readHashKeys(fields, &rule)
        return rule
    }

    private func readPlace(_ fields: Fields, _ rule: inout NeutralizationListRule) {
        func address(_ key: String) -> String? {
            fields.optional(key) { (scalar) throws(Complaint) in
                try scalar.webAddress(isSigned: true).text
            }
        }
        // Not there yet is no mistake: the list is unknown until it is.
        func path(_ key: String) -> FileReference? {
            fields.optional(key) { (scalar) throws(Complaint) in try self.path(scalar) }
        }
        let ending = rule.signature == .ed25519 ? ".sig" : ".p7s"
        rule.url = address("url")
        rule.signatureURL = address("signature_url") ?? rule.url.map { $0 + ending }
        rule.file = path("file")
        rule.signatureFile =
            path("signature_file")
            ?? rule.file.map { FileReference(path: $0.path + ending, place: $0.place) }
        if rule.url != nil, let entry = fields["file"] {
            problems.error(entry.place, "a list comes from `url` or from `file`, not from both")
        }
        for (key, needed) in [("signature_url", "url"), ("signature_file", "file")]
        where fields[key] != nil && fields[needed] == nil {
            problems.error(fields.place(of: key), "`\(key)` needs `\(needed)`")
        }
        rule.tlsAuthorities = fields.optional("tls_authorities") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        let isTLS = [rule.url, rule.signatureURL].contains { $0?.hasPrefix("https://") == true }
        if isTLS, fields["tls_authorities"] == nil {
            problems.error(
                fields.place(of: "url"), "an https address needs `tls_authorities`",
                hint: "who signs its certificate; the system's store is never used")
        }
    }

    private func readTrust(_ fields: Fields, _ rule: inout NeutralizationListRule) {
        let (wanted, other) =
            rule.signature == .ed25519 ? ("keys", "authorities") : ("authorities", "keys")
        rule.keys = fileList(wanted, of: fields)
        var isEmpty = fields[wanted] == nil
        if case .list(let values) = fields[wanted]?.value.content { isEmpty = values.isEmpty }
        if isEmpty {
            problems.error(
                fields.place(of: wanted),
                "a list signed by \(rule.signature.rawValue) needs `\(wanted)`")
        }
        if let entry = fields[other] {
            problems.error(
                entry.place, "`\(other)` says nothing of a signature by \(rule.signature.rawValue)")
        }
    }

    private func readScope(_ fields: Fields, _ rule: inout NeutralizationListRule) {
        let keys = ["kinds", "accounts", "structures", "networks", "entries"]
        guard let entry = fields.required("scope"),
            let scope = Fields(entry.value, of: "`scope`", keys: keys, problems: problems)
        else { return }
        rule.kinds = scope.texts("kinds", countMax: 16) { (scalar) throws(Complaint) in
            try scalar.word(NeutralizationListRule.Kind.self)
        }.map(\.value)
        if rule.kinds.isEmpty {
            problems.error(
                scope.place(of: "kinds"), "`scope` names no `kinds` that the list may cut",
                hint: "such as `kinds: [account, certificate]`")
        }
        func patterns(_ key: String) -> [String] {
            scope.texts(key, countMax: 256) { (scalar) throws(Complaint) in
                let body = scalar.text.hasSuffix("*") ? scalar.text.dropLast() : scalar.text[...]
                guard body.utf8.count <= 64, !scalar.text.isEmpty, body.utf8.allSatisfy(isPlainID)
                else {
                    throw Complaint(
                        "\(quoted(scalar.text)) is no identifier, nor the beginning of one and `*`")
                }
                return scalar.text.uppercased()
            }.map(\.value)
        }
        rule.accounts = patterns("accounts")
        rule.structures = patterns("structures")
        rule.networks = scope.texts("networks", countMax: 256) { (scalar) throws(Complaint) in
            scalar.text
        }.map { (text: $0.value, place: $0.place) }
        rule.entriesMax = scope.optional("entries", default: rule.entriesMax) {
            (scalar) throws(Complaint) in try scalar.number(1...10_000_000)
        }
    }

    private func readHashKeys(_ fields: Fields, _ rule: inout NeutralizationListRule) {
        guard let entry = fields["hash_keys"] else { return }
        guard case .mapping(let keys) = entry.value.content, keys.count <= 16 else {
            problems.error(
                entry.value.place, "`hash_keys` must be a mapping of at most 16 names to files")
            return
        }
        for key in keys {
            let file = scalar(key.value, called: key.key, problems) { (scalar) throws(Complaint) in
                try self.file(scalar)
            }
            if let file { rule.hashKeys.append((key.key, file)) }
        }
    }
}

private func isPlainID(_ byte: UInt8) -> Bool {
    isDigit(byte) || isLetter(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
        || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "/")
}
