// Reading.swift: from values to a configuration, top level first.
//
// Reads on after an error, so that all of them are told at once; what it then returns is never
// put in force.

struct Reading {
    let problems: Problems
    let filesMustExist: Bool
    /// Whether every file could be read as a document.
    let hasAllFiles: Bool
    /// Whether nothing was wrong in them so far, so that what is missing is missing.
    let expectsAll: Bool
    let start: SourceLocation

    func configuration(_ assembly: Assembly, files: [String]) -> Configuration {
        for key in Assembly.requiredListKeys where (assembly.lists[key] ?? []).isEmpty && expectsAll
        {
            let place = assembly.places[key] ?? start
            problems.error(place, "the configuration needs at least one of `\(key)`")
        }
        let limitSets = assembly.limits.compactMap { limitSet($0) }
        let extractors = elements(
            assembly, "extractors", max: ExtractorRule.countMax, extractorRule)
        let servers = elements(assembly, "identity_servers", max: 256, identityServer)
        let listeners = elements(assembly, "listeners", max: Listener.countMax, listener)
        refuseDuplicates(servers.map { ($0.name, $0.place) }, of: "identity server")
        refuseDuplicates(listeners.map { ($0.name, $0.place) }, of: "listener")
        refuseDuplicates(extractors.map { ($0.name, $0.place) }, of: "extractor")
        refuseDuplicates(
            listeners.filter { $0.address.port != 0 }
                .map { ($0.address.description, $0.addressPlace) }, of: "address")
        let alerts = elements(assembly, "alerts", max: AlertRule.countMax, alert)
        refuseDuplicates(alerts.map { ($0.name, $0.place) }, of: "destination of alerts")
        let names = RouteNames(
            servers: known(assembly, "identity_servers", servers.map(\.name)),
            listeners: known(assembly, "listeners", listeners.map(\.name)),
            limits: Names(
                built: limitSets.map(\.name), written: assembly.limits.map(\.key),
                areAllKnown: areAllKnown(assembly.limits.isEmpty)),
            extractors: known(assembly, "extractors", extractors.map(\.name)))
        let routes = elements(assembly, "routes", max: Route.countMax) { route($0, names) }
        refuseDuplicates(routes.map { ($0.name, $0.place) }, of: "route")
        let errorsBefore = problems.errorCount
        let authentication = authentication(
            assembly.singles["authentication"], listeners: names.listeners)
        // One mistake is told once: what could not be read may well be there.
        let isRead = errorsBefore == problems.errorCount
        if hasAllFiles, isRead, assembly.singles["authentication"] != nil || expectsAll {
            ProofChecks(problems: problems, authentication: authentication.others).check(routes)
        }
        var configuration = assemble(
            assembly, files, listeners, servers, routes, limitSets, extractors,
            authentication.certificate)
        configuration.authentication = authentication.others
        configuration.neutralizationLists = elements(
            assembly, "neutralization_lists", max: NeutralizationListRule.countMax,
            neutralizationList)
        refuseDuplicates(
            configuration.neutralizationLists.map { ($0.name, $0.place) },
            of: "neutralization list")
        configuration.administration = administration(assembly.singles["administration"])
        configuration.signals = signals(
            assembly.singles["signals"], listeners: names.listeners,
            issuers: authentication.others.issuers)
        configuration.alerts = alerts
        return configuration
    }

    private func assemble(
        _ assembly: Assembly, _ files: [String], _ listeners: [Listener],
        _ servers: [IdentityServer], _ routes: [Route], _ limitSets: [LimitSet],
        _ extractors: [ExtractorRule], _ certificateAuthentication: CertificateAuthentication
    ) -> Configuration {
        let state = single(assembly, "state") { (scalar) throws(Complaint) in
            try path(scalar)
        }
        let statePath = state?.path ?? resolve("./state", in: start.file)
        let control = single(assembly, "control") { (scalar) throws(Complaint) in
            try path(scalar)
        }
        let controlPath = control?.path ?? statePath + "/control.sock"
        // sockaddr_un holds 108 bytes with its final NUL, unix(7).
        if controlPath.utf8.count > 107 {
            problems.error(
                control?.place ?? state?.place ?? start,
                "the path of the admin socket has \(controlPath.utf8.count) bytes, "
                    + "at most 107 are possible",
                hint: "set `control`")
        }
        let list = single(assembly, "neutralized") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        return Configuration(
            files: files, state: statePath, control: controlPath,
            workers: single(assembly, "workers", workers) ?? .auto,
            drain: single(assembly, "drain") { (scalar) throws(Complaint) in
                try scalar.duration(.zero ... .seconds(3600))
            } ?? .seconds(30),
            contact: single(assembly, "contact") { (scalar) throws(Complaint) in
                try scalar.line()
            },
            neutralized: list, record: record(assembly.singles["record"], state: statePath),
            certificateAuthentication: certificateAuthentication,
            listeners: listeners, identityServers: servers, routes: routes, limitSets: limitSets,
            extractors: extractors)
    }

