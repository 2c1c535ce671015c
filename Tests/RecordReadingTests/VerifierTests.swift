// VerifierTests.swift: what a record that was touched is found out by, and where.
//
// The record of these tests has three segments: head and three entries with a checkpoint after the
// second and the third (lines 0 to 5), then four entries (6 to 12), then two (13 to 17).

import Foundation
import Record
import Sealing
import Testing
import Transparency

@testable import RecordReading

@Suite struct `Verifying a record` {
    @Test(arguments: [false, true])
    func `finds nothing in one that nobody touched`(isSealed: Bool) throws {
        let record = try WrittenRecord(isSealed: isSealed)
        let found = try record.verified()
        #expect(found.flaws == [])
        #expect(found.segments == 3)
        #expect(found.unsigned == 0)
        #expect(found.origin == "herse.test/record")
        #expect(found.key == record.signer.verifier)
        #expect(found.sealed == (isSealed ? 9 : 0))
        #expect(found.opened == found.sealed)
        #expect(try record.verified(keys: [record.signer.verifier]).isIntact)
        #expect(try record.verified(witnessed: [try record.witness()]).isIntact)
        // Without the auditor's key the tree is verified all the same.
        let closed = try record.verified(opens: false)
        #expect(closed.isIntact && closed.root == found.root && closed.opened == 0)
        #expect(found.size == UInt64(try (1...3).flatMap { try record.lines($0) }.count))
    }

    @Test func `reads every entry once, in order, sealed or not`() throws {
        for isSealed in [false, true] {
            let record = try WrittenRecord(isSealed: isSealed)
            var seen: [String] = []
            var numbers: [UInt64] = []
            let pass = try record.reader().read(since: 0) { entry in
                seen.append(entry.request)
                numbers.append(entry.sequence)
                return true
            }
            #expect(seen == (0..<9).map(String.init))
            #expect(numbers == numbers.sorted() && Set(numbers).count == 9)
            #expect(pass.unreadable == 0 && pass.broken == [])
        }
    }

    @Test func `finds the entries of a clock that went a day ahead`() throws {
        let record = try WrittenRecord(starts: [])
        // Each life's start and the entry it records, in hours.
        for (start, hour) in [(0, 20), (1, 1), (2, 2)] {
            var chain = try Segment.last(in: record.path, record.terms(seals: false))
            let time = CommitTime(milliseconds: WrittenRecord.begin + UInt64(start) * 3_600_000)
            try chain.commit(
                [Array((record.line(hour * 3600) + "\n").utf8)], durable: false, at: time)
            chain.close(at: time)
        }
        var seen: [String] = []
        _ = try record.reader().read(since: WrittenRecord.begin + 19 * 3_600_000) { entry in
            seen.append(entry.request)
            return true
        }
        #expect(seen == ["72000"])
    }

    /// What an attacker does to segment 2, and the first bad entry.
    struct Attack: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let entry: UInt64?
        let change: @Sendable (inout [String]) -> Void

