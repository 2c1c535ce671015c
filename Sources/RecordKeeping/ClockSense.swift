// ClockSense.swift: whether the clock may be believed by what cannot be undone.
//
// A gate that starts with its clock a year ahead would find all of its record too old.

internal import Glibc

/// Follows the clock, and notices when it leaps ahead.
struct ClockSense {
    /// What the clock said last, and the monotonic clock with it; milliseconds.
    private var known: (wall: UInt64, monotonic: UInt64)
    /// Since when, on the monotonic clock, it is ahead of what was expected.
    private var leaptAt: UInt64?

    /// Milliseconds that it may be ahead, and for how long it is doubted then: one day.
    ///
    /// A gate that was off for longer purges a day later than it might.
    static let slack: UInt64 = 86_400_000

    enum Verdict: Equatable {
        case plausible
        /// So many days ahead; whether that was not said before.
        case leapt(days: UInt64, isNews: Bool)
    }

    /// `lastKnown` is the newest time that is known from before; nil when there is none.
    init(lastKnown: UInt64?, wall: UInt64, monotonic: UInt64) {
        known = (min(lastKnown ?? wall, wall), monotonic)
    }

    /// Looks at both clocks.
    mutating func look(wall: UInt64, monotonic: UInt64) -> Verdict {
        let expected = known.wall + (monotonic - min(monotonic, known.monotonic))
        let ahead = wall - min(wall, expected)
        let isNews = leaptAt == nil
        if ahead > Self.slack {
            let since = leaptAt ?? monotonic
            leaptAt = since
            guard monotonic - min(monotonic, since) >= Self.slack else {
                return .leapt(days: ahead / Self.slack, isNews: isNews)
            }
        }
        known = (wall, monotonic)
        leaptAt = nil
        return .plausible
    }
}

/// When a file was last written to, in milliseconds since 1970; nil when it is not there.
func modified(_ path: String) -> UInt64? {
    var status = stat()
    // Safe because the structure is a local.
    guard unsafe lstat(path, &status) == 0, status.st_mtim.tv_sec > 0 else { return nil }
    return UInt64(status.st_mtim.tv_sec) * 1000
}
