// SlotSearch.swift: finding and taking slots.
//
// Groups of eight neighbouring slots, the groups spread by double hashing. A used slot never
// becomes free again, only another's, so the first free slot ends a search.

extension LimitTable {
    /// The number of the slot of (`owner`, `window`), whose stripe the caller holds.
    @inline(__always)
    func find(_ owner: UInt64, _ window: UInt64) -> Int? {
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
    func insert(
        _ who: ProfessionalKey, _ prepared: PreparedWindow, _ now: LimitTime, held: HeldStripes
    ) -> Int? {
        let owner = who.high
        let window = who.low ^ prepared.mark
        let bucket = now.milliseconds / prepared.bucketMilliseconds
        var group = window
        for _ in 0..<Self.groupsMax {
            let first = Int(truncatingIfNeeded: group & groupMask) * Self.groupSlots
            for number in first..<first + Self.groupSlots where take(number, now, held: held) {
                mapping.slot(number).become(
                    owner, window, spanSeconds: prepared.spanSeconds, bucket: bucket)
                return number
            }
            group = group &+ (window >> 32 | 1)
        }
        return nil
    }

    private func take(_ number: Int, _ now: LimitTime, held: HeldStripes) -> Bool {
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
        let stripe = StripeLocks.stripe(of: ProfessionalKey(high: owner, low: 0))
        return held.withLockIfFree(stripe, taking) ?? false
    }
}