        init(
            _ description: String, entry: UInt64?,
            _ change: @escaping @Sendable (inout [String]) -> Void
        ) {
            testDescription = description
            self.entry = entry
            self.change = change
        }
    }

    static let attacks: [Attack] = [
        Attack("an entry is changed", entry: first + 1) { lines in
            lines[1] = lines[1].replacingOccurrences(
                of: lines[1].hasPrefix("{\"sealed") ? "\":\"" : "\"A\"",
                with: lines[1].hasPrefix("{\"sealed") ? "\":\"A" : "\"Z\""
            )
            .replacingOccurrences(of: "\"B\"", with: "\"Z\"")
        },
        Attack("an entry is left out", entry: first + 1) { $0.remove(at: 1) },
        Attack("an entry is repeated", entry: first + 2) { $0.insert($0[1], at: 2) },
        Attack("two entries change places", entry: first + 3) { lines in
            let places = lines.indices.filter { !lines[$0].hasPrefix("{\"checkpoint") }
            lines.swapAt(places[2], places[3])
        },
        Attack("a checkpoint is left out", entry: first + 2) { lines in
            lines.remove(at: 2)
        },
        Attack("the last entries and their checkpoint are cut off", entry: first + 4) { lines in
            lines.removeLast(lines.count - 4)
        },
        Attack("the head is another", entry: nil) { lines in
            lines[0] = lines[0].replacingOccurrences(of: "\"bytes\":", with: "\"bytes\":1")
        },
    ]

    /// The number of segment 2's head.
    static let first: UInt64 = 6

    @Test(arguments: attacks, [false, true])
    func `names the first bad entry`(attack: Attack, isSealed: Bool) throws {
        let record = try WrittenRecord(isSealed: isSealed)
        #expect(try record.lines(1).count == Int(Self.first))
        try record.change(2, attack.change)
        for opens in [false, true] {
            let found = try record.verified(opens: opens)
            #expect(!found.isIntact)
            #expect(found.flaws.contains { $0.segment == 2 || $0.segment == 3 })
            if let entry = attack.entry {
                #expect(found.flaws.compactMap(\.entry).min() == entry, "\(found.flaws)")
            }
        }
    }

    @Test(arguments: [1, 3, 5])
    func `sees a tail that was cut, by what is kept beside the segments`(count: Int) throws {
        let record = try WrittenRecord()
        let size = try record.verified().size
        try record.change(3) { $0.removeLast(count) }
        let found = try record.verified()
        #expect(!found.isIntact)
        #expect(found.flaws.compactMap(\.entry).min() == size - UInt64(count))
    }

    @Test func `sees a tail that was cut with all that is beside it, by a witness`() throws {
        let record = try WrittenRecord()
        let witness = try record.witness()
        // The attacker has the state of before the last life, all of it.
        let before = try WrittenRecord(starts: [3, 4])
        #expect(try before.verified().isIntact)
        let found = try before.verified(witnessed: [witness])
        #expect(found.flaws.map(\.entry) == [try before.verified().size])
        // Gone on with, it is as long again, and still not what the witness saw.
        try before.live(20..<24)
        #expect(try before.verified().isIntact)
        #expect(!(try before.verified(witnessed: [witness]).isIntact))
    }

    @Test func `sees a segment that is missing, repeated or in another's place`() throws {
        let missing = try WrittenRecord()
        try FileManager.default.removeItem(atPath: missing.name(2))
        #expect(try missing.verified().flaws.contains { $0.what.contains("segment 2 is missing") })

        let first = try WrittenRecord()
        try FileManager.default.removeItem(atPath: first.name(1))
        #expect(!(try first.verified().isIntact))

        let last = try WrittenRecord()
        try FileManager.default.removeItem(atPath: last.name(3))
        #expect(try last.verified().flaws.contains { $0.what.contains("tail was cut") })

        let swapped = try WrittenRecord()
        try FileManager.default.moveItem(atPath: swapped.name(2), toPath: swapped.name(9))
        try FileManager.default.moveItem(atPath: swapped.name(3), toPath: swapped.name(2))
        try FileManager.default.moveItem(atPath: swapped.name(9), toPath: swapped.name(3))
        #expect(!(try swapped.verified().isIntact))

        let repeated = try WrittenRecord()
        try FileManager.default.copyItem(atPath: repeated.name(2), toPath: repeated.name(4))
        #expect(!(try repeated.verified().isIntact))
    }

    @Test func `does not take another gate's record, whole and signed as it is`() throws {
        let record = try WrittenRecord()
        let other = try #require(NoteSigner(name: "herse.test/record", seed: Array(2...33)))
        let found = try record.verified(keys: [other.verifier])
        #expect(!found.isIntact)
        #expect(found.flaws.contains { $0.what.contains("not the key given") })
    }

    @Test func `does not take a checkpoint signed by somebody else`() throws {
        let record = try WrittenRecord()
        let other = try #require(NoteSigner(name: "herse.test/record", seed: Array(2...33)))
        try record.change(2) { lines in
            guard let line = CheckpointLine(line: Array(lines[2].utf8)),
                let note = SignedNote(line.note), let forged = SignedNote(note.text, by: other)
            else { return }
            let changed = CheckpointLine(
                note: forged.description, time: line.time, leaves: line.leaves)
            lines[2] = String(decoding: changed.line, as: UTF8.self)
        }
        let found = try record.verified()
        #expect(found.flaws.first?.what.contains("not signed by the gate") == true)
    }

    @Test func `tells a crash from an attack`() throws {
        let record = try WrittenRecord()
        try record.live(9..<13, closes: false)
        let open = try record.verified()
        #expect(open.isIntact)
        #expect(open.unsigned > 0)
        // What a crash left in the midst of a line is not counted, once another start has said so.
        let torn = try FileHandle(forWritingTo: URL(fileURLWithPath: record.name(4)))
        try torn.seek(
            toOffset: UInt64(
                try #require(
                    try record.reader().segments.last.map { last in
                        var end = 0
                        try last.lines { line, place, _ in
                            end = place.offset + line.count + 1
                            return true
                        }
                        return end
                    })))
        try torn.write(contentsOf: Data("{\"time\":\"2026".utf8))
        try torn.close()
        #expect(try record.verified().isIntact)
        try record.live(13..<15)
        let after = try record.verified()
        #expect(after.flaws == [])
        #expect(after.segments == 5)
        var seen: [String] = []
        _ = try record.reader().read(since: 0) { entry in
            seen.append(entry.request)
            return true
        }
        #expect(seen == (0..<15).map(String.init))
        // Added to by somebody afterwards, where a whole segment ended, it is an attack.
        let added = try FileHandle(forWritingTo: URL(fileURLWithPath: record.name(1)))
        try added.seekToEnd()
        try added.write(contentsOf: Data("{\"time\":\"2026-01-01T00:00:00Z\"}\n".utf8))
        try added.close()
        #expect(!(try record.verified().isIntact))
    }

    @Test func `takes no crash for an attack that came just after a checkpoint`() throws {
        let record = try WrittenRecord()
        // A checkpoint follows entry 9: nothing is left unsigned.
        try record.live(9..<10, closes: false)
        #expect(try record.verified().flaws == [])
        try record.live(10..<12)
        #expect(try record.verified().flaws == [])
    }

    @Test(arguments: [[], [UInt8](repeating: 0, count: 5000), Array("{\"segment\":4,\"be".utf8)])
    func `takes a segment for torn whose head is not whole, at the end alone`(
        begun: [UInt8]
    ) throws {
        let record = try WrittenRecord()
        try Data(begun).write(to: URL(fileURLWithPath: record.name(4)))
        let found = try record.verified()
        #expect(found.flaws == [])
        #expect(found.notes.contains { $0.hasPrefix("segment 4 has not one whole line") })
        try FileManager.default.moveItem(atPath: record.name(4), toPath: record.name(2) + ".kept")
        try FileManager.default.removeItem(atPath: record.name(2))
        try Data(begun).write(to: URL(fileURLWithPath: record.name(2)))
        #expect(!(try record.verified().isIntact))
    }

    @Test func `does not take for an entry what stands after a gap at the end`() throws {
        let record = try WrittenRecord(isSealed: true)
        try record.live(9..<11, closes: false)
        let before = try record.verified()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: record.name(4)))
        let end = try #require(bytes.firstRange(of: Data([0x0A, 0x0A]))).lowerBound + 1
        let late = Data("{\"sealed\":\"AAAA\"}\n".utf8)
        bytes.replaceSubrange(end + 100..<end + 100 + late.count, with: late)
        try bytes.write(to: URL(fileURLWithPath: record.name(4)))
        let found = try record.verified()
        #expect(found.flaws == [] && found.root == before.root)
        #expect(found.notes.contains { $0.hasPrefix("segment 4 ends in part of a line") })
        try record.live(11..<12)
        #expect(try record.verified().flaws == [])
    }

    @Test func `takes purged segments by the proof they left, and no forged one`() throws {
        for forges in [false, true] {
            let record = try WrittenRecord()
            let root = try record.verified().root
            let previous = try #require(try record.reader().segments[1].head?.previous)
            let signer =
                forges
                ? try #require(NoteSigner(name: "herse.test/record", seed: Array(2...33)))
                : record.signer
            try record.bury(1, previous.range, by: signer)
            let found = try record.verified()
            #expect(found.isIntact == !forges)
            #expect(found.root == root || forges)
            #expect(found.purged.count == (forges ? 0 : 1))
        }
    }
}
