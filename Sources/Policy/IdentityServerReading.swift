// IdentityServerReading.swift: the keys of an identity server, their bounds and defaults.

extension Reading {
    func identityServer(_ value: Value) -> IdentityServer? {
        let keys = [
            "name", "endpoints", "authorities", "client_certificate", "private_key", "server_name",
            "connections", "connect_timeout", "answer_timeout", "idle_timeout",
            "canonical_identifier",
        ]
        guard let fields = Fields(value, of: "an identity server", keys: keys, problems: problems)
        else { return nil }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.name() }
        let endpoints = endpoints(fields)
        let authorities = fileList("authorities", of: fields)
        let pair = certificatePair(
            fields, certificateKey: "client_certificate", isRequired: false)
        let serverName = fields.optional("server_name") { (scalar) throws(Complaint) in
            try scalar.host()
        }
        let connections = fields.optional("connections", default: 256) {
            (scalar) throws(Complaint) in try scalar.number(1...65_535)
        }
        func time(
            _ key: String, _ standard: Duration, _ max: Duration
        ) -> Duration {
            fields.optional(key, default: standard) { (scalar) throws(Complaint) in
                try scalar.duration(.milliseconds(10)...max)
            }
        }
        let connect = time("connect_timeout", .seconds(3), .seconds(60))
        let answer = time("answer_timeout", .seconds(30), .seconds(3600))
        let idle = time("idle_timeout", .seconds(50), .seconds(3600))
        let canonical = fields.optional("canonical_identifier", default: "") {
            (scalar) throws(Complaint) in try scalar.identifierSystem()
        }
        guard let name else { return nil }
        return IdentityServer(
            name: name, place: value.place, endpoints: endpoints, authorities: authorities,
            clientCertificate: pair, serverName: serverName, connectionsMax: connections,
            connectTimeout: connect, answerTimeout: answer, idleTimeout: idle,
            canonicalSystem: canonical)
    }

    private func endpoints(_ fields: Fields) -> [IdentityServerEndpoint] {
        guard fields.required("endpoints") != nil else { return [] }
        if isEmptyList(fields["endpoints"]) {
            problems.error(fields.place(of: "endpoints"), "`endpoints` is empty")
        }
        let endpoints = fields.texts("endpoints", countMax: 64) { (scalar) throws(Complaint) in
            try scalar.endpoint()
        }.map(\.value)
        var seen: Set<Address> = []
        for endpoint in endpoints where !seen.insert(endpoint.address).inserted {
            problems.error(
                endpoint.place, "duplicate endpoint \(quoted(endpoint.address.description))")
        }
        checkTLS(endpoints, fields)
        return endpoints
    }

    private func checkTLS(_ endpoints: [IdentityServerEndpoint], _ fields: Fields) {
        if let endpoint = endpoints.first(where: \.isTLS) {
            if fields["authorities"] == nil || isEmptyList(fields["authorities"]) {
                problems.error(
                    endpoint.place, "an https endpoint needs `authorities`",
                    hint: "who signs the identity server's certificate; "
                        + "the system's store is never used")
            }
        } else if !endpoints.isEmpty {
            for key in ["authorities", "client_certificate", "server_name"] {
                guard let entry = fields[key] else { continue }
                problems.warning(entry.place, "`\(key)` is not used: no endpoint is https")
            }
        }
        for endpoint in endpoints where !endpoint.isTLS && !endpoint.address.isLoopback {
            problems.warning(
                endpoint.place, "patients' identities leave this machine in clear text",
                hint: "use https")
        }
    }
}

extension Scalar {
    /// The system of an identifier: a URI, or an object identifier with or without `urn:oid:`.
    fileprivate func identifierSystem() throws(Complaint) -> String {
        let bytes = Array(text.utf8)
        let isPlain = bytes.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"|\"<>".utf8.contains($0) }
        guard isPlain, (1...256).contains(bytes.count) else {
            throw Complaint(
                "\(quoted(text)) is not the system of an identifier",
                hint: "such as `urn:oid:1.2.250.1.213.1.4.8`")
        }
        if isObjectIdentifier(bytes) { return "urn:oid:" + text }
        if text.lowercased().hasPrefix("urn:oid:") {
            guard isObjectIdentifier(Array(bytes.dropFirst(8))) else {
                throw Complaint("\(quoted(text)) has no object identifier after `urn:oid:`")
            }
            return "urn:oid:" + String(text.dropFirst(8))
        }
        let scheme = bytes.prefix { isLetter($0) || isDigit($0) || "+.-".utf8.contains($0) }
        guard let first = scheme.first, isLetter(first), bytes.count > scheme.count + 1,
            bytes[scheme.count] == UInt8(ascii: ":")
        else {
            throw Complaint(
                "\(quoted(text)) is neither an object identifier nor a URI",
                hint: "such as `urn:oid:1.2.250.1.213.1.4.8`")
        }
        return text
    }
}

/// Numbers with dots between them, the first 0, 1 or 2.
private func isObjectIdentifier(_ bytes: [UInt8]) -> Bool {
    let arcs = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard arcs.count >= 2, let first = arcs[0].first, arcs[0].count == 1,
        (UInt8(ascii: "0")...UInt8(ascii: "2")).contains(first)
    else { return false }
    return arcs.allSatisfy { arc in
        !arc.isEmpty && arc.allSatisfy(isDigit)
            && (arc.count == 1 || arc.first != UInt8(ascii: "0"))
    }
}
