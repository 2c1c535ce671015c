// RevocationReading.swift: revocation lists in files and at addresses, and OCSP.

/// A revocation list fetched from an address the operator wrote, never from one a certificate
/// names: who shows a certificate must not choose what the gate fetches.
package struct RevocationSource: Equatable, Sendable {
    package var url: String
    package var place: SourceLocation
    /// Seconds between two fetches.
    package var refresh: Int64 = 3600
    /// Seconds since the last fetch that worked, after which it is shown as degraded.
    package var stale: Int64 = 36 * 3600
    /// Trust anchors of an https address.
    package var authorities: FileReference?

    package init(url: String, place: SourceLocation) {
        self.url = url
        self.place = place
    }
}

/// What is asked about single certificates, RFC 6960.
package struct OCSPRule: Equatable, Sendable {
    package var place: SourceLocation
    /// Who is asked about clients' certificates; nil when nobody is.
    package var url: String?
    /// Seconds an answer is believed at most; less when it says so itself.
    package var cache: Int64 = 3600
    /// Whether a certificate nobody can answer about passes; shown as degraded.
    package var acceptsUnavailable = false
    /// Who is asked about the gate's own certificate, to staple the answer; nil for no stapling.
    package var stapleURL: String?
    /// Trust anchors of https addresses.
    package var authorities: FileReference?

    package init(place: SourceLocation) { self.place = place }
}

extension Reading {
    /// The lists of a listener: those in files, and those at addresses.
    func revocation(_ fields: Fields) -> (files: [FileReference], sources: [RevocationSource]) {
        var files: [FileReference] = []
        var sources: [RevocationSource] = []
        for value in fields.list("revocation_lists", countMax: 256) {
            if case .mapping = value.content {
                guard let source = revocationSource(value) else { continue }
                if let first = sources.first(where: { $0.url == source.url }) {
                    problems.error(
                        source.place, "duplicate address \(quoted(source.url))",
                        hint: "first at \(first.place)")
                }
                sources.append(source)
            } else if let file = scalar(
                value, called: "revocation_lists", problems,
                { (scalar) throws(Complaint) in
                    guard !scalar.text.hasPrefix("http://"), !scalar.text.hasPrefix("https://")
                    else {
                        throw Complaint(
                            "\(quoted(scalar.text)) is an address",
                            hint: "write `{url: \(scalar.text.prefix(60))}`")
                    }
                    return try self.file(scalar)
                })
            {
                files.append(file)
            }
        }
        return (files, sources)
    }

    private func revocationSource(_ value: Value) -> RevocationSource? {
        let keys = ["url", "refresh", "stale", "authorities"]
        guard
            let fields = Fields(value, of: "a revocation list", keys: keys, problems: problems)
        else { return nil }
        let url = address("url", fields, isRequired: true)
        var source = RevocationSource(url: url ?? "", place: value.place)
        source.refresh = fields.optional("refresh", default: source.refresh) {
            (scalar) throws(Complaint) in try scalar.seconds(1...7 * 86_400)
        }
        source.stale = fields.optional("stale", default: max(source.stale, source.refresh)) {
            (scalar) throws(Complaint) in try scalar.seconds(1...30 * 86_400)
        }
        if source.stale < source.refresh, let entry = fields["stale"] {
            problems.error(
                entry.place, "a list would be stale before it is fetched again",
                hint: "`stale` at least `refresh`, \(shown(.seconds(source.refresh)))")
        }
        source.authorities = authorities(fields, [url])
        return url == nil ? nil : source
    }

    func ocsp(_ entry: Entry?) -> OCSPRule? {
        let keys = ["url", "cache", "unavailable", "staple", "authorities"]
        guard let entry,
            let fields = Fields(entry.value, of: "`ocsp`", keys: keys, problems: problems)
        else { return nil }
        var rule = OCSPRule(place: entry.place)
        rule.url = address("url", fields, isRequired: fields["staple"] == nil)
        rule.cache = fields.optional("cache", default: rule.cache) { (scalar) throws(Complaint) in
            try scalar.seconds(1...7 * 86_400)
        }
        rule.acceptsUnavailable =
            fields.optional("unavailable", default: ListenerTLS.Expired.refuse) {
                (scalar) throws(Complaint) in try scalar.word(ListenerTLS.Expired.self)
            } == .unsafeAccept
        if fields["url"] == nil {
            for key in ["cache", "unavailable"] {
                guard let entry = fields[key] else { continue }
                problems.error(entry.place, "`\(key)` needs `url`, who is asked about clients")
            }
        }
        if let staple = fields["staple"],
            let fields = Fields(
                staple.value, of: "`staple`", keys: ["url"], problems: problems)
        {
            rule.stapleURL = address("url", fields, isRequired: true)
        }
        rule.authorities = authorities(fields, [rule.url, rule.stapleURL])
        return rule
    }

    private func address(_ key: String, _ fields: Fields, isRequired: Bool) -> String? {
        func read(_ scalar: Scalar) throws(Complaint) -> String {
            try scalar.webAddress(isSigned: true).text
        }
        return isRequired ? fields.required(key, read) : fields.optional(key, read)
    }

    /// Trust anchors, which https asks for and clear text has no use for.
    func authorities(_ fields: Fields, _ addresses: [String?]) -> FileReference? {
        let authorities = fields.optional("authorities") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        let isTLS = addresses.contains { $0?.hasPrefix("https://") == true }
        if isTLS, fields["authorities"] == nil {
            problems.error(
                fields.place, "an https address needs `authorities`",
                hint: "who signs its certificate; the system's store is never used")
        }
        return authorities
    }
}
