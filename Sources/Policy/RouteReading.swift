// RouteReading.swift: the keys of a route, their bounds and defaults.

import Identity

/// What a route can refer to.
struct RouteNames {
    let servers: Names
    let listeners: Names
    let limits: Names
    let extractors: Names
}

extension Reading {
    func route(_ value: Value, _ names: RouteNames) -> Route? {
        let keys =
            [
                "name", "path", "methods", "identity_server", "lookups", "require", "limits",
                "body_max", "listeners", "allow", "forward", "level", "max_age", "basic",
                "machines",
            ] + Self.lookupKeys
        guard let fields = Fields(value, of: "a route", keys: keys, problems: problems) else {
            return nil
        }
        let name = fields.required("name") { (scalar) throws(Complaint) in try scalar.name() }
        let path = fields.required("path") { (scalar) throws(Complaint) in try scalar.routePath() }
        let methods = self.methods(fields)
        let server = fields.required("identity_server") { (scalar) throws(Complaint) in
            try names.servers.index(of: scalar.text, kind: "identity server")
        }
        let lookups = fields.optional("lookups", default: Route.Lookups.none) {
            (scalar) throws(Complaint) in try scalar.lookups(names.extractors)
        }
        let requirements = self.requirements(fields)
        let limits = fields.optional("limits") { (scalar) throws(Complaint) in
            try names.limits.index(of: scalar.text, kind: "limits")
        }
        let lookupRules = lookupRules(fields, lookups, routeLimits: limits, names)
        let bodyMax = fields.optional("body_max", default: 1 << 20) { (scalar) throws(Complaint) in
            try scalar.size(max: 1 << 30)
        }
        let listeners = listenerSet(fields, names.listeners)
        let allow = fields["allow"].flatMap {
            Fields(
                $0.value, of: "`allow`", keys: ["professionals", "structures"], problems: problems)
        }
        let forward = fields["forward"].flatMap {
            Fields(
                $0.value, of: "`forward`", keys: ["client_cert", "assertion"], problems: problems)
        }
        func forwards(_ key: String) -> Bool {
            forward?.optional(key) { (scalar) throws(Complaint) in try scalar.truth() } ?? false
        }
        let professionals = allowList(allow, "professionals", professional)
        let structures = allowList(allow, "structures", structure)
        let machines = fields["machines"].flatMap {
            self.machines($0, names.limits, requirements: requirements)
        }
        guard let name, let path, let server else { return nil }
        var route = Route(
            name: name, place: value.place, path: path, pathPlace: fields.place(of: "path"),
            methods: methods, identityServer: server, lookups: lookups,
            lookupRules: lookupRules, requirements: requirements,
            requirementsPlace: fields.place(of: "require"), machines: machines, limits: limits,
            bodyMax: bodyMax, listeners: listeners, professionals: professionals,
            structures: structures, forwardsClientCertificate: forwards("client_cert"),
            forwardsAssertion: forwards("assertion"))
        readProof(fields, &route)
        return route
    }

    private func methods(_ fields: Fields) -> Methods {
        guard let entry = fields["methods"] else { return .standard }
        if isEmptyList(entry) { problems.error(entry.place, "`methods` is empty") }
        var methods: Methods = []
        let read = fields.texts("methods", countMax: 32) { (scalar) throws(Complaint) in
            try scalar.method()
        }
        for (method, place) in read {
            if methods.contains(method) {
                problems.error(place, "duplicate method \(quoted(method.name))")
            }
            methods.insert(Methods(method))
        }
        return methods
    }

    private func requirements(_ fields: Fields) -> [ProofMethod] {
        guard let entry = fields.required("require") else { return [] }
        if isEmptyList(entry) {
            problems.error(
                entry.place, "`require` is empty", hint: "nothing passes unproven: `[certificate]`")
        }
        var requirements: [ProofMethod] = []
        let read = fields.texts("require", countMax: 16) { (scalar) throws(Complaint) in
            try scalar.requirement()
        }
        for (requirement, place) in read {
            if requirements.contains(requirement) {
                problems.error(place, "duplicate proof \(quoted(requirement.rawValue))")
            }
            requirements.append(requirement)
        }
        return requirements
    }

