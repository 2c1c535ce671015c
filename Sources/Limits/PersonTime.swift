// PersonTime.swift: when a person was last shown: 28 bits of quarter seconds, which is 776 days.

/// Ticks of 250 ms; a cell of a set keeps the low 28 bits, 0 meaning that the cell is free.
enum PersonTime {
    static let milliseconds: UInt64 = 250
    static let bits: UInt64 = 28
    static let mask: UInt64 = 1 << bits - 1

    /// What is older has left every window: 400 days.
    static let keptTicks = ticks(spanSeconds: LimitWindow.spanSecondsMax)
    /// A set is gone through and its old persons dropped when that has not happened for longer.
    static let purgeMilliseconds: UInt64 = 30 * 86_400_000
    /// INVARIANT: no set is stamped that was not gone through for longer.
    ///
    /// Then no age in it can reach 776 days and pass for a young one: 300 + 400 days are less.
    static let purgeMillisecondsMax: UInt64 = 300 * 86_400_000
    /// A set touched later than this in the future has outlived its clock.
    static let aheadMillisecondsMax: UInt64 = 3_600_000

    /// The greatest age in ticks that lies within a span: both ends' ticks and the one that a
    /// stamp of 0 gives way by are on the safe side.
    static func ticks(spanSeconds: UInt32) -> UInt64 {
        UInt64(spanSeconds) * 1000 / milliseconds + 1
    }

    @inline(__always)
    static func stamp(_ tick: UInt64) -> UInt64 {
        let low = tick & mask
        return low == 0 ? mask : low
    }
}
