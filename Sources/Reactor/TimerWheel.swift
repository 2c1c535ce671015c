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

    /// Moves to `now`; hands every token that came round to `look`, which answers with the
    /// deadline to keep it for, or nil to forget it.
    package mutating func advance(to now: UInt64, _ look: (UInt64) -> UInt64?) {
        let target = now / Self.tickMilliseconds
        if held == 0 {
            tick = max(tick, target)
            return
        }
        while tick < target {
            tick += 1
            let index = Int(tick % UInt64(Self.slotCount))
            if slots[index].isEmpty { continue }
            var due: [UInt64] = []
            swap(&due, &slots[index])
            held -= due.count
            for token in due {
                if let deadline = look(token) { add(token, deadline: deadline) }
            }
            due.removeAll(keepingCapacity: true)
            if slots[index].isEmpty { swap(&due, &slots[index]) }
        }
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
