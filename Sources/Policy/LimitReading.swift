// LimitReading.swift: sets of limits. A limit that would not be enforced is never accepted.

import Identity

extension Reading {
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
        if values.count > LimitSet.limitsMax {
            problems.error(
                entry.place,
                "limits \(quoted(entry.key)) has \(values.count) items, "
                    + "at most \(LimitSet.limitsMax) are allowed")
        }
        let limits = values.prefix(LimitSet.limitsMax).compactMap { limit($0) }
        refuseRepeated(limits, in: entry.key)
        refuseSeveralLevels(limits, in: entry.key)
        return LimitSet(name: entry.key, place: entry.place, limits: limits)
    }

    private func limit(_ value: Value) -> Limit? {
        let keys = [
            "count", "limit", "per", "enforce", "max_age", "level", "each", "roles", "structures",
        ]
        guard let fields = Fields(value, of: "a limit", keys: keys, problems: problems) else {
            return nil
        }
        let count = fields.required("count") { (scalar) throws(Complaint) in
            try scalar.word(Limit.Count.self)
        }
        let limit = fields.required("limit") { (scalar) throws(Complaint) in
            try scalar.number(1...1_000_000_000)
        }
        let per = fields.required("per") { (scalar) throws(Complaint) in
            try scalar.duration(.seconds(1) ... .seconds(400 * 86_400))
        }
        let enforcement = fields.optional("enforce", default: Limit.Enforcement.deny) {
            (scalar) throws(Complaint) in try scalar.word(Limit.Enforcement.self)
        }
        let age = fields.optional("max_age", default: .seconds(300)) {
            (scalar) throws(Complaint) in
            try scalar.duration(.seconds(1) ... .seconds(3600))
        }
        if enforcement != .stepUp, let entry = fields["max_age"] {
            problems.error(
                entry.place, "`max_age` goes with `enforce: step-up` only",
                hint: "it is how long ago the card may have been shown")
        }
        let level = fields.optional("level", default: AssuranceLevel.low) {
            (scalar) throws(Complaint) in try scalar.word(AssuranceLevel.self)
        }
        if enforcement != .stepUp, let entry = fields["level"] {
            problems.error(
                entry.place, "`level` goes with `enforce: step-up` only",
                hint: "it is how sure the proof must make beyond the limit")
        }
        let each = fields.optional("each", default: Limit.Owner.professional) {
            (scalar) throws(Complaint) in try scalar.word(Limit.Owner.self)
        }
        let roles = filter(fields, "roles") { (scalar) throws(Complaint) in
            foldedTitle(try scalar.line())
        }
        let structures = filter(fields, "structures", structure)
        guard let count, let limit, let per else { return nil }
        return Limit(
            count: count, limit: limit, per: per, enforcement: enforcement,
            cardAgeMax: enforcement == .stepUp ? age : nil,
            stepUpLevel: enforcement == .stepUp ? level : .low, each: each, roles: Set(roles),
            structures: ByteSet(structures), place: value.place)
    }

    /// For whom a limit holds; an empty list would hold for nobody, which is a limit forgotten.
    private func filter(
        _ fields: Fields, _ key: String, _ read: (Scalar) throws(Complaint) -> String
    ) -> [String] {
        guard let entry = fields[key] else { return [] }
        if isEmptyList(entry) {
            problems.error(
                entry.place, "`\(key)` is empty", hint: "remove it to mean everybody")
        }
        return fields.texts(key, countMax: 1000, read).map(\.value)
    }

    /// Whoever is asked for a better proof must know which one ends the asking.
    private func refuseSeveralLevels(_ limits: [Limit], in name: String) {
        let steps = limits.filter { $0.enforcement == .stepUp }
        guard let first = steps.first,
            let other = steps.first(where: { $0.stepUpLevel != first.stepUpLevel })
        else { return }
        problems.error(
            other.place,
            "limits \(quoted(name)) step up to \(other.stepUpLevel.rawValue) and to "
                + first.stepUpLevel.rawValue,
            hint: "one `level` for all of a set; first at \(first.place)")
    }

    private func refuseRepeated(_ limits: [Limit], in name: String) {
        for (index, limit) in limits.enumerated() {
            guard let earlier = limits[..<index].first(where: limit.isTwin) else { continue }
            problems.error(
                limit.place,
                "limits \(quoted(name)) limits \(limit.count.rawValue) per \(shown(limit.per)) "
                    + "twice",
                hint: "first at \(earlier.place)")
        }
    }
}