    private func single<Result>(
        _ assembly: Assembly, _ key: String, _ read: (Scalar) throws(Complaint) -> Result
    ) -> Result? {
        guard let entry = assembly.singles[key] else { return nil }
        return scalar(entry.value, called: key, problems, read)
    }

    private func elements<Element>(
        _ assembly: Assembly, _ key: String, max: Int, _ read: (Value) -> Element?
    ) -> [Element] {
        let values = assembly.lists[key] ?? []
        if values.count > max {
            problems.error(
                assembly.places[key] ?? start,
                "`\(key)` has \(values.count) items, at most \(max) are allowed")
        }
        return values.prefix(max).compactMap(read)
    }

    private func known(_ assembly: Assembly, _ key: String, _ built: [String]) -> Names {
        let written = names(in: assembly.lists[key] ?? [])
        return Names(
            built: built, written: written, areAllKnown: areAllKnown(written.isEmpty))
    }

    /// The names a list writes, also those of what has errors.
    func names(in values: [Value]) -> [String] {
        values.compactMap { value in
            guard case .mapping(let entries) = value.content,
                case .scalar(let name, _) = entries.first(where: { $0.key == "name" })?.value
                    .content
            else { return nil }
            return name
        }
    }

    /// One mistake is told once: a list that could not be read makes no name in it unknown.
    private func areAllKnown(_ hasNone: Bool) -> Bool {
        hasAllFiles && (expectsAll || !hasNone)
    }

    func refuseDuplicates(_ named: [(String, SourceLocation)], of kind: String) {
        var first: [String: SourceLocation] = [:]
        for (name, place) in named {
            if let earlier = first[name] {
                problems.error(
                    place, "duplicate \(kind) \(quoted(name))", hint: "first at \(earlier)")
            } else {
                first[name] = place
            }
        }
    }

    private func workers(_ scalar: Scalar) throws(Complaint) -> Workers {
        scalar.text == "auto" ? .auto : .count(try scalar.number(1...256))
    }
}

/// Names of one kind: those that could be read, at their index, and all that were written.
struct Names {
    let built: [String]
    let written: [String]
    /// False when the place they are written in may be what could not be read.
    let areAllKnown: Bool

    /// The index of `name`; 0 when it has errors of its own, or nobody can know.
    func index(of name: String, kind: String) throws(Complaint) -> Int {
        if let index = built.firstIndex(of: name) { return index }
        if written.contains(name) || !areAllKnown { return 0 }
        throw Complaint(
            "unknown \(kind) \(quoted(name))",
            hint: written.isEmpty ? "none is declared" : hint(for: name, among: written))
    }
}

extension Reading {
    /// A path, relative to the file it stands in; nothing need be there.
    func path(_ scalar: Scalar) throws(Complaint) -> FileReference {
        let text = scalar.text
        guard !text.isEmpty, text.utf8.count < 4096, text.unicodeScalars.allSatisfy(isPlain) else {
            throw Complaint("\(quoted(text)) is not a path")
        }
        return FileReference(path: resolve(text, in: scalar.place.file), place: scalar.place)
    }

    /// A path of a file that can be read.
    func file(_ scalar: Scalar) throws(Complaint) -> FileReference {
        let reference = try path(scalar)
        if filesMustExist, let reason = reasonUnreadable(reference.path) {
            throw Complaint("\(quoted(reference.path, shownMax: 240)) cannot be read: \(reason)")
        }
        return reference
    }
}
