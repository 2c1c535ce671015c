// LimitClock.swift: the time limits are reckoned in: it never goes back, and nobody can set it.
//
// Within one boot it runs with CLOCK_BOOTTIME, whatever is done to the wall clock. Across boots it
// goes on from the wall clock, or from the latest moment it ever showed if that is later: a wall
// clock set back forgets nothing, one set forward during a boot changes nothing.

/// Milliseconds since 1970 as the limit clock has it; near the wall clock, never compared with it.
package struct LimitTime: Hashable, Comparable, Sendable {
    package let milliseconds: UInt64

    package init(milliseconds: UInt64) { self.milliseconds = min(milliseconds, Self.latest) }

    package static func < (left: LimitTime, right: LimitTime) -> Bool {
        left.milliseconds < right.milliseconds
    }

    /// About the year 280,000: sums of times and spans stay far from overflow.
    static let latest: UInt64 = 1 << 53
}

/// The kernel's random name for the boot we are in (/proc/sys/kernel/random/boot_id).
package struct BootID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }
}

/// The clocks of the machine, read once.
package struct ClockReading: Equatable, Sendable {
    package let boot: BootID
    /// CLOCK_BOOTTIME.
    package let sinceBootMilliseconds: UInt64
    /// CLOCK_REALTIME; 0 when it stands before 1970.
    package let wallMilliseconds: UInt64

    package init(boot: BootID, sinceBootMilliseconds: UInt64, wallMilliseconds: UInt64) {
        self.boot = boot
        self.sinceBootMilliseconds = sinceBootMilliseconds
        self.wallMilliseconds = wallMilliseconds
    }
}

/// What the table file keeps of the clock.
struct ClockMemory: Equatable, Sendable {
    var boot: BootID
    /// Limit time at the start of that boot; limit time is this plus CLOCK_BOOTTIME.
    var origin: UInt64
    /// The latest limit time that was charged, to about a second.
    var mark: UInt64
}

/// The clock of one run of the gate; a pure function of what it is told.
package struct LimitClock: Equatable, Sendable {
    let memory: ClockMemory

    /// Goes on from what the table remembers, if anything, at the moment of `reading`.
    init(_ memory: ClockMemory?, reading: ClockReading) {
        let sinceBoot = min(reading.sinceBootMilliseconds, LimitTime.latest)
        let wall = min(reading.wallMilliseconds, LimitTime.latest)
        guard let memory else {
            let origin = wall > sinceBoot ? wall - sinceBoot : 0
            self.memory = ClockMemory(boot: reading.boot, origin: origin, mark: origin + sinceBoot)
            return
        }
        let mark = min(memory.mark, LimitTime.latest)
        if memory.boot == reading.boot {
            // `time` never shows less than the mark, even if the origin has been damaged.
            let origin = min(memory.origin, LimitTime.latest)
            self.memory = ClockMemory(boot: reading.boot, origin: origin, mark: mark)
        } else {
            let now = max(wall, mark)
            let origin = now > sinceBoot ? now - sinceBoot : 0
            self.memory = ClockMemory(boot: reading.boot, origin: origin, mark: mark)
        }
    }

    /// The limit time when CLOCK_BOOTTIME shows `sinceBootMilliseconds`.
    package func time(sinceBootMilliseconds: UInt64) -> LimitTime {
        let sinceBoot = min(sinceBootMilliseconds, LimitTime.latest)
        return LimitTime(milliseconds: max(memory.mark, memory.origin + sinceBoot))
    }
}
