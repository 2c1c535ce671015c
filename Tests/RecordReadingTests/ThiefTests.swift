// ThiefTests.swift: what is found of those who know how a record is made: who owns the disk but not
// the key, and who owns the key but no witness.

import Foundation
import Glibc
import Record
import Sealing
import Testing
import Transparency

@testable import RecordReading

@Suite struct `A thief who owns the disk` {
    private func write(_ text: String, _ path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    @Test func `cannot pass the record off as one from before it was signed`() throws {
        let record = try WrittenRecord()
        for number in 1...3 {
            try record.change(number) { lines in
                lines.removeAll { $0.hasPrefix("{\"segment") || $0.hasPrefix("{\"checkpoint") }
            }
        }
        #expect(!(try record.verified().isIntact))
        try FileManager.default.removeItem(atPath: record.path + "/checkpoint")
        let found = try record.verified()
        #expect(found.flaws.map(\.what) == ["no segment has a head: nothing in them is signed"])
        #expect(!(try record.verified(keys: [record.signer.verifier]).isIntact))
    }

    @Test(arguments: [0, 1])
    func `cannot put a segment without a head before those that have one`(number: Int) throws {
        let record = try WrittenRecord()
        if number == 1 {
            let purged = try #require(try record.reader().segments[1].head?.previous)
            try record.bury(1, purged.range)
        }
        #expect(try record.verified().isIntact)
        try write(record.line(77) + "\n", record.name(number))
        let found = try record.verified()
        #expect(found.flaws.map(\.segment) == [number])
        #expect(found.untold == [])
    }

    @Test func `cannot cut the only segment by taking the checkpoint beside it away`() throws {
        let record = try WrittenRecord(starts: [6])
        try record.change(1) { $0.removeLast(3) }
        #expect(!(try record.verified().isIntact))
        try FileManager.default.removeItem(atPath: record.path + "/checkpoint")
        let found = try record.verified()
        #expect(found.flaws.map(\.what).first?.contains("missing") == true)
        // A witness tells in its place, as far as it saw.
        let whole = try WrittenRecord(starts: [6])
        let witness = try whole.witness()
        try FileManager.default.removeItem(atPath: whole.path + "/checkpoint")
        #expect(try whole.verified(witnessed: [witness]).isIntact)
        #expect(!(try record.verified(witnessed: [witness]).isIntact))
    }

    @Test func `cannot cut the tail and have the next start cover it up`() throws {
        let record = try WrittenRecord()
        let (whole, size) = (try record.witness(), try record.verified().size)
        try record.change(3) { $0.removeLast(2) }
        var said: [String] = []
        let chain = try Segment.last(in: record.path, record.terms(seals: false)) {
            said.append($0)
        }
        #expect(chain.loss?.contains("entries up to \(whole.checkpoint.size)") == true)
        #expect(said.contains { $0 == chain.loss })
        // The gate goes on, past what was there, and signs it.
        try record.live(9..<20)
        let found = try record.verified()
        #expect(found.size > size && !found.isIntact)
        #expect(found.flaws.allSatisfy { $0.what.contains(".cut`") }, "\(found.flaws)")
        // Nothing of it is said of a record whose end is where it was signed.
        let other = try WrittenRecord()
        #expect(try Segment.last(in: other.path, other.terms(seals: false)).loss == nil)
    }

    @Test func `cannot remove all segments and have the next start begin anew`() throws {
        let record = try WrittenRecord()
        for number in 1...3 { try FileManager.default.removeItem(atPath: record.name(number)) }
        try record.live(9..<12)
        #expect(!(try record.verified().isIntact))
    }

    @Test func `cannot sign with a key of their own, which the operator did not name`() throws {
        let record = try WrittenRecord()
        let former = record.signer
        record.signer = try #require(NoteSigner(name: "herse.test/record", seed: Array(2...33)))
        try record.live(9..<12)
        let both = [former.verifier, record.signer.verifier]
        #expect(try record.verified(keys: both).isIntact)
        for keys in [[], [both[0]], [both[1]]] {
            #expect(!(try record.verified(keys: keys).isIntact))
        }
    }

    @Test func `cannot put entries in the last checkpoint's place`() throws {
        let record = try WrittenRecord()
        let size = try record.verified().size
        try record.change(3) { lines in
            lines.removeLast()
            lines += [record.line(77), record.line(78)]
        }
        #expect(try record.verified().flaws.compactMap(\.entry) == [size - 1])
    }

    @Test func `cannot change the last checkpoint but for its time`() throws {
        for (old, new) in [
            ("\"leaves\":\"", "\"leaves\": \""), ("\",\"leaves", "\" ,\"leaves"),
            ("{\"checkpoint\":\"h", "{\"checkpoint\":\"\\u0068"),
        ] {
            let record = try WrittenRecord()
            try record.change(3) { lines in
                lines[lines.count - 1] = lines[lines.count - 1].replacing(old, with: new)
            }
            #expect(!(try record.verified().isIntact))
        }
        let record = try WrittenRecord()
        try record.change(3) { lines in
            guard let line = CheckpointLine(line: Array(lines[lines.count - 1].utf8)) else {
                return
            }
            let fewer = CheckpointLine(note: line.note, time: line.time, leaves: [])
            lines[lines.count - 1] = String(decoding: fewer.line, as: UTF8.self)
        }
        #expect(try record.verified().flaws.first?.what.contains("no longer speaks") == true)
    }

    @Test func `is told how many entries nothing signs, over several segments`() throws {
        let record = try WrittenRecord()
        try record.live(20..<21, closes: false)
        let one = try record.verified()
        #expect(one.isIntact && one.unsigned == 2)
        try record.live(22..<23, closes: false)
        let two = try record.verified()
        #expect(two.isIntact && two.unsigned == 4)
        #expect(two.notes.contains { $0.contains("the last 2 entries of segment 4") })
    }

    @Test func `cannot make a reader wait for a pipe`() throws {
        let record = try WrittenRecord()
        // Safe because the names outlive the calls.
        for name in [record.name(2), record.path + "/checkpoint"] {
            try FileManager.default.removeItem(atPath: name)
            #expect(unsafe mkfifo(name, 0o600) == 0)
        }
        let found = try? record.verified()
        #expect(found?.isIntact != true)
    }

    @Test func `leaves what was only begun for what it is`() throws {
        for begun in ["", "{\"segment\":4,\"beg"] {
            let record = try WrittenRecord()
            try write(begun, record.name(4))
            let found = try record.verified()
            #expect(found.isIntact && found.notes.count == 1)
        }
    }
}

@Suite struct `A thief who owns the key` {
    @Test func `cannot stop whoever verifies by a size beyond all`() throws {
        for size in [UInt64.max, 1 << 63, 1 << 62, 1 << 40, 0] {
            for leaves in [[], [UInt8](repeating: 7, count: 12)] {
                let record = try WrittenRecord()
                let forged = Checkpoint(origin: "herse.test/record", size: size, root: .empty)
                let note = try #require(SignedNote(forged.text, by: record.signer)).description
                let line = CheckpointLine(note: note, time: "2026-01-01T00:00:00Z", leaves: leaves)
                try record.change(2) { $0[2] = String(decoding: line.line, as: UTF8.self) }
                try Data(note.utf8)
                    .write(to: URL(fileURLWithPath: record.path + "/checkpoint"))
                #expect(!(try record.verified().isIntact))
            }
        }
    }

    @Test func `cannot purge what a witness would contradict`() throws {
        let witness = try WrittenRecord().witness()
        // Written anew with as many entries, others, and what the witness saw "purged".
        let record = try WrittenRecord(starts: [])
        try record.live(50..<70)
        try record.live(70..<73)
        #expect(!(try record.verified(witnessed: [witness]).isIntact))
        let previous = try #require(try record.reader().segments[1].head?.previous)
        #expect(previous.range.end > witness.checkpoint.size)
        try record.bury(1, previous.range)
        #expect(try record.verified().isIntact)
        let found = try record.verified(witnessed: [witness])
        #expect(found.flaws.map(\.what).first?.contains("nothing that the witness saw") == true)
        // One that saw something since is not made a liar by what is purged.
        let both = try record.verified(witnessed: [witness, try record.witness()])
        #expect(both.isIntact && both.notes.count == 1)
    }

    @Test func `cannot call the record by another's name`() throws {
        let record = try WrittenRecord()
        try record.live(20..<21, closes: false)
        try record.change(4) { lines in
            lines[0] = lines[0].replacing("\"origin\":\"herse", with: "\"origin\":\"other")
        }
        #expect(try record.verified().flaws.map(\.segment) == [4])
    }
}