    func listenerSet(_ fields: Fields, _ names: Names) -> ListenerSet {
        guard let entry = fields["listeners"] else { return .all }
        if isEmptyList(entry) {
            problems.error(
                entry.place, "`listeners` is empty", hint: "remove it to mean all listeners")
        }
        let read = fields.texts("listeners", countMax: Listener.countMax) {
            (scalar) throws(Complaint) in try names.index(of: scalar.text, kind: "listener")
        }
        return read.reduce(into: []) { $0.insert(ListenerSet(index: $1.value)) }
    }

    private func allowList(
        _ fields: Fields?, _ key: String, _ read: (Scalar) throws(Complaint) -> String
    ) -> AllowList {
        guard let fields else { return AllowList(ids: ByteSet([]), place: nil) }
        let texts = fields.texts(key, countMax: AllowList.countMax, read)
        return AllowList(ids: ByteSet(texts.map(\.value)), place: fields[key]?.place)
    }

    private func professional(_ scalar: Scalar) throws(Complaint) -> String {
        guard let id = try? ProfessionalID(scalar.text) else {
            throw Complaint(
                "\(quoted(scalar.text)) is not a professional's national identifier",
                hint: "such as `899700218896`: `8` and the RPPS number, `0` and the ADELI number")
        }
        if id.luhnHolds == false {
            problems.warning(
                scalar.place, "the check digit of \(quoted(scalar.text)) does not hold",
                hint: "a mistyped RPPS number?")
        }
        return id.description
    }

    func structure(_ scalar: Scalar) throws(Complaint) -> String {
        guard let id = try? StructureID(scalar.text) else {
            throw Complaint(
                "\(quoted(scalar.text)) is not a structure's national identifier",
                hint: "such as `10B0152872`: `1` and the FINESS number, `3` and the SIRET number")
        }
        return id.description
    }
}

extension Scalar {
    fileprivate func method() throws(Complaint) -> Method {
        if let method = Method.named.first(where: { $0.name == text }) { return method }
        guard text != "CONNECT", text != "TRACE" else {
            throw Complaint("`\(text)` is never forwarded")
        }
        throw Complaint(
            "unknown method \(quoted(text))",
            hint: hint(for: text, among: Method.named.map(\.name)))
    }

    fileprivate func requirement() throws(Complaint) -> ProofMethod {
        try word(ProofMethod.self)
    }

    /// A path as routes compare it: plain characters only, no `%`, no dot segment, no `//`.
    fileprivate func routePath() throws(Complaint) -> String {
        guard text.hasPrefix("/") else {
            throw Complaint("\(quoted(text)) does not begin with `/`")
        }
        guard text.utf8.count <= 1024 else { throw Complaint("longer than 1024 bytes") }
        if text.utf8.contains(where: { "?#".utf8.contains($0) }) {
            throw Complaint("\(quoted(text)) has a query", hint: "routes are chosen by path alone")
        }
        if let index = text.unicodeScalars.firstIndex(where: {
            !$0.isASCII || !isPathByte(UInt8($0.value))
        }) {
            throw Complaint(
                "\(quoted(text)) has \(quoted(String(text.unicodeScalars[index]))), which no path may",
                hint: "write it as the decoded path, in letters, digits and `-._~!$&'()*+,=:@`")
        }
        guard text != "/.herse", !text.hasPrefix("/.herse/") else {
            throw Complaint(
                "\(quoted(text)) is the gate's own", hint: "its pages stand under `/.herse/`")
        }
        guard !text.contains("//") else { throw Complaint("\(quoted(text)) has an empty segment") }
        let segments = text.split(separator: "/")
        guard !segments.contains(where: { $0 == "." || $0 == ".." }) else {
            throw Complaint("\(quoted(text)) has a segment of dots")
        }
        return text
    }
}
