// Reckoning.swift: entries in, figures out: whom a breach showed to whom.
//
// One pass over the record, from the usual days before the period to the record's end. What is held
// grows with distinct patients, accounts and addresses and with hours, not with entries.

package import RecordReading

/// Counts what a dossier tells.
package final class Reckoning {
    package let scope: DossierScope
    private let sink: any DossierSink

    var accounts = NameTable()
    var structures = NameTable()
    var addresses = NameTable()
    var accountTallies: [Int32: AccountTally] = [:]
    var structureTallies: [Int32: StructureTally] = [:]
    var patients: [UInt64: PatientTally] = [:]
    var hours: [Int32: DayTally] = [:]
    /// Identities shown, by hour of the day in Paris.
    var hoursOfDay = [Int](repeating: 0, count: 24)

    /// All entries that were read.
    package private(set) var entries = 0
    /// The moment of the entry that was read last.
    package private(set) var reached: UInt64 = 0
    /// Answers that showed somebody, and identities in them, a patient as often as shown.
    var accesses = Frequency()
    /// Answers whose patients could not be understood, and at most how many these were.
    var unparsed = Frequency()
    var assumed = 0
    /// Answers that left and showed nobody.
    var misses = Frequency()
    var withoutPatients = Frequency()
    var aborted = Frequency()
    var leftNothing = 0
    var unknownEnding = 0
    /// Refusals of the period, by their word; and those of before and after.
    var refusals = Ledger()
    var refusalsBefore = Ledger()
    var refusalsAfter = Ledger()
    /// Patients a limit withheld; they were not shown.
    var withheld: Set<UInt64> = []
    var withheldAnswers = 0
    /// Answers that showed somebody after the period.
    var accessesAfter = Frequency()
    var origins = Ledger()
    var refusedOrigins = Ledger()
    var forwards = Ledger()
    var credentials: [Credential: Ledger] = [:]
    var clocks = Ledger()
    var numbers = EntryRanges()
    var timeline = Timeline()
    var unparsedShown: [Access] = []
    var abortedShown: [Access] = []
    /// More patients than can be held: the dossier cannot be made.
    package private(set) var isTooLarge = false

    /// Patients that are held at most, some 4 GiB of them.
    package static let patientsMax = 15_000_000
    /// Lines of a table that only shows examples.
    static let examplesMax = 200
    /// Answers whose end is waited for: more than a gate has under way at a time.
    static let underWayMax = 16_384

    private var underWay: [Access] = []
    private var firstUnderWay = 0
    private var placesUnderWay: [String: Int] = [:]

    package init(_ scope: DossierScope, sink: any DossierSink) {
        self.scope = scope
        self.sink = sink
        beginLists(sink)
    }

    /// Takes the next entry; false when no more are wanted.
    package func take(_ entry: borrowing RecordedEntry) -> Bool {
        entries += 1
        reached = max(reached, entry.time)
        if !entry.event.isEmpty {
            timeline.note(entry, scope)
            return true
        }
        guard entry.time >= scope.from else {
            noteUsual(entry)
            return true
        }
        guard scope.covers(entry) else { return true }
        if entry.delivery != "begun", entry.decision == "allow" {
            end(entry)
        } else if entry.time >= scope.to {
            noteAfter(entry)
        } else if entry.decision == "allow" {
            begin(entry)
        } else {
            refuse(entry)
        }
        return !isTooLarge && !sink.hasFailed
    }

    /// Counts what is still under way; no entry comes after.
    package func end() {
        while firstUnderWay < underWay.count { settleFirst() }
        for (_, patient) in patients {
            for account in Set(patient.parts.map(\.account)) {
                accountTallies[account]?.patients += 1
            }
            for structure in Set(patient.parts.map(\.structure)) {
                structureTallies[structure]?.patients += 1
            }
        }
    }

    private func noteUsual(_ entry: borrowing RecordedEntry) {
        guard entry.time >= scope.usualFrom, entry.delivery == "begun" else { return }
        if entry.decision != "allow" {
            if scope.covers(entry) { refusalsBefore.note(entry.why, entry.time) }
            return
        }
        guard scope.coversUsual(entry), !entry.persons.isEmpty else { return }
        let account = accounts.number(account(of: entry))
        let address = addresses.number(address(of: entry.peer))
        let day = Hour(entry.time).day
        accountTallies[account, default: AccountTally()].usualDays[day, default: 0] +=
            entry.persons.count
        accountTallies[account]?.usualAddresses.insert(address)
    }

    private func noteAfter(_ entry: borrowing RecordedEntry) {
        if entry.decision != "allow" {
            refusalsAfter.note(entry.why, entry.time)
        } else if !entry.persons.isEmpty {
            accessesAfter.note(entry.time, shown: entry.persons.count)
        }
    }

    private func begin(_ entry: borrowing RecordedEntry) {
        placesUnderWay[entry.request] = underWay.count
        underWay.append(Access(entry: copy entry, bytes: entry.bytes))
        if underWay.count - firstUnderWay > Self.underWayMax { settleFirst() }
        guard firstUnderWay > Self.underWayMax else { return }
        underWay.removeFirst(firstUnderWay)
        for (request, place) in placesUnderWay { placesUnderWay[request] = place - firstUnderWay }
        firstUnderWay = 0
    }

    /// The end of a delivery belongs to its beginning, when that is in the period.
    private func end(_ entry: borrowing RecordedEntry) {
        guard let place = placesUnderWay.removeValue(forKey: entry.request) else { return }
        underWay[place].ending = entry.delivery
        underWay[place].bytes = entry.bytes ?? underWay[place].bytes
    }

    private func settleFirst() {
        let access = underWay[firstUnderWay]
        // What is counted is not held.
        underWay[firstUnderWay] = Access(entry: RecordedEntry())
        if let place = placesUnderWay[access.entry.request], place == firstUnderWay {
            placesUnderWay[access.entry.request] = nil
        }
        firstUnderWay += 1
        settle(access)
    }

    private func settle(_ access: Access) {
        let entry = access.entry
        let account = accounts.number(Dossier.account(of: entry))
        accountTallies[account, default: AccountTally()].requests += 1
        if access.ending == "aborted" {
            aborted.note(entry.time)
            if access.leftNothing { leftNothing += 1 }
            if abortedShown.count < Self.examplesMax { abortedShown.append(access) }
        } else if access.ending.isEmpty {
            unknownEnding += 1
        }
        if entry.persons.isEmpty, entry.finding != "unparsed" {
            if entry.finding == "miss" {
                misses.note(entry.time)
                accountTallies[account]?.misses += 1
                list(attempt: entry, "miss", sink)
            } else {
                withoutPatients.note(entry.time)
            }
            return
        }
        count(access, account)
    }

    private func count(_ access: Access, _ account: Int32) {
        let entry = access.entry
        let structure = structures.number(entry.structure)
        let address = addresses.number(Dossier.address(of: entry.peer))
        let hour = Hour(entry.time)
        let shown = entry.persons.count
        var tally = DayTally(accesses: 1, shown: shown)
        numbers.note(entry.sequence)
        accesses.note(entry.time, shown: shown)
        var all = FieldSet()
        for person in entry.persons {
            let fields = FieldSet(person.fields.isEmpty ? entry.fields : person.fields)
            all.formUnion(fields)
            if patients[person.key] == nil {
                guard patients.count < Self.patientsMax else {
                    isTooLarge = true
                    return
                }
                tally.fresh += 1
                patients[person.key] = PatientTally(identifiers: person.identifiers)
            }
            patients[person.key]?.note(
                access, account: account, structure: structure, fields: fields)
            patients[person.key]?.note(address: address)
        }
        if entry.finding == "unparsed" {
            unparsed.note(entry.time)
            assumed += entry.assumed
            if unparsedShown.count < Self.examplesMax { unparsedShown.append(access) }
        }
        hours[hour.number, default: DayTally()] += tally
        hoursOfDay[hour.ofDay] += shown
        note(entry, account, address, hour)
        structureTallies[structure, default: StructureTally()].accesses.note(
            entry.time, shown: shown)
        structureTallies[structure]?.assumed += entry.assumed
        structureTallies[structure]?.accounts[account, default: Frequency()].note(
            entry.time, shown: shown)
        structureTallies[structure]?.fields.formUnion(all)
        structureTallies[structure]?.days[hour.day, default: DayTally()] += tally
        noteProof(entry)
        list(access, account: accounts.name(account), sink)
    }

    private func note(_ entry: RecordedEntry, _ account: Int32, _ address: Int32, _ hour: Hour) {
        let shown = entry.persons.count
        accountTallies[account]?.accesses.note(entry.time, shown: shown)
        accountTallies[account]?.assumed += entry.assumed
        accountTallies[account]?.days[hour.day, default: 0] += shown
        accountTallies[account]?.addresses.insert(address)
        accountTallies[account]?.structures.insert(structures.number(entry.structure))
        if hour.isOff { accountTallies[account]?.offHours += 1 }
        if entry.breakGlass != nil { accountTallies[account]?.breakGlass += 1 }
    }

    private func noteProof(_ entry: RecordedEntry) {
        let time = entry.time
        let shown = entry.persons.count
        origins.note(address(of: entry.peer), time, shown: shown)
        forwards.note(entry.forwarded, time, shown: shown)
        clocks.note(entry.clock, time)
        for credential in Credential.allCases {
            credentials[credential, default: Ledger()].note(
                credential.value(of: entry), time, shown: shown)
        }
    }

    private func refuse(_ entry: borrowing RecordedEntry) {
        let account = accounts.number(account(of: entry))
        accountTallies[account, default: AccountTally()].requests += 1
        accountTallies[account]?.refused += 1
        if entry.why == "limit" { accountTallies[account]?.limited += 1 }
        refusals.note(entry.why.isEmpty ? "–" : entry.why, entry.time)
        refusedOrigins.note(address(of: entry.peer), entry.time)
        hours[Hour(entry.time).number, default: DayTally()].refused += 1
        structureTallies[structures.number(entry.structure), default: StructureTally()]
            .refused += 1
        if !entry.withheld.isEmpty { withheldAnswers += 1 }
        for person in entry.withheld where withheld.count < Self.patientsMax {
            withheld.insert(person.key)
        }
        list(attempt: copy entry, entry.why, sink)
    }

    /// Names a patient whom the record knows by a keyed hash only; false when nobody like that was
    /// shown.
    package func name(_ key: UInt64, _ identifier: String) -> Bool {
        guard let patient = patients[key] else { return false }
        if !patient.identifiers.contains(identifier) {
            patients[key]?.identifiers.append(identifier)
        }
        return true
    }

    /// Distinct patients who were shown.
    package var patientCount: Int { patients.count }
    /// Those of whom nothing but a keyed hash is known.
    package var unnamedCount: Int { patients.values.count { $0.identifiers.isEmpty } }
    /// Whether nobody was shown, as far as anybody can tell.
    package var isEmpty: Bool { accesses.count == 0 }

    /// The figures that the command line prints.
    package var figures: Figures {
        Figures(
            accesses: accesses.count, shown: accesses.shown, assumed: assumed,
            accounts: accountTallies.values.count { $0.accesses.count > 0 },
            structures: structureTallies.values.count { $0.accesses.count > 0 },
            first: accesses.count > 0 ? accesses.first : nil,
            last: accesses.count > 0 ? accesses.last : nil)
    }
}

/// A dossier in a few numbers.
package struct Figures: Equatable, Sendable {
    /// Answers delivered, and identities in them.
    package let accesses: Int
    package let shown: Int
    /// Patients nobody knows, at most.
    package let assumed: Int
    package let accounts: Int
    package let structures: Int
    /// Milliseconds since 1970.
    package let first: UInt64?
    package let last: UInt64?
}
