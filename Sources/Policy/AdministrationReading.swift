// AdministrationReading.swift: who administers the gate, and what takes two of them.

/// How the gate is administered.
package struct AdministrationRule: Sendable {
    /// What a second administrator must approve.
    package enum FourEyes: String, CaseIterable, Sendable {
        /// Neutralizing many at once, or what stands for many.
        case mass
        case reinstate
        /// Exceptions to limits.
        case grant
        /// Purging segments of the record.
        case purge
    }

    package let place: SourceLocation
    package var approvers: [ApproverRule] = []
    package var fourEyes: Set<FourEyes> = []
    /// Subjects of one order from which on it counts as mass.
    package var massMin = 20
    /// Seconds an order waits for its approval.
    package var within: Int64 = 900

    /// Approvers a configuration may name.
    static let approversMax = 64
}

/// Somebody who may approve, by a key of theirs.
package struct ApproverRule: Sendable {
    package let name: String
    package let place: SourceLocation
    /// The system user they log in as.
    package let user: String
    /// Ed25519 public key, PEM.
    package let key: FileReference
}

extension Reading {
    func administration(_ entry: Entry?) -> AdministrationRule? {
        let keys = ["approvers", "four_eyes", "mass", "within"]
        guard let entry,
            let fields = Fields(
                entry.value, of: "`administration`", keys: keys, problems: problems)
        else { return nil }
        var rule = AdministrationRule(place: entry.place)
        let written = fields.list("approvers", countMax: AdministrationRule.approversMax)
        rule.approvers = written.compactMap(approver)
        refuseDuplicates(rule.approvers.map { ($0.name, $0.place) }, of: "approver")
        refuseDuplicates(rule.approvers.map { ($0.user, $0.place) }, of: "approver's user")
        rule.fourEyes = Set(
            fields.texts("four_eyes", countMax: 16) { (scalar) throws(Complaint) in
                try scalar.word(AdministrationRule.FourEyes.self)
            }.map(\.value))
        rule.massMin = fields.optional("mass", default: rule.massMin) {
            (scalar) throws(Complaint) in try scalar.number(2...100_000)
        }
        rule.within = fields.optional("within", default: rule.within) {
            (scalar) throws(Complaint) in try scalar.seconds(60...86_400)
        }
        // Two, so that whoever orders is never the only one who could approve.
        if !rule.fourEyes.isEmpty, written.count < 2 {
            problems.error(
                fields.place(of: "four_eyes"), "`four_eyes` needs at least two `approvers`",
                hint: "else nothing it holds could ever be approved")
        }
        return rule
    }

    private func approver(_ value: Value) -> ApproverRule? {
        guard
            let fields = Fields(
                value, of: "an approver", keys: ["name", "user", "key"], problems: problems),
            let name = fields.required(
                "name", { (scalar) throws(Complaint) in try scalar.name() }),
            let key = fields.required(
                "key", { (scalar) throws(Complaint) in try file(scalar) })
        else { return nil }
        let user = fields.optional("user", default: name) { (scalar) throws(Complaint) in
            try scalar.name()
        }
        return ApproverRule(name: name, place: value.place, user: user, key: key)
    }
}
