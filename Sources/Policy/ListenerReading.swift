// ListenerReading.swift: the keys of a listener, their bounds and defaults.

extension Reading {
    func listener(_ value: Value) -> Listener? {
        let keys = ["name", "address", "connections", "timeouts", "tls"]
        guard let fields = Fields(value, of: "a listener", keys: keys, problems: problems) else {
            return nil
        }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.name() }
        let address = fields.required("address") { (scalar) throws(Complaint) in
            try scalar.listenerAddress()
        }
        let connections = fields.optional("connections", default: 20_000) {
            (scalar) throws(Complaint) in try scalar.number(1...1_000_000)
        }
        let timeouts = fields["timeouts"].map { self.timeouts($0.value) } ?? Timeouts()
        let tls = fields.required("tls").flatMap { self.tls($0.value) }
        guard let name, let address, let tls else { return nil }
        return Listener(
            name: name, place: value.place, address: address,
            addressPlace: fields.place(of: "address"), connectionsMax: connections,
            timeouts: timeouts, tls: tls)
    }

    private func timeouts(_ value: Value) -> Timeouts {
        var timeouts = Timeouts()
        let keys = ["handshake", "head", "body", "idle", "total"]
        guard let fields = Fields(value, of: "`timeouts`", keys: keys, problems: problems) else {
            return timeouts
        }
        func read(_ key: String, _ range: ClosedRange<Duration>, _ current: inout Duration) {
            current = fields.optional(key, default: current) { (scalar) throws(Complaint) in
                try scalar.duration(range)
            }
        }
        read("handshake", .milliseconds(100) ... .seconds(60), &timeouts.handshake)
        read("head", .milliseconds(100) ... .seconds(60), &timeouts.head)
        read("body", .milliseconds(100) ... .seconds(600), &timeouts.body)
        read("idle", .milliseconds(100) ... .seconds(3600), &timeouts.idle)
        read("total", .milliseconds(100) ... .seconds(86_400), &timeouts.total)
        return timeouts
    }

    private func tls(_ value: Value) -> ListenerTLS? {
        let keys = [
            "certificate", "private_key", "certificates", "client_certificate",
            "client_authorities", "revocation_lists", "revocation", "ocsp", "ticket_lifetime",
            "chain_depth",
        ]
        guard let fields = Fields(value, of: "`tls`", keys: keys, problems: problems) else {
            return nil
        }
        let main = certificatePair(fields, isRequired: true)
        let others = fields.list("certificates", countMax: 256).compactMap { value in
            Fields(
                value, of: "a certificate", keys: ["certificate", "private_key"],
                problems: problems
            ).flatMap { certificatePair($0, isRequired: true) }
        }
        let mode = fields.optional(
            "client_certificate", default: ListenerTLS.ClientCertificate.required
        ) { (scalar) throws(Complaint) in try scalar.word(ListenerTLS.ClientCertificate.self) }
        let authorities = fileList("client_authorities", of: fields)
        if mode != .none, fields["client_authorities"] == nil {
            problems.error(
                fields.place, "`tls` needs `client_authorities`",
                hint: "who signs the professionals' certificates; the system's store is never used")
        } else if mode != .none, isEmptyList(fields["client_authorities"]) {
            problems.error(
                fields.place(of: "client_authorities"), "`client_authorities` is empty",
                hint: "nobody could prove anything")
        }
        let (lists, sources) = revocation(fields)
        let ocsp = ocsp(fields["ocsp"])
        let lifetime = fields.optional("ticket_lifetime", default: .seconds(300)) {
            (scalar) throws(Complaint) in try scalar.duration(.zero ... .seconds(3600))
        }
        let depth = fields.optional("chain_depth", default: 10) { (scalar) throws(Complaint) in
            try scalar.number(10...32)
        }
        let expired = expiredRevocation(fields["revocation"])
        guard let main else { return nil }
        return ListenerTLS(
            certificates: [main] + others, clientCertificate: mode,
            clientAuthorities: authorities, revocationLists: lists, revocationSources: sources,
            ocsp: ocsp, expiredRevocation: expired, ticketLifetime: lifetime, chainDepth: depth)
    }

    private func expiredRevocation(_ entry: Entry?) -> ListenerTLS.Expired {
        guard let entry,
            let fields = Fields(
                entry.value, of: "`revocation`", keys: ["expired"], problems: problems)
        else { return .refuse }
        return fields.optional("expired", default: .refuse) { (scalar) throws(Complaint) in
            try scalar.word(ListenerTLS.Expired.self)
        }
    }

    /// `certificate` and `private_key`, which only make sense together.
    func certificatePair(
        _ fields: Fields, certificateKey: String = "certificate", isRequired: Bool
    ) -> CertificatePair? {
        guard isRequired || fields[certificateKey] != nil || fields["private_key"] != nil else {
            return nil
        }
        let certificate = fields.required(certificateKey) { (scalar) throws(Complaint) in
            try file(scalar)
        }
        let key = fields.required("private_key") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        guard let certificate, let key else { return nil }
        return CertificatePair(certificate: certificate, privateKey: key)
    }

    func fileList(_ key: String, of fields: Fields) -> [FileReference] {
        fields.texts(key, countMax: 256) { (scalar) throws(Complaint) in try file(scalar) }
            .map(\.value)
    }
}

/// Whether an entry is a list without items.
func isEmptyList(_ entry: Entry?) -> Bool {
    guard let entry, case .list(let values) = entry.value.content else { return false }
    return values.isEmpty
}
