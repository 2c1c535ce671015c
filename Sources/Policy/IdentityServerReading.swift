// IdentityServerReading.swift: the keys of an identity server, their bounds and defaults.

extension Reading {
    func identityServer(_ value: Value) -> IdentityServer? {
        let keys = [
            "name", "endpoints", "authorities", "client_certificate", "private_key", "server_name",
            "connections", "connect_timeout", "answer_timeout", "idle_timeout",
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
        guard let name else { return nil }
        return IdentityServer(
            name: name, place: value.place, endpoints: endpoints, authorities: authorities,
            clientCertificate: pair, serverName: serverName, connectionsMax: connections,
            connectTimeout: connect, answerTimeout: answer, idleTimeout: idle)
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
