// Limits.swift: what counting costs, and how large it grows.
//
//     Micro limits FOLDER PROFESSIONALS PERSONS SECONDS
//
// makes a table in FOLDER in which each professional has been shown so many persons, in turns, so
// that all sets grow together; then charges professionals at random for so long.

import CSystem
import Glibc
import Limits

/// The windows of a policy with everything in it.
private let windows = [
    LimitWindow(count: .requests, limit: 1_000_000_000, spanSeconds: 60),
    LimitWindow(count: .lookups, limit: 1_000_000_000, spanSeconds: 3_600),
    LimitWindow(count: .disclosures, limit: 1_000_000_000, spanSeconds: 3_600),
    LimitWindow(count: .patients, limit: 290, spanSeconds: 3_600),
    LimitWindow(count: .patients, limit: 600, spanSeconds: 30 * 86_400),
    LimitWindow(count: .patients, limit: 1_200, spanSeconds: 90 * 86_400),
]

private let start: UInt64 = 1_000_000_000_000

@Sendable
func timeLimits(_ arguments: [String]) {
    guard arguments.count == 4, let professionals = Int(arguments[1]), professionals > 0,
        let persons = Int(arguments[2]), persons > 0, let seconds = UInt64(arguments[3])
    else {
        print("Micro limits: FOLDER PROFESSIONALS PERSONS SECONDS are expected")
        exit(64)
    }
    do {
        let bench = try LimitsBench(
            folder: arguments[0], professionals: professionals, persons: persons)
        try bench.run(seconds: seconds)
    } catch {
        print("Micro limits: \(error)")
        exit(1)
    }
}

private struct LimitsBench {
    let table: LimitTable
    let set: LimitSet
    let who: [LimitSubjects]
    let persons: Int

    init(folder: String, professionals: Int, persons: Int) throws {
        // Three slots each, at most half of the table.
        var slots = 1 << 12
        while slots < professionals * 6 { slots *= 2 }
        table = try LimitTable.open(
            stateFolder: folder, slots: min(slots, 1 << 22), reading: .ofSystem())
        set = try table.prepare(name: "standard", windows: windows)
        who = (0..<professionals).map { [table] number in
            LimitSubjects(professional: table.professional(Array("8\(number)".utf8).span))
        }
        self.persons = persons
    }

    /// The keys of a person: his own, and the local id that he is known by as well.
    private func keys(_ professional: Int, _ number: Int) -> [UInt64] {
        let key = UInt64(professional) << 24 | UInt64(number)
        return [scattered(key), scattered(key | 1 << 63)]
    }

    func run(seconds: UInt64) throws {
        let fill = fill()
        var calls: UInt64 = 0
        let request = perSecond(seconds, &calls) { call, random in
            let event = LimitEvent(requests: 1, lookups: 1)
            let subject = who[Int(random % UInt64(who.count))]
            return table.charge(subject, set, event: event, now: now(call)).decision
        }
        let one = perSecond(seconds, &calls) { settle(1, $0, $1) }
        let ten = perSecond(seconds, &calls) { settle(10, $0, $1) }
        let bytes = table.personsBytes
        let each = Double(bytes.file) / Double(who.count)
        print(
            """
            {"professionals": \(who.count), "persons": \(persons), \
            "fill_us": \(fill), "request_us": \(request), "settle_one_us": \(one), \
            "settle_ten_us_each": \(ten / 10), "file_bytes": \(bytes.file), \
            "sets_bytes": \(bytes.sets), "bytes_per_professional": \(each)}
            """)
    }

    /// Time goes on so that each professional makes 20 calls an hour.
    private func now(_ call: UInt64) -> LimitTime {
        let filled = start + UInt64(persons) * 6_000_000
        return LimitTime(milliseconds: filled + call * 180_000 / UInt64(who.count))
    }

    /// Shows somebody whom he has seen, as most answers do, known by two keys.
    private func settle(_ count: Int, _ call: UInt64, _ random: UInt64) -> LimitOutcome.Decision {
        let professional = Int(random % UInt64(who.count))
        let first = Int(random >> 40 % UInt64(max(persons - count, 1)))
        let keys = (0..<count).flatMap { self.keys(professional, first + $0) }
        let starts = (0...count).map { $0 * 2 }
        return table.charge(
            who[professional], set, event: LimitEvent(disclosures: UInt32(count)),
            persons: keys.span, starts: starts.span, now: now(call)
        ).decision
    }

    /// Microseconds for each person shown for the first time.
    private func fill() -> Double {
        let begun = nanoseconds()
        var refused = 0
        for number in 0..<persons {
            let now = LimitTime(milliseconds: start + UInt64(number) * 6_000_000)
            for (professional, subject) in who.enumerated() {
                let keys = keys(professional, number)
                let starts = [0, 1]
                let outcome = table.charge(
                    subject, set, event: LimitEvent(disclosures: 1), persons: keys.span,
                    starts: starts.span, now: now)
                if outcome.decision != .allowed { refused += 1 }
            }
        }
        if refused > 0 { print("Micro limits: \(refused) refused") }
        return Double(nanoseconds() - begun) / 1_000 / Double(who.count * persons)
    }

    /// Microseconds a call takes.
    private func perSecond(
        _ seconds: UInt64, _ calls: inout UInt64,
        _ call: (UInt64, UInt64) -> LimitOutcome.Decision
    ) -> Double {
        let before = calls
        var spent: UInt64 = 0
        let begun = nanoseconds()
        while spent < seconds * 1_000_000_000 {
            for _ in 0..<1_000 {
                calls += 1
                guard call(calls, scattered(calls)) == .allowed else {
                    print("Micro limits: refused")
                    exit(1)
                }
            }
            spent = nanoseconds() - begun
        }
        return Double(spent) / 1_000 / Double(calls - before)
    }
}

/// Of this process on a core: what else the machine does doesn't count.
private func nanoseconds() -> UInt64 { herse_clock(CLOCK_PROCESS_CPUTIME_ID) }

private func scattered(_ number: UInt64) -> UInt64 {
    var mixed = number &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
}
