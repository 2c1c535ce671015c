// TimerWheel.swift: deadlines by the tick, lazily moved.
//
// Each connection stands in the wheel once. Moving its deadline is a store in the connection;
// when its slot comes round the owner is asked, and a deadline that has moved goes back in.

/// A hashed wheel of tokens: adding costs an append, moving a deadline costs nothing.
package struct TimerWheel {
    /// Milliseconds of one tick: the precision of every deadline.
    package static let tickMilliseconds: UInt64 = 50
    private static let slotCount = 1024  // 51.2 s a round

    private var slots: [[UInt64]] = Array(repeating: [], count: slotCount)
    private var tick: UInt64
    private var held = 0

    /// A wheel whose first tick is at `now`, in milliseconds of a monotonic clock.
    package init(now: UInt64) { tick = now / Self.tickMilliseconds }

    /// Puts `token` where it is looked at no later than one tick after `deadline`, or after a
    /// round of the wheel when the deadline lies further away.
    package mutating func add(_ token: UInt64, deadline: UInt64) {
        let due = max(deadline / Self.tickMilliseconds + 1, tick + 1)
        let slot = min(due, tick + UInt64(Self.slotCount) - 1)
        slots[Int(slot % UInt64(Self.slotCount))].append(token)
        held += 1
    }

    /// Moves an empty wheel to `now`: after a long wait with nothing held, a deadline added before
    /// `takeDue` would else land in a slot that is passed at once, and be forgotten.
    package mutating func keepUp(with now: UInt64) {
        if held == 0 { tick = max(tick, now / Self.tickMilliseconds) }
    }

    /// Moves to `now` and appends every token that came round to `due`.
    ///
    /// They are out of the wheel: whoever looks at them puts back those whose deadline has moved.
    /// They are handed over rather than looked at in here, since looking at one may add others.
    package mutating func takeDue(at now: UInt64, into due: inout [UInt64]) {
        let target = now / Self.tickMilliseconds
        while held > 0, tick < target {
            tick += 1
            let index = Int(tick % UInt64(Self.slotCount))
            if slots[index].isEmpty { continue }
            held -= slots[index].count
            due.append(contentsOf: slots[index])
            slots[index].removeAll(keepingCapacity: true)
        }
        keepUp(with: now)
    }

    /// Milliseconds a loop may wait at `now` before `advance` has work; −1 when nothing is held.
    package func wait(now: UInt64) -> Int32 {
        if held == 0 { return -1 }
        var next = tick + 1
        while next < tick + 20, slots[Int(next % UInt64(Self.slotCount))].isEmpty { next += 1 }
        let time = next * Self.tickMilliseconds
        return time <= now ? 0 : Int32(time - now)
    }
}
