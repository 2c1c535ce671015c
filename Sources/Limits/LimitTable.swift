// LimitTable.swift: counts per professional, shared by all workers, kept over reload and kill -9.
//
// A file of fixed slots, mapped and shared: what one thread counts the kernel keeps when the process
// dies. Locks live in the process, one for each of 256 stripes of professionals, so a crash
// cannot leave one held. A charge holds its professional's lock from the first check to the last
// count: all windows are charged or none, and two workers never let one request too many pass.

import KeyedHash
import Synchronization

/// What was decided about one event.
package struct LimitOutcome: Equatable, Sendable {
    /// Whether the event may happen.
    package enum Decision: Equatable, Sendable {
        /// Counted in every window.
        case allowed
        /// Nothing was counted; of the exhausted windows, the one that stays so longest.
        case limited(window: Int, retryAfterSeconds: UInt64)
        /// The table has no room for this professional: fail closed, and tell the operator.
        case noRoom
    }

    package let decision: Decision
    /// One bit for each shadow window that would have refused, the first window's lowest.
    package let shadowed: UInt16
    /// The enforced window with the least left after this event; `nil` if there is none.
    package let tightest: WindowUsage?
}

/// How far one window is used.
package struct WindowUsage: Equatable, Sendable {
    /// Its place in the set.
    package let window: Int
    package let used: UInt64
    package let limit: UInt64
    /// Until more is left again; 0 when nothing is used.
    package let resetSeconds: UInt64

    package var remaining: UInt64 { limit > used ? limit - used : 0 }
}

/// The table of counts; open once, shared by all workers.
package final class LimitTable: Sendable {
    private let mapping: TableMapping
    private let stripes = StripeLocks()
    private let key: SipKey
    private let groupMask: UInt64
    /// The clock of this run; give its time to every call.
    package let clock: LimitClock

    /// Slots looked at for one window: eight groups of eight.
    static let groupSlots = 8
    static let groupsMax: UInt64 = 8

    /// Slots of a table if nothing else is asked for.
    ///
    /// 64 MiB: some 120,000 professionals with three windows at 70 % full. A million of them want 2²², which is 512 MiB.
    package static let slotsDefault = 1 << 19

    init(mapping: consuming TableMapping, clock: LimitClock) {
        key = mapping.key
        groupMask = UInt64(mapping.slots / Self.groupSlots) - 1
        self.mapping = mapping
        self.clock = clock
    }

    /// Opens the table of a state folder and goes on with its clock.
    ///
    /// Made with at least `slots` slots if there is none; a table that exists keeps its size.
    package static func open(
        stateFolder: String, slots: Int = slotsDefault, reading: ClockReading
    ) throws(LimitTableError) -> LimitTable {
        let mapping = try TableMapping(stateFolder: stateFolder, slots: slots)
        let clock = LimitClock(mapping.clockMemory, reading: reading)
        mapping.remember(clock.memory)
        return LimitTable(mapping: mapping, clock: clock)
    }

    package var slots: Int { mapping.slots }

    /// Starts writing the table out, for an orderly stop.
    package func flush() { mapping.flush() }

    /// The key of a professional: make it once a connection.
    package func professional(_ id: Span<UInt8>) -> ProfessionalKey {
        let hash = sipHash128(id, key: key)
        return ProfessionalKey(high: hash.first, low: hash.second)
    }

    /// Makes a set ready to be charged in this table; once for each generation of configuration.
    package func prepare(
        name: String, windows: [LimitWindow]
    ) throws(LimitSetError) -> LimitSet {
        try LimitSet(name: name, windows: windows, key: key)
    }

    /// Checks one event against every window of `set` and counts it in all, or in none.
    package func charge(
        _ who: ProfessionalKey, _ set: LimitSet, now: LimitTime
    ) -> LimitOutcome {
        mapping.remember(now)
        return stripes.withLock(stripe(of: who.high)) {
            chargeLocked(who, set.prepared, now)
        }
    }

    private func chargeLocked(
        _ who: ProfessionalKey, _ windows: [PreparedWindow], _ now: LimitTime
    ) -> LimitOutcome {
        var found = examine(who, windows, now)
        if let denied = found.denied {
            let seconds = (denied.wait + 999) / 1000
            let limit = windows[denied.window].limit
            return LimitOutcome(
                decision: .limited(window: denied.window, retryAfterSeconds: seconds),
                shadowed: found.shadowed,
                tightest: WindowUsage(
                    window: denied.window, used: denied.used, limit: limit, resetSeconds: seconds))
        }
        // Every slot is there before the first is charged: no room for one, nothing in the others.
        for ordinal in 0..<windows.count where found.slots[ordinal] < 0 {
            guard let number = insert(who, windows[ordinal], now) else {
                return LimitOutcome(decision: .noRoom, shadowed: found.shadowed, tightest: nil)
            }
            found.slots[ordinal] = number
        }
        for ordinal in 0..<windows.count where found.shadowed >> UInt16(ordinal) & 1 == 0 {
            mapping.slot(found.slots[ordinal]).count()
        }
        var tightest: WindowUsage?
        if let (ordinal, used) = found.tightest {
            tightest = usage(
                found.slots[ordinal], windows[ordinal], ordinal: ordinal, used: used + 1, now: now)
        }
        return LimitOutcome(decision: .allowed, shadowed: found.shadowed, tightest: tightest)
    }

    /// What a look at every window found, before anything is counted.
    private struct Examination {
        /// The number of each window's slot, -1 where there is none yet.
        var slots = InlineArray<16, Int>(repeating: -1)
        var shadowed: UInt16 = 0
        var denied: (window: Int, used: UInt64, wait: UInt64)?
        var tightest: (window: Int, used: UInt64)?
    }

    @inline(__always)
    private func examine(
        _ who: ProfessionalKey, _ windows: [PreparedWindow], _ now: LimitTime
    ) -> Examination {
        var found = Examination()
        var least = UInt64.max
        for ordinal in 0..<windows.count {
            let window = windows[ordinal]
            let number = find(who.high, who.low ^ window.mark) ?? -1
            found.slots[ordinal] = number
            let bucket = now.milliseconds / window.bucketMilliseconds
            let used = number < 0 ? 0 : mapping.slot(number).advance(to: bucket)
            if used < window.limit {
                if !window.isShadow, window.limit - used < least {
                    least = window.limit - used
                    found.tightest = (ordinal, used)
                }
            } else if window.isShadow {
                found.shadowed |= 1 << UInt16(ordinal)
            } else {
                let wait = wait(number, window, used: used, now: now)
                if wait >= found.denied?.wait ?? 0 { found.denied = (ordinal, used, wait) }
            }
        }
        return found
    }

    /// What is used of every window of `set`; counts nothing.
    package func usage(
        _ who: ProfessionalKey, _ set: LimitSet, now: LimitTime
    ) -> [WindowUsage] {
        stripes.withLock(stripe(of: who.high)) {
            var usages: [WindowUsage] = []
            for (ordinal, window) in set.prepared.enumerated() {
                let number = find(who.high, who.low ^ window.mark) ?? -1
                let bucket = now.milliseconds / window.bucketMilliseconds
                let used = number < 0 ? 0 : mapping.slot(number).advance(to: bucket)
                usages.append(usage(number, window, ordinal: ordinal, used: used, now: now))
            }
            return usages
        }
    }

    private func usage(
        _ number: Int, _ window: PreparedWindow, ordinal: Int, used: UInt64, now: LimitTime
    ) -> WindowUsage {
        var reset: UInt64 = 0
        if used >= window.limit {
            reset = wait(number, window, used: used, now: now)
        } else if used > 0 {
            reset = mapping.slot(number).wait(
                toForget: 1, bucketMilliseconds: window.bucketMilliseconds, now: now)
        }
        return WindowUsage(
            window: ordinal, used: used, limit: window.limit, resetSeconds: (reset + 999) / 1000)
    }

    /// Milliseconds until an exhausted window lets one event pass.
    private func wait(
        _ number: Int, _ window: PreparedWindow, used: UInt64, now: LimitTime
    ) -> UInt64 {
        guard window.limit > 0, number >= 0 else { return UInt64(window.spanSeconds) * 1000 }
        return mapping.slot(number).wait(
            toForget: used - window.limit + 1, bucketMilliseconds: window.bucketMilliseconds,
            now: now)
    }
}

