// AlertPace.swift: how often a destination is written to, and how long it is left alone when it fails.

/// So many a minute, in bursts of as many; and pauses after failures.
///
/// Times are milliseconds of a clock that never goes back.
struct AlertPace: Sendable {
    /// Messages a minute.
    let rate: Int
    /// When the last allowed message would have been due at an even pace.
    private var theoretical: UInt64 = 0
    private(set) var failures = 0
    private(set) var resumeAt: UInt64 = 0

    /// The first pause after a failure; each is twice the one before.
    static let pauseMin: UInt64 = 1_000
    static let pauseMax: UInt64 = 300_000
    private static let minute: UInt64 = 60_000

    init(rate: Int) { self.rate = max(1, rate) }

    /// The earliest moment for the next message.
    var next: UInt64 { max(resumeAt, nextByRate) }

    private var interval: UInt64 { Self.minute / UInt64(rate) }

    private var nextByRate: UInt64 {
        let slack = Self.minute - interval
        return theoretical > slack ? theoretical - slack : 0
    }

    /// Counts a message that is sent now.
    mutating func spend(now: UInt64) { theoretical = max(theoretical, now) + interval }

    mutating func succeed() {
        failures = 0
        resumeAt = 0
    }

    /// Begins a pause; `chance`, 0 to 1, spreads those who all failed at the same moment.
    mutating func fail(now: UInt64, chance: Double) {
        let doubled = Self.pauseMin << UInt64(min(failures, 12))
        let pause = min(doubled, Self.pauseMax)
        failures += 1
        resumeAt = now + pause / 2 + UInt64(Double(pause / 2) * min(max(chance, 0), 1))
    }

    /// Forgets the pause: somebody waits for the end.
    mutating func hurry(now: UInt64) { resumeAt = min(resumeAt, now) }
}
