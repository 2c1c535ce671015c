// RouteProofReading.swift: how good a proof a route asks for, and what machines may pass it.

import Identity

extension Reading {
    /// Reads `level`, `max_age` and `basic` into a route that has everything else.
    func readProof(_ fields: Fields, _ route: inout Route) {
        route.levelMin = fields.optional("level", default: route.levelMin) {
            (scalar) throws(Complaint) in try scalar.word(AssuranceLevel.self)
        }
        route.levelPlace = fields["level"]?.place
        route.ageMax = fields.optional("max_age") { (scalar) throws(Complaint) in
            UInt32(try scalar.seconds(1...30 * 86_400))
        }
        route.agePlace = fields["max_age"]?.place
        route.acceptsBasic = fields.optional("basic", default: false) {
            (scalar) throws(Complaint) in try scalar.truth()
        }
        if route.acceptsBasic, !route.requirements.isEmpty, let entry = fields["basic"],
            !route.requirements.contains(.pamTOTP)
        {
            problems.error(
                entry.place, "`basic` needs `pam+totp` in `require`",
                hint: "a password alone proves nothing: it is followed by the six digits")
        }
        if route.machines != nil, route.requirements == [.certificate],
            let entry = fields["max_age"]
        {
            problems.error(
                entry.place, "`max_age` on a route for machines",
                hint: "nobody is there to prove it anew; `ticket_lifetime` bounds a resumption")
        }
    }

    /// What organisation certificates may pass a route.
    func machines(
        _ entry: Entry, _ limits: Names, requirements: [ProofMethod]
    ) -> MachineRule? {
        let keys = ["names", "structures", "limits", "lookups"]
        guard let fields = Fields(entry.value, of: "`machines`", keys: keys, problems: problems)
        else { return nil }
        var rule = MachineRule(place: entry.place)
        for key in ["names", "structures"] {
            if let entry = fields[key] { refuseEmpty(entry, hint: "remove it to ask for nothing") }
        }
        if fields["names"] == nil, fields["structures"] == nil {
            problems.error(
                fields.place, "`machines` names nobody",
                hint: "`names`, the CN of certificates, or `structures`, or both")
        }
        let names = fields.texts("names", countMax: 1000) { (scalar) throws(Complaint) in
            try scalar.line()
        }
        rule.names = ByteSet(exactly: names.map(\.value))
        let structures = fields.texts("structures", countMax: 1000, structure)
        rule.structures = ByteSet(structures.map(\.value))
        rule.limits = fields.optional("limits") { (scalar) throws(Complaint) in
            try limits.index(of: scalar.text, kind: "limits")
        }
        rule.mayLookUp = accepts("lookups", of: fields)
        if !requirements.isEmpty, !requirements.contains(.certificate) {
            problems.error(
                entry.place, "`machines` needs `certificate` in `require`",
                hint: "an organisation proves itself by its certificate alone")
        }
        return rule
    }
}