// The search: groups of eight neighbouring slots, the groups spread by double hashing. A used slot
// never becomes free again, only another's, so the first free slot ends a search.
extension LimitTable {
    @inline(__always)
    private func stripe(of owner: UInt64) -> Int {
        Int(truncatingIfNeeded: owner & UInt64(StripeLocks.count - 1))
    }

    /// The number of the slot of (`owner`, `window`), whose stripe the caller holds.
    @inline(__always)
    private func find(_ owner: UInt64, _ window: UInt64) -> Int? {
        var group = window
        for _ in 0..<Self.groupsMax {
            let first = Int(truncatingIfNeeded: group & groupMask) * Self.groupSlots
            for number in first..<first + Self.groupSlots {
                let slot = mapping.slot(number)
                let state = slot.state
                if state == Slot.State.free { return nil }
                if state == Slot.State.used, slot.isOf(owner, window) { return number }
            }
            group = group &+ (window >> 32 | 1)
        }
        return nil
    }

    /// Takes a free slot, or one whose counts are all forgotten.
    @inline(never)
    private func insert(
        _ who: ProfessionalKey, _ prepared: PreparedWindow, _ now: LimitTime
    ) -> Int? {
        let owner = who.high
        let window = who.low ^ prepared.mark
        let bucket = now.milliseconds / prepared.bucketMilliseconds
        var group = window
        for _ in 0..<Self.groupsMax {
            let first = Int(truncatingIfNeeded: group & groupMask) * Self.groupSlots
            for number in first..<first + Self.groupSlots where take(number, from: owner, now) {
                mapping.slot(number).become(
                    owner, window, spanSeconds: prepared.spanSeconds, bucket: bucket)
                return number
            }
            group = group &+ (window >> 32 | 1)
        }
        return nil
    }

    private func take(_ number: Int, from taker: UInt64, _ now: LimitTime) -> Bool {
        let slot = mapping.slot(number)
        let state = slot.state
        let claimed = mapping.claimed
        if state != Slot.State.used {
            // Free, or left half taken by a run that was killed.
            return state != claimed && slot.claim(from: state, as: claimed)
        }
        guard slot.isOver(at: now) else { return false }
        // Its owner may be charging it at this moment: only under his lock may it be taken from
        // him, and only if he holds it no more. Never waits, so two takers cannot lock each other.
        let owner = slot.owner
        let taking = {
            slot.owner == owner && slot.isOver(at: now)
                && slot.claim(from: Slot.State.used, as: claimed)
        }
        if stripe(of: owner) == stripe(of: taker) { return taking() }
        return stripes.withLockIfFree(stripe(of: owner), taking) ?? false
    }
}
