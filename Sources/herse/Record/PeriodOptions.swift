// PeriodOptions.swift: from when and until when.

import ArgumentParser

/// A period of the record.
struct PeriodOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "From when: so long before now or --until, such as 30d, or a time.",
            valueName: "time"))
    var since: String?

    @Option(help: ArgumentHelp("Until when; now unless given.", valueName: "time"))
    var until: String?

    func validate() throws {
        try mustBeMoment(since, "--since")
        try mustBeMoment(until, "--until")
        let period = milliseconds()
        guard period.since < period.until else {
            throw ValidationError("--since: the period ends before it begins")
        }
    }

    var isGiven: Bool { since != nil || until != nil }

    /// From then on and before, in milliseconds since 1970; all there is where nothing is said.
    func milliseconds(now: UInt64 = millisecondsNow()) -> (since: UInt64, until: UInt64) {
        let said = readPeriod(from: since, to: until, now: now)
        return (said.since ?? 0, said.until ?? .max)
    }
}
