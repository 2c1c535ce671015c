// SegmentChainTests.swift: what was acknowledged is there after every reopening, whatever fails.

import Sealing
import Synchronization
import Testing
import Transparency

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

/// What a start after a crash counts of a segment.
private func reopened(_ bytes: [UInt8]) throws -> [String] {
    let scratch = try Scratch()
    try scratch.write(bytes, to: "segment")
    let scan = try SegmentScan(path: scratch.path + "/segment")
    return entryLines(Array(bytes.prefix(scan.bytes)))
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
                try chain.commit([batch(entries), []], durable: durable, at: calm)
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
        chain.close(at: calm)
        #expect(disk.state.withLock { entryLines($0.segments[0].durable) } == acknowledged)
        #expect(disk.segmentCount == 1)
    }

    @Test func `commits all lanes with one sync, and without one when none is asked for`() throws {
        let disk = FailingDisk()
        var chain = disk.chain
        try chain.commit(
            [batch([entry(1)]), [], batch([entry(2), entry(3)])], durable: true, at: calm)
        #expect(disk.syncs == 1)
        #expect(disk.lines == [entry(1), entry(2), entry(3)])
        try chain.commit([[], batch([entry(4)]), []], durable: false, at: calm)
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
        // Each is signed to its end.
        #expect(
            closed.allSatisfy { recordLines($0).last?.hasPrefix("\(CheckpointLine.mark)") == true })
    }

    // Every call of a run fails once, or three times in a row; lost, or kept all the same.
    @Test(arguments: [1, 3], [false, true])
    func `keeps what it acknowledged, whichever call fails`(times: Int, kept: Bool) throws {
        let healthy = FailingDisk()
        var unhurt = healthy.chain(segmentBytesMax: 500)
        _ = commitAll(&unhurt)
        for first in 1...healthy.calls {
            let disk = FailingDisk(failAt: first...(first + times - 1), kept: kept)
            var chain = disk.chain(segmentBytesMax: 500)
            let acknowledged = commitAll(&chain)
            let known = Set(batches.flatMap(\.self))
            #expect(acknowledged.count >= known.count - 3 * times, "call \(first)")
            #expect(disk.broken == [], "call \(first)")
            let seen = disk.lines
            #expect(seen.filter { acknowledged.contains($0) } == acknowledged, "call \(first)")

            var random = SplitMix(state: UInt64(first))
            for run in 0..<4 {
                let pages: () -> Bool = {
                    run < 2 ? run == 0 : Bool.random(using: &random)
                }
                let after = try disk.crashed(pages).flatMap { try reopened($0) }
                let found = after.filter { acknowledged.contains($0) }
                #expect(found == acknowledged, "call \(first), run \(run)")
            }
            chain.close(at: calm)
            #expect(disk.openCount == 0, "call \(first): a descriptor leaks")
            #expect(disk.lines.filter { acknowledged.contains($0) } == acknowledged)
        }
    }

    @Test(arguments: [false, true])
    func `acknowledges nothing more in a segment whose sync failed`(kept: Bool) throws {
        let disk = FailingDisk(kept: kept)
        var chain = disk.chain
        try chain.commit([batch([entry(1)])], durable: true, at: calm)
        let next = disk.calls + 2  // the write, then the sync
        disk.state.withLock { $0.failAt = next...next }
        #expect(throws: RecordError.cannotSync(code: 5)) {
            try chain.commit([batch([entry(2)])], durable: true, at: calm)
        }
        #expect(disk.openCount == 0)
        try chain.commit([batch([entry(3)])], durable: true, at: calm)
        #expect(disk.segmentCount == 2)
        #expect(disk.openCount == 1)
        #expect(disk.broken == [])
        let last = disk.state.withLock { $0.segments.last?.durable ?? [] }
        #expect(entryLines(last) == [entry(3)])
    }

    @Test func `goes on when a full disk has room again, in a segment of its own`() throws {
        let disk = FailingDisk()
        var chain = disk.chain
        try chain.commit([batch([entry(1)])], durable: true, at: calm)
        // No room for what is to be filled ahead next, a few bytes of which are written.
        let filled = disk.state.withLock { $0.segments[0].cached.count }
        disk.state.withLock { $0.room = filled + 10 }
        let wide = (2...4).map { entry($0, width: 1 << 10) }
        for _ in 0..<3 {
            #expect(throws: RecordError.cannotWrite(code: 28)) {
                try chain.commit([batch(wide)], durable: true, at: calm)
            }
        }
        #expect(disk.lines == [entry(1)])
        disk.state.withLock { $0.room = .max }
        try chain.commit([batch(wide)], durable: true, at: calm)
        #expect(disk.lines == [entry(1)] + wide)
        let heads = disk.state.withLock { state in
            state.segments.filter { !$0.isRemoved }.compactMap { segment in
                SegmentHead(line: Array(segment.cached.prefix { $0 != 0x0A }))
            }
        }
        #expect(heads.map(\.begins) == [0, 2])
        #expect(heads.last?.previous?.manner == .failed)
        #expect(disk.broken == [])
    }

    @Test(arguments: [false, true])
    func `says where a segment ends that it left, whatever the failed commit left in it`(
        kept: Bool
    ) throws {
        let disk = FailingDisk(kept: kept)
        var chain = disk.chain
        try chain.commit([batch([entry(1)])], durable: true, at: due)
        let sure = disk.state.withLock { $0.segments[0].cached }
        let next = disk.calls + 2
        disk.state.withLock { $0.failAt = next...next }
        #expect(throws: RecordError.cannotSync(code: 5)) {
            try chain.commit([batch([entry(2)])], durable: true, at: calm)
        }
        try chain.commit([batch([entry(3)])], durable: true, at: calm)
        let second = try #require(
            disk.state.withLock {
                SegmentHead(line: Array($0.segments[1].cached.prefix { $0 != 0x0A }))
            })
        let end = try #require(second.previous)
        #expect(end.segment == 1 && end.range.end == 3 && second.begins == 3)
        #expect(sure.prefix(end.bytes).suffix(2) == Array("}\n".utf8)[...])
        #expect(recordLines(Array(sure.prefix(end.bytes))).count == 3)
    }

    @Test func `seals no two texts under one key, whichever commit fails`() throws {
        let auditor = try #require(AuditorKey.make())
        let terms = RecordTerms(signer: someTerms().signer, auditors: [auditor.publicKey])
        let disk = FailingDisk(kept: true)
        var chain = disk.chain(segmentBytesMax: 1 << 20, terms)
        for number in 0..<20 {
            if number % 3 == 1 {
                let next = disk.calls + 1 + number % 2
                disk.state.withLock { $0.failAt = next...next }
            }
            try? chain.commit([batch([entry(number)])], durable: true, at: calm)
        }
        var texts: [String: Set<String>] = [:]
        for segment in disk.state.withLock({ $0.segments }) {
            let lines = recordLines(segment.cached)
            guard let first = lines.first, let head = SegmentHead(line: Array(first.utf8)),
                let sealed = head.sealedTo?.first,
                let key = SegmentKey.opened(
                    sealed, with: auditor, origin: "herse.test", segment: head.segment)
            else { continue }
            for (place, line) in lines.dropFirst().enumerated() where line.hasPrefix("{\"sealed") {
                let number = head.begins + 1 + UInt64(place)
                let spelled = key.entryKey(number).map(String.init).joined(separator: " ")
                texts[spelled, default: []].insert(line)
            }
        }
        #expect(texts.count >= 13)
        #expect(texts.values.allSatisfy { $0.count == 1 })
    }

    @Test func `tries again with each commit when no segment can be made`() throws {
        let disk = FailingDisk(failAt: 1...2)
        var chain = disk.chain
        for _ in 0..<2 {
            #expect(throws: RecordError.cannotOpen(path: "disk", code: 5)) {
                try chain.commit([batch([entry(1)])], durable: true, at: calm)
            }
        }
        try chain.commit([batch([entry(2)])], durable: true, at: calm)
        #expect(disk.lines == [entry(2)])
    }
}
