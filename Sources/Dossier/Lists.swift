// Lists.swift: the CSV files of a dossier: accesses, attempts, patients, accounts, events.

internal import RecordReading

extension Reckoning {
    private static let accessHead = [
        "entry", "segment", "time_utc", "time_paris", "account", "structure", "address", "peer",
        "forwarded", "method", "level", "issuer", "certificate", "client", "session",
        "provider_session", "token", "tls", "route", "interaction", "transaction", "request",
        "request_in", "status", "delivery", "bytes", "page", "clock", "break_glass",
        "patient_key", "identifiers", "fields", "assumed", "not_understood",
    ]

    private static let attemptHead = [
        "entry", "segment", "time_utc", "time_paris", "account", "structure", "address",
        "method", "certificate", "session", "token", "client", "route", "interaction", "request",
        "status", "decision", "why", "rule", "withheld_patients",
    ]

    func beginLists(_ sink: any DossierSink) {
        sink.append("accesses.csv", csvRow(Self.accessHead))
        sink.append("attempts.csv", csvRow(Self.attemptHead))
    }

    /// An access as a row for each patient shown, or one that says how many may have been.
    func list(_ access: Access, account: String, _ sink: any DossierSink) {
        let entry = access.entry
        let beginning = [
            String(entry.sequence), String(entry.segment), Moment(milliseconds: entry.time).stamp,
            Paris(entry.time).stamp, account, entry.structure, address(of: entry.peer), entry.peer,
            entry.forwarded, entry.method, entry.level, entry.issuer, entry.certificate,
            entry.client, entry.session, entry.providerSession, entry.token, entry.tls,
            entry.route, entry.interaction, entry.transaction, entry.request, entry.requestIn,
            String(entry.status), access.ending.isEmpty ? "begun" : access.ending,
            access.bytes.map { String($0) } ?? "", entry.page.map { String($0) } ?? "",
            entry.clock, entry.breakGlass ?? "",
        ]
        var rows = ""
        for person in entry.persons {
            let fields = FieldSet(person.fields.isEmpty ? entry.fields : person.fields)
            rows += csvRow(
                beginning + [
                    spelled(person.key), person.identifiers.joined(separator: " "),
                    fields.names.joined(separator: " "), "", "",
                ])
        }
        if entry.finding == "unparsed" {
            rows += csvRow(beginning + ["", "", "", String(entry.assumed), entry.unparsed])
        }
        sink.append("accesses.csv", rows)
        let own = folder(ofStructure: entry.structure) + "/accesses.csv"
        if structureTallies[structures.number(entry.structure)]?.accesses.count == 1 {
            sink.append(own, csvRow(Self.accessHead))
        }
        sink.append(own, rows)
    }

    /// A request that showed nobody.
    func list(attempt entry: RecordedEntry, _ why: String, _ sink: any DossierSink) {
        sink.append(
            "attempts.csv",
            csvRow([
                String(entry.sequence), String(entry.segment),
                Moment(milliseconds: entry.time).stamp, Paris(entry.time).stamp,
                account(of: entry), entry.structure, address(of: entry.peer), entry.method,
                entry.certificate, entry.session, entry.token, entry.client, entry.route,
                entry.interaction, entry.request, String(entry.status), entry.decision, why,
                entry.rule, entry.withheld.isEmpty ? "" : String(entry.withheld.count),
            ]))
    }

    /// Patients in the order in which they were first shown, which is that of their references.
    var patientsInOrder: [UInt64] {
        patients.map { (first: $0.value.first, key: $0.key) }
            .sorted { $0.first != $1.first ? $0.first < $1.first : $0.key < $1.key }
            .map(\.key)
    }

