// LimitReading.swift: sets of limits. A limit that would not be enforced is never accepted.

extension Reading {
    /// Limits of one set.
    private static let limitsMax = 16

    func limitSet(_ entry: Entry) -> LimitSet? {
        let name = Scalar(text: entry.key, isQuoted: false, place: entry.place)
        do {
            _ = try name.name()
        } catch {
            problems.error(entry.place, error)
        }
        guard case .list(let values) = entry.value.content else {
            problems.error(
                entry.value.place,
                "limits \(quoted(entry.key)) must be a list, not \(entry.value.kind)",
                hint: "write `- {count: requests, limit: 600, per: 1m}`")
            return nil
        }
        if values.isEmpty {
            problems.error(entry.place, "limits \(quoted(entry.key)) has no limit")
        }
        if values.count > Self.limitsMax {
            problems.error(
                entry.place,
                "limits \(quoted(entry.key)) has \(values.count) items, "
                    + "at most \(Self.limitsMax) are allowed")
        }
        let limits = values.prefix(Self.limitsMax).compactMap { limit($0) }
        refuseRepeated(limits, in: entry.key)
        return LimitSet(name: entry.key, place: entry.place, limits: limits)
    }

    private func limit(_ value: Value) -> Limit? {
        let keys = ["count", "limit", "per", "enforce"]
        guard let fields = Fields(value, of: "a limit", keys: keys, problems: problems) else {
            return nil
        }
        let count = fields.required("count") { (scalar) throws(Complaint) -> Limit.Count in
            guard ["lookups", "patients", "disclosures", "misses"].contains(scalar.text) else {
                return try scalar.word(Limit.Count.self)
            }
            throw Complaint(
                "\(quoted(scalar.text)) is not available in this version",
                hint: "only `requests` can be limited")
        }
        let limit = fields.required("limit") { (scalar) throws(Complaint) in
            try scalar.number(1...1_000_000_000)
        }
        let per = fields.required("per") { (scalar) throws(Complaint) in
            try scalar.duration(.seconds(1) ... .seconds(400 * 86_400))
        }
        let enforcement = fields.optional("enforce", default: Limit.Enforcement.deny) {
            (scalar) throws(Complaint) -> Limit.Enforcement in
            guard scalar.text != "step-up" else {
                throw Complaint(
                    "`step-up` is not available in this version", hint: "use `deny` or `shadow`")
            }
            return try scalar.word(Limit.Enforcement.self)
        }
        guard let count, let limit, let per else { return nil }
        return Limit(
            count: count, limit: limit, per: per, enforcement: enforcement, place: value.place)
    }

    private func refuseRepeated(_ limits: [Limit], in name: String) {
        for (index, limit) in limits.enumerated() {
            let earlier = limits[..<index].first {
                $0.count == limit.count && $0.per == limit.per
            }
            guard let earlier else { continue }
            problems.error(
                limit.place,
                "limits \(quoted(name)) limits \(limit.count.rawValue) per \(shown(limit.per)) "
                    + "twice",
                hint: "first at \(earlier.place)")
        }
    }
}
