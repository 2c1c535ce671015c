// Tallies.swift: what is counted of patients, accounts, structures and hours.

internal import RecordReading

/// What one account saw of one patient under one structure's name.
struct PatientPart {
    let account: Int32
    let structure: Int32
    var fields: FieldSet
    var first: UInt64
    var last: UInt64
    var count: UInt32
    /// How many of these answers certainly reached the client, in part at least.
    var reached: UInt32
}

/// One patient who was shown: some 250 bytes, and the identifiers.
struct PatientTally {
    var identifiers: [String]
    var parts: [PatientPart] = []
    /// Numbers of addresses; those beyond `addressesMax` are only in the list of accesses.
    var addresses: [Int32] = []
    var hasMoreAddresses = false

    static let addressesMax = 32

    var first: UInt64 { parts.map(\.first).min() ?? 0 }
    var last: UInt64 { parts.map(\.last).max() ?? 0 }
    var count: Int { parts.reduce(0) { $0 + Int($1.count) } }
    var fields: FieldSet { parts.reduce(FieldSet()) { $0.union($1.fields) } }
    /// Whether every answer that showed this patient ended before a byte of it had left.
    var isMaybeUnseen: Bool { parts.allSatisfy { $0.reached == 0 } }

    mutating func note(_ access: Access, account: Int32, structure: Int32, fields: FieldSet) {
        let time = access.entry.time
        let reached: UInt32 = access.leftNothing ? 0 : 1
        for index in parts.indices
        where parts[index].account == account && parts[index].structure == structure {
            parts[index].fields.formUnion(fields)
            parts[index].first = min(parts[index].first, time)
            parts[index].last = max(parts[index].last, time)
            parts[index].count += 1
            parts[index].reached += reached
            return
        }
        parts.append(
            PatientPart(
                account: account, structure: structure, fields: fields, first: time, last: time,
                count: 1, reached: reached))
    }

    mutating func note(address: Int32) {
        guard !addresses.contains(address) else { return }
        if addresses.count < Self.addressesMax {
            addresses.append(address)
        } else {
            hasMoreAddresses = true
        }
    }
}

/// What one account did, and what it used to do.
struct AccountTally {
    /// Requests of every kind and outcome.
    var requests = 0
    /// Answers that showed somebody, and identities in them.
    var accesses = Frequency()
    /// Distinct patients; known at the end.
    var patients = 0
    var misses = 0
    var refused = 0
    /// Refusals by a limit, which withheld an answer or stopped a request.
    var limited = 0
    var assumed = 0
    var breakGlass = 0
    /// Accesses on week-ends, or before 7 or from 20 o'clock in Paris.
    var offHours = 0
    /// Identities shown by day, counted from 1970 in Paris: in the period, and before it.
    var days: [Int32: Int] = [:]
    var usualDays: [Int32: Int] = [:]
    /// Addresses and structures, by number.
    var addresses: Set<Int32> = []
    var usualAddresses: Set<Int32> = []
    var structures: Set<Int32> = []
}

/// What happened under one structure's name.
struct StructureTally {
    var accesses = Frequency()
    /// Distinct patients; known at the end.
    var patients = 0
    var refused = 0
    var assumed = 0
    /// What each account saw under this name.
    var accounts: [Int32: Frequency] = [:]
    var fields = FieldSet()
    var days: [Int32: DayTally] = [:]
}

/// What happened in an hour, or on a day.
struct DayTally {
    var accesses = 0
    /// Identities shown.
    var shown = 0
    /// Of these, patients who had not been shown before.
    var fresh = 0
    var refused = 0

    static func += (left: inout DayTally, right: DayTally) {
        left.accesses += right.accesses
        left.shown += right.shown
        left.fresh += right.fresh
        left.refused += right.refused
    }
}

/// One answer that left, with how its delivery ended.
struct Access {
    var entry: RecordedEntry
    /// `whole`, `aborted`, or empty when the record says no more than that it began.
    var ending = ""
    var bytes: UInt64?

    /// Whether the connection ended before a byte of the answer had left.
    var leftNothing: Bool { ending == "aborted" && bytes == 0 }
}

/// The hour since 1970, of UTC and of Paris.
struct Hour {
    /// In UTC.
    let number: Int32
    /// The day since 1970 in Paris.
    let day: Int32
    let ofDay: Int
    /// Saturday or Sunday in Paris, or before 7 or from 20 o'clock.
    let isOff: Bool

    init(_ milliseconds: UInt64) {
        number = Int32(clamping: milliseconds / 3_600_000)
        let offset = UInt64(max(0, Paris.offset(at: milliseconds)))
        let local = milliseconds / 1000 + offset
        day = Int32(clamping: local / 86_400)
        ofDay = Int(local / 3600 % 24)
        // 1970-01-01 was a Thursday.
        let weekday = (day + 3) % 7
        isOff = weekday >= 5 || ofDay < 7 || ofDay >= 20
    }
}
