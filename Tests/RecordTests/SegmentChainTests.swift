// SegmentChainTests.swift: what was acknowledged is there after every reopening, whatever fails.

import Synchronization
import Testing

@testable import Record

/// A small seeded generator, so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

/// What a start after a crash keeps of a segment.
private func reopened(_ bytes: [UInt8]) throws -> [String] {
    let end = try endOfEntries(size: bytes.count) { Array(bytes[$0]) }
    return recordLines(Array(bytes.prefix(end.length)))
}

@Suite struct `A chain of segments` {
    /// Batches of one to three entries, of very different widths.
    private let batches: [[String]] = (0..<12).map { number in
        (0...number % 3).map { entry(number * 10 + $0, width: [0, 300, 40, 900][number % 4]) }
    }

    /// Commits all batches and gives the entries that were acknowledged.
    private func commitAll(
        _ chain: inout SegmentChain<FailingFolder>, durable: Bool = true
    ) -> [String] {
        var acknowledged: [String] = []
        for entries in batches {
            do {
                // Two lanes, the second of which holds nothing half of the time.
                try chain.commit([batch(entries), []], durable: durable)
                acknowledged += entries
            } catch {}
        }
        return acknowledged
    }

    @Test func `holds what was committed, in order, and no half line`() {
        let disk = FailingDisk()
        var chain = disk.chain
        let acknowledged = commitAll(&chain)
        #expect(acknowledged == batches.flatMap(\.self))
        #expect(disk.lines == acknowledged)
        chain.close()
        #expect(disk.state.withLock { $0.segments.map(\.durable) } == [batch(acknowledged)])
    }

    @Test func `commits all lanes with one sync, and without one when none is asked for`() throws {
        let disk = FailingDisk()
        var chain = disk.chain
        try chain.commit([batch([entry(1)]), [], batch([entry(2), entry(3)])], durable: true)
        #expect(disk.syncs == 1)
        #expect(disk.lines == [entry(1), entry(2), entry(3)])
        try chain.commit([[], batch([entry(4)]), []], durable: false)
        #expect(disk.syncs == 1)
        #expect(disk.lines.last == entry(4))
    }

    @Test func `begins another segment when one is full, and closes the one before`() {
        let disk = FailingDisk()
        var chain = disk.chain(segmentBytesMax: 500)
        let acknowledged = commitAll(&chain)
        #expect(disk.segmentCount > 3)
        #expect(disk.openCount == 1)
        #expect(disk.lines == acknowledged)
        let closed = disk.state.withLock { $0.segments.dropLast().map(\.durable) }
        #expect(closed.allSatisfy { $0.count >= 500 && $0.suffix(2) == Array("}\n".utf8)[...] })
    }

    // Every call of a run fails once, or three times in a row; lost, or kept all the same.
    @Test(arguments: [1, 3], [false, true])
    func `keeps what it acknowledged, whichever call fails`(times: Int, kept: Bool) throws {
        let calm = FailingDisk()
        var unhurt = calm.chain(segmentBytesMax: 500)
        _ = commitAll(&unhurt)
        for first in 1...calm.calls {
            let disk = FailingDisk(failAt: first...(first + times - 1), kept: kept)
            var chain = disk.chain(segmentBytesMax: 500)
            let acknowledged = commitAll(&chain)
            let known = Set(batches.flatMap(\.self))
            #expect(acknowledged.count >= known.count - 3 * times, "call \(first)")
            #expect(disk.broken == [], "call \(first)")
            // A reader of the running gate sees no half line, except in a segment that was left
            // after a failed sync, or while a failed commit has not been written over.
            let seen = disk.lines
            #expect(seen.filter { acknowledged.contains($0) } == acknowledged, "call \(first)")
            let whole = seen.filter { known.contains($0) }
            let fails = first + times > disk.calls
            #expect(whole.count == seen.count || fails, "call \(first)")

            var random = SplitMix(state: UInt64(first))
            for run in 0..<4 {
                let pages: () -> Bool = {
                    run < 2 ? run == 0 : Bool.random(using: &random)
                }
                let after = try disk.crashed(pages).flatMap { try reopened($0) }
                let found = after.filter { acknowledged.contains($0) }
                #expect(found == acknowledged, "call \(first), run \(run)")
            }
            chain.close()
            #expect(disk.openCount == 0, "call \(first): a descriptor leaks")
            #expect(disk.lines.filter { acknowledged.contains($0) } == acknowledged)
        }
    }

    @Test(arguments: [false, true])
    func `acknowledges nothing more in a segment whose sync failed`(kept: Bool) throws {
        let disk = FailingDisk(kept: kept)
        var chain = disk.chain
        try chain.commit([batch([entry(1)])], durable: true)
        let next = disk.calls + 2  // the write, then the sync
        disk.state.withLock { $0.failAt = next...next }
        #expect(throws: RecordError.cannotSync(code: 5)) {
            try chain.commit([batch([entry(2)])], durable: true)
        }
        #expect(disk.openCount == 0)
        try chain.commit([batch([entry(3)])], durable: true)
        #expect(disk.segmentCount == 2)
        #expect(disk.openCount == 1)
        #expect(disk.broken == [])
        let last = disk.state.withLock { $0.segments.last?.durable ?? [] }
        #expect(recordLines(last) == [entry(3)])
    }

    @Test func `goes on when a full disk has room again, and leaves no half line`() throws {
        let disk = FailingDisk()
        var chain = disk.chain
        try chain.commit([batch([entry(1)])], durable: true)
        // No room for what is to be filled ahead next, a few bytes of which are written.
        let filled = disk.state.withLock { $0.segments[0].cached.count }
        disk.state.withLock { $0.room = filled + 10 }
        let wide = (2...4).map { entry($0, width: 1 << 10) }
        for _ in 0..<3 {
            #expect(throws: RecordError.cannotWrite(code: 28)) {
                try chain.commit([batch(wide)], durable: true)
            }
        }
        // What fits in what is filled already is kept meanwhile.
        try chain.commit([batch([entry(5)])], durable: true)
        #expect(disk.lines == [entry(1), entry(5)])
        disk.state.withLock { $0.room = .max }
        try chain.commit([batch(wide)], durable: true)
        try chain.commit([batch([entry(6)])], durable: true)
        #expect(disk.lines == [entry(1), entry(5)] + wide + [entry(6)])
        #expect(disk.broken == [])
    }

    @Test func `writes over what a longer commit left when it failed`() throws {
        let disk = FailingDisk(kept: true)
        var chain = disk.chain
        try chain.commit([batch([entry(1)])], durable: true)
        let lost = (2...9).map { entry($0, width: 100) }
        for _ in 0..<2 {
            let next = disk.calls + 1
            disk.state.withLock { $0.failAt = next...next }
            #expect(throws: RecordError.cannotWrite(code: 5)) {
                try chain.commit([batch(lost)], durable: true)
            }
        }
        #expect(disk.lines.count == 9)
        try chain.commit([batch([entry(10)])], durable: true)
        #expect(disk.lines == [entry(1), entry(10)])
    }

    @Test func `tries again with each commit when no segment can be made`() throws {
        let disk = FailingDisk(failAt: 1...2)
        var chain = disk.chain
        for _ in 0..<2 {
            #expect(throws: RecordError.cannotOpen(path: "disk", code: 5)) {
                try chain.commit([batch([entry(1)])], durable: true)
            }
        }
        try chain.commit([batch([entry(2)])], durable: true)
        #expect(disk.lines == [entry(2)])
    }
}
