// Slot.swift: one professional's count in one window: 128 bytes of the mapped table.
//
// A sliding window, approximated from above: time is cut into buckets of 1/23 of the span, and the
// slot keeps the count of the current bucket and of the 23 before it. These 24 always cover at
// least the span, so no true window ever holds more than the limit; an event is forgotten at most
// 1/23 of the span late.
//
//     0 owner (8)   8 window (8)   16 newest bucket (8)   24 state (4)   28 span seconds (4)
//     32 counts (24 × 4), the count of bucket b at place b modulo 24

import Synchronization

/// A view of one slot.
///
/// Its owner, window, newest, state and span may be read at any time; counts
/// only by who holds the lock of the owner's stripe.
///
/// Safe because only `LimitTable` makes one, over 128 bytes inside its mapping, 8-aligned.
@safe struct Slot {
    private let base: UnsafeMutableRawPointer

    static let size = 128
    /// Buckets that together are at least as long as the span.
    static let bucketsPerSpan: UInt64 = 23
    static let cells = 24

    enum State {
        static let free: UInt32 = 0
        static let used: UInt32 = 1
        /// Being written by run number `run` of the gate; nobody else touches it.
        ///
        /// What a killed
        /// run left claimed is as good as free, except that it does not end a search.
        static func claimed(run: UInt32) -> UInt32 { 2 | run << 8 }
    }

    @inline(__always)
    init(_ base: UnsafeMutableRawPointer) { unsafe self.base = base }

    static func bucketMilliseconds(spanSeconds: UInt32) -> UInt64 {
        (UInt64(spanSeconds) * 1000 + bucketsPerSpan - 1) / bucketsPerSpan
    }

    @inline(__always)
    private func word64(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Safe because an Atomic has the size and alignment of what it holds, and the memory is
        // only ever used through such views.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    @inline(__always)
    private func word32(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt32>> {
        // Safe as above.
        unsafe (base + offset).assumingMemoryBound(to: Atomic<UInt32>.self)
    }

    @inline(__always)
    private var counts: UnsafeMutablePointer<UInt32> {
        // Safe because the last 96 bytes of a slot are 24 counts and nothing else.
        unsafe (base + 32).assumingMemoryBound(to: UInt32.self)
    }

    var owner: UInt64 { unsafe word64(0).pointee.load(ordering: .relaxed) }
    var window: UInt64 { unsafe word64(8).pointee.load(ordering: .relaxed) }
    var newest: UInt64 { unsafe word64(16).pointee.load(ordering: .relaxed) }
    var state: UInt32 { unsafe word32(24).pointee.load(ordering: .acquiring) }
    var spanSeconds: UInt32 { unsafe word32(28).pointee.load(ordering: .relaxed) }

    @inline(__always)
    func isOf(_ owner: UInt64, _ window: UInt64) -> Bool {
        self.owner == owner && self.window == window
    }

    /// Whether everything it counted is forgotten, so that another window may take it.
    func isOver(at now: LimitTime) -> Bool {
        let span = spanSeconds
        guard span > 0 else { return true }
        let bucket = now.milliseconds / Slot.bucketMilliseconds(spanSeconds: span)
        return bucket >= newest && bucket - newest >= UInt64(Slot.cells)
    }

    /// Takes a slot in the state `from`; true for exactly one of those who try at once.
    func claim(from: UInt32, as claimed: UInt32) -> Bool {
        unsafe word32(24).pointee.compareExchange(
            expected: from, desired: claimed, ordering: .acquiringAndReleasing
        ).exchanged
    }

    /// Makes a claimed slot that of `owner` and `window`, nothing counted.
    func become(_ owner: UInt64, _ window: UInt64, spanSeconds: UInt32, bucket: UInt64) {
        unsafe word64(0).pointee.store(owner, ordering: .relaxed)
        unsafe word64(8).pointee.store(window, ordering: .relaxed)
        unsafe word64(16).pointee.store(bucket, ordering: .relaxed)
        unsafe word32(28).pointee.store(spanSeconds, ordering: .relaxed)
        // Safe because place stays below 24.
        for place in 0..<Slot.cells { unsafe counts[place] = 0 }
        unsafe word32(24).pointee.store(State.used, ordering: .releasing)
    }

    /// Moves on to the bucket of now, forgetting what is older than the window; gives what is
    /// counted within it.
    @inline(__always)
    func advance(to bucket: UInt64) -> UInt64 {
        let newest = self.newest
        if bucket != newest { move(from: newest, to: bucket) }
        var total: UInt64 = 0
        // Safe because place stays below 24.
        for place in 0..<Slot.cells { total += UInt64(unsafe counts[place]) }
        return total
    }

    @inline(never)
    private func move(from newest: UInt64, to bucket: UInt64) {
        if bucket < newest {
            // A little behind: another thread read the clock later. Far behind can only be damage
            // or a lost clock: keep all that is counted, as if it were counted now.
            if newest - bucket > UInt64(Slot.cells) {
                unsafe word64(16).pointee.store(bucket, ordering: .relaxed)
            }
            return
        }
        // INVARIANT: killed at any instruction, the slot counts too much, never too little: the
        // newest bucket moves first, then what that makes old is cleared.
        unsafe word64(16).pointee.store(bucket, ordering: .relaxed)
        atomicMemoryFence(ordering: .acquiringAndReleasing)
        let steps = min(bucket - newest, UInt64(Slot.cells))
        for step in 0..<steps {
            // Safe because a remainder of 24 is below 24.
            unsafe counts[Int((bucket - step) % UInt64(Slot.cells))] = 0
        }
    }

    /// Counts so many events in the newest bucket.
    @inline(__always)
    func count(_ amount: UInt32) {
        let place = Int(newest % UInt64(Slot.cells))
        // Safe because a remainder of 24 is below 24.
        let (sum, isOver) = unsafe counts[place].addingReportingOverflow(amount)
        unsafe counts[place] = isOver ? .max : sum
    }

    /// Milliseconds from `now` until at least `excess` (≥ 1) of what is counted is forgotten;
    /// the whole span if not that much is counted.
    func wait(toForget excess: UInt64, bucketMilliseconds: UInt64, now: LimitTime) -> UInt64 {
        let newest = self.newest
        var forgotten: UInt64 = 0
        var age = UInt64(Slot.cells) - 1
        while true {
            if newest >= age {
                let bucket = newest - age
                // Safe because a remainder of 24 is below 24.
                forgotten += UInt64(unsafe counts[Int(bucket % UInt64(Slot.cells))])
                if forgotten >= excess {
                    // Bucket b is forgotten when bucket b + 24 begins.
                    let end = (bucket + UInt64(Slot.cells)).multipliedReportingOverflow(
                        by: bucketMilliseconds)
                    if end.overflow || end.partialValue <= now.milliseconds { return 1 }
                    return end.partialValue - now.milliseconds
                }
            }
            if age == 0 { return bucketMilliseconds * UInt64(Slot.cells) }
            age -= 1
        }
    }
}