    /// Who is shown under which reference: `P-000001`.
    static func reference(_ index: Int) -> String {
        let digits = String(index + 1)
        return "P-" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    private static let patientHead = [
        "reference", "identifiers", "patient_key", "fields", "first_access_utc",
        "first_access_paris", "last_access_utc", "last_access_paris", "accesses", "accounts",
        "structures", "addresses", "delivery",
    ]

    /// `patients.csv` of the whole, of each structure and of each domain of identifiers.
    func listPatients(_ order: [UInt64], _ sink: any DossierSink) {
        sink.append("patients.csv", csvRow(Self.patientHead))
        var begun: Set<String> = []
        func add(_ path: String, _ row: String) {
            if begun.insert(path).inserted { sink.append(path, csvRow(Self.patientHead)) }
            sink.append(path, row)
        }
        for (index, key) in order.enumerated() {
            guard let patient = patients[key] else { continue }
            let reference = Self.reference(index)
            sink.append("patients.csv", row(reference, key, patient, patient.identifiers))
            for structure in Set(patient.parts.map(\.structure)) {
                var part = patient
                part.parts = patient.parts.filter { $0.structure == structure }
                // Addresses are kept for the patient as a whole; a partner's own are in its list
                // of accesses.
                if part.parts.count < patient.parts.count { part.addresses = [] }
                add(
                    folder(ofStructure: structures.name(structure)) + "/patients.csv",
                    row(reference, key, part, part.identifiers))
            }
            for domain in Set(patient.identifiers.compactMap(domain(of:))) {
                let own = patient.identifiers.filter { self.domain(of: $0) == domain }
                add(
                    "domains/" + safeName(domain) + "/patients.csv",
                    row(reference, key, patient, own))
            }
        }
    }

    private func row(
        _ reference: String, _ key: UInt64, _ patient: PatientTally, _ identifiers: [String]
    ) -> String {
        func names(_ numbers: some Sequence<Int32>, _ table: NameTable) -> String {
            Set(numbers).map { table.name($0) }.sorted().joined(separator: " ")
        }
        return csvRow([
            reference, identifiers.joined(separator: " "), spelled(key),
            patient.fields.names.joined(separator: " "),
            Moment(milliseconds: patient.first).stamp, Paris(patient.first).stamp,
            Moment(milliseconds: patient.last).stamp, Paris(patient.last).stamp,
            String(patient.count), names(patient.parts.map(\.account), accounts),
            names(patient.parts.map(\.structure), structures),
            names(patient.addresses, addresses) + (patient.hasMoreAddresses ? " …" : ""),
            patient.isMaybeUnseen ? "nothing-left" : "delivered",
        ])
    }

    /// The system of `SYSTEM|VALUE`, `urn:oid:` taken off; nil for what has none.
    func domain(of identifier: String) -> String? {
        guard let bar = identifier.lastIndex(of: "|"), bar != identifier.startIndex else {
            return nil
        }
        let system = identifier[..<bar]
        return String(system.hasPrefix("urn:oid:") ? system.dropFirst(8) : system)
    }

    /// Distinct patients known to each domain of identifiers, the most first.
    var domains: [(domain: String, patients: Int)] {
        var counts: [String: Int] = [:]
        for (_, patient) in patients {
            for domain in Set(patient.identifiers.compactMap(domain(of:))) {
                counts[domain, default: 0] += 1
            }
        }
        return counts.map { ($0.key, $0.value) }.sorted {
            $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0
        }
    }

    func listEvents(_ sink: any DossierSink) {
        sink.append(
            "events.csv",
            csvRow([
                "entry", "time_utc", "time_paris", "event", "account", "session", "method",
                "issuer", "address", "why", "act", "by", "outcome", "ticket", "subjects",
            ]))
        for entry in (timeline.signIns + orders).sorted(by: { $0.time < $1.time }) {
            sink.append(
                "events.csv",
                csvRow([
                    String(entry.sequence), Moment(milliseconds: entry.time).stamp,
                    Paris(entry.time).stamp, entry.event, account(of: entry), entry.session,
                    entry.method, entry.issuer, address(of: entry.peer), entry.why, entry.act,
                    entry.by, entry.outcome, entry.ticket,
                    entry.subjects.joined(separator: " "),
                ]))
        }
    }

    func listAccounts(_ sink: any DossierSink) {
        sink.append(
            "accounts.csv",
            csvRow([
                "account", "patients", "identities_shown", "accesses", "requests",
                "first_access_utc", "last_access_utc", "active_days", "median_per_active_day",
                "usual_active_days", "usual_median_per_active_day", "refused", "limited",
                "not_found", "off_hours_accesses", "addresses", "new_addresses", "structures",
                "break_glass", "assumed", "signs",
            ]))
        for standing in standings {
            let tally = standing.tally
            func stamp(_ time: UInt64) -> String {
                tally.accesses.count > 0 ? Moment(milliseconds: time).stamp : ""
            }
            sink.append(
                "accounts.csv",
                csvRow([
                    standing.account, String(tally.patients), String(tally.accesses.shown),
                    String(tally.accesses.count), String(tally.requests),
                    stamp(tally.accesses.first), stamp(tally.accesses.last),
                    String(tally.days.count), String(median(tally.days.values)),
                    String(tally.usualDays.count), String(median(tally.usualDays.values)),
                    String(tally.refused), String(tally.limited), String(tally.misses),
                    String(tally.offHours), String(tally.addresses.count),
                    String(tally.addresses.subtracting(tally.usualAddresses).count),
                    String(tally.structures.count), String(tally.breakGlass),
                    String(tally.assumed),
                    standing.signs.map(\.rawValue).joined(separator: " "),
                ]))
        }
    }
}

/// The folder of a structure's part.
func folder(ofStructure structure: String) -> String {
    "structures/" + (structure.isEmpty ? "without-structure" : safeName(structure))
}

/// A name for a file, made of what came over the network: letters, digits and `.-_`; whatever else
/// was in it, the name tells apart by a number.
func safeName(_ text: String) -> String {
    var name = ""
    var sum: UInt32 = 2_166_136_261
    var isChanged = false
    for byte in text.utf8 {
        sum = (sum ^ UInt32(byte)) &* 16_777_619
        let isPlain =
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte == 0x2D || byte == 0x5F
            || (byte == 0x2E && !name.isEmpty && name.last != ".")
        if name.utf8.count < 80 {
            name.unicodeScalars.append(isPlain ? Unicode.Scalar(byte) : "_")
        }
        isChanged = isChanged || !isPlain || name.utf8.count >= 80
    }
    return isChanged || name.isEmpty ? name + "-" + String(sum, radix: 16) : name
}
