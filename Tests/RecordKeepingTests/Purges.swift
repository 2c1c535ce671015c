// Purges.swift: segments that go, what is left of them, and crashes in between.

import Foundation
import Record
import Testing
import Transparency

@testable import RecordKeeping

@Suite struct `A purge` {
    let scratch: Scratch
    let purge: SegmentPurge

    init() throws {
        scratch = try Scratch()
        purge = SegmentPurge(folder: scratch.record)
        var record = try HandWritten(scratch)
        try record.add(60)
    }

    @Test func `never takes the last segment, and the oldest first`() throws {
        let count = try scratch.names().filter { $0.hasSuffix(".jsonl") }.count
        let all = try purge.oldest { _ in true }
        #expect(all.map(\.number) == Array(1..<count))
        #expect(try purge.oldest { $0.number < 3 }.map(\.number) == [1, 2])
        #expect(try purge.oldest { $0.number == 2 }.isEmpty)
    }

    @Test func `knows when the entries of a segment were written`() throws {
        let all = try purge.oldest { _ in true }
        for (one, next) in zip(all, all.dropFirst()) {
            #expect(one.first <= one.last)
            #expect(one.last < next.last)
            #expect(one.range.end == next.range.begin)
        }
        let lines = try scratch.bytes("record/000001.jsonl").split(separator: 0x0A)
        let last = String(decoding: try #require(lines.last), as: UTF8.self)
        #expect(last.contains("\"time\":\"\(all[0].last)\""))
    }

    @Test func `names by age what is older, and nothing else`() throws {
        let all = try purge.oldest { _ in true }
        let last = try #require(moment(all[1].last))
        let order = PurgeOrder(.olderThan(seconds: 100), reason: "r", by: "b")
        let now = UInt64(last + 100) * 1000
        #expect(order.names(all[0], now: now))
        #expect(!order.names(all[1], now: now))
        #expect(order.names(all[1], now: now + 1000))
        #expect(moment("2026-11-20T08:00:00.123Z") == 1_795_161_600)
        #expect(moment("2026-11-20 08:00:00.123Z") == nil)
    }

    @Test func `leaves a tombstone that says what was there`() throws {
        let terms = try terms()
        let first = try #require(try purge.oldest { _ in true }.first)
        let time = "2027-01-01T00:00:00.000Z"
        let left = try purge.bury(first, reason: "kept for 3 years", at: time, terms.signer)
        #expect(try purge.halfPurged() == [1])
        try FileManager.default.createDirectory(
            atPath: scratch.record + "/index", withIntermediateDirectories: false)
        try scratch.write([1], to: "record/index/000001.index")
        try purge.remove(1)
        try purge.remove(1)
        #expect(try purge.halfPurged() == [])
        #expect(try scratch.names("record/index") == [])
        #expect(!(try scratch.names()).contains("000001.jsonl"))
        let read = try #require(purge.tombstone(of: 1, signedBy: terms.signer.verifier))
        #expect(read == left)
        #expect(read.range.nodes == first.range.nodes && read.range.end == first.range.end)
        #expect(
            try FileManager.default.attributesOfItem(
                atPath: scratch.record + "/000001.purged")[.posixPermissions] as? Int == 0o600)
        // Not one of another key, or of another segment.
        let other = try RecordKeepingTests.terms(seed: 2).signer.verifier
        #expect(purge.tombstone(of: 1, signedBy: other) == nil)
        try scratch.write(try scratch.bytes("record/000001.purged"), to: "record/000002.purged")
        #expect(purge.tombstone(of: 2, signedBy: terms.signer.verifier) == nil)
    }

