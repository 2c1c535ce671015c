// ListVersions.swift: what the record calls a state of the neutralization list.

internal import CSystem
internal import Glibc
internal import Neutralization

/// Names states by the moment they are put in force, in UTC; no two alike, and in order even when
/// the clock is set back.
struct ListVersions {
    private var last: UInt64 = 0

    /// The state with the next name.
    mutating func named(_ state: NeutralizationState) -> NeutralizationState {
        var state = state
        state.version = next()
        return state
    }

    /// A moment later than every one before, as in `2026-11-20T08:00:00.123Z`.
    mutating func next() -> String {
        last = max(last + 1, herse_clock(CLOCK_REALTIME) / 1_000_000)
        let seconds = UnixSeconds(Int64(last / 1000)).description
        let digits = String(1000 + last % 1000).dropFirst()
        return seconds.dropLast() + "." + digits + "Z"
    }
}