    @Test func `has no line of whoever changed a segment signed`() throws {
        let segment = try #require(try purge.oldest { _ in true }.first)
        let forged = ClosedSegment(
            number: segment.number, range: segment.range, first: segment.first,
            last: segment.last + "\n2026-01-01T00:00:00.000Z\nnobody asked", bytes: segment.bytes)
        #expect(throws: PurgeProblem.self) {
            try purge.bury(
                forged, reason: "old", at: segment.last, try RecordKeepingTests.terms().signer)
        }
        #expect(!(try scratch.names()).contains("000001.purged"))
        // Read of the files, such a time is none.
        let name = "record/000001.jsonl"
        let text = String(decoding: try scratch.bytes(name), as: UTF8.self)
        try scratch.write(Array(text.replacing("000Z\"", with: "000Z\\n\"").utf8), to: name)
        let changed = try #require(try purge.oldest { _ in true }.first)
        #expect(!changed.first.contains("\n") && !changed.last.contains("\n"))
    }

    @Test func `of a segment whose hashes nobody tells is not made`() throws {
        try FileManager.default.removeItem(atPath: scratch.record + "/000002.jsonl")
        #expect(try purge.oldest { _ in true }.isEmpty)
    }
}

@Suite struct `A tombstone` {
    let whole: Tombstone

    init() throws {
        var range = CompactRange(begin: 5)
        for byte in 0..<6 { range.append(.leaf([UInt8(byte)].span)) }
        whole = Tombstone(
            origin: "herse.test", segment: 3, range: range, first: "a", last: "b", purgedAt: "c",
            reason: "why it went")
    }

    @Test func `is read as it was written`() {
        #expect(Tombstone(whole.text) == whole)
        #expect(whole.text.hasPrefix("herse record purge v1\nherse.test\n3 5 11\na b\nc\nwhy it"))
    }

    @Test func `is refused in any other form`() {
        let lines = whole.text.split(separator: "\n", omittingEmptySubsequences: false)
        for index in lines.indices.dropLast() {
            var fewer = lines
            fewer.remove(at: index)
            #expect(Tombstone(fewer.joined(separator: "\n")) == nil || index == 5)
        }
        for (old, new) in [
            ("3 5 11", "03 5 11"), ("3 5 11", "3 5 12"), ("3 5 11", "0 5 11"), ("v1", "v2"),
            ("a b", "a b c"), ("\nc\n", "\nc\n\n"),
        ] {
            #expect(Tombstone(whole.text.replacing(old, with: new)) == nil)
        }
        #expect(Tombstone("") == nil)
        #expect(Tombstone(String(whole.text.dropLast())) == nil)
    }
}

@Suite struct `A ceiling` {
    @Test(arguments: [
        (79, 1000, "fine"), (80, 1000, "low"), (99, 1000, "low"), (100, 1000, "full"),
        (10, 20, "fine"), (10, 19, "low"), (10, 10, "low"), (10, 9, "full"),
    ])
    func `warns before it is reached`(taken: Int, free: Int, word: String) {
        let ceiling = DiskCeiling(bytesMax: 100 << 20, freeMin: 10 << 20)
        let found =
            switch ceiling.level(DiskUse(bytes: taken << 20, free: free << 20)) {
            case .fine: "fine"
            case .low: "low"
            case .full: "full"
            }
        #expect(found == word)
    }

    @Test func `is left only with some room to spare`() {
        let ceiling = DiskCeiling(bytesMax: 1000 << 20, freeMin: 100 << 20)
        let near = DiskUse(bytes: 995 << 20, free: 1 << 40)
        guard case .full = ceiling.level(near, wasFull: true), case .low = ceiling.level(near)
        else {
            Issue.record("no margin")
            return
        }
        #expect(!ceiling.isRelieved(near))
        #expect(ceiling.isRelieved(DiskUse(bytes: 899 << 20, free: 111 << 20)))
        #expect(!ceiling.isRelieved(DiskUse(bytes: 899 << 20, free: 109 << 20)))
        #expect(DiskCeiling().level(DiskUse(bytes: 1 << 50, free: 0)) == .fine)
    }

    @Test func `counts what a folder takes`() throws {
        let scratch = try Scratch()
        try scratch.write([UInt8](repeating: 1, count: 100_000), to: "record/a")
        let use = try #require(DiskUse(of: scratch.record))
        #expect(use.bytes >= 100_000 && use.bytes < 200_000)
        #expect(use.free > 0)
        #expect(DiskUse(of: scratch.path + "/none") == nil)
        #expect(size(1536) == "1.5 KiB")
        #expect(size(12) == "12 B")
        #expect(size(3 << 40) == "3.0 TiB")
    }
}
