// Followers.swift: the tree of a record, made again from its files.

import Foundation
import Record
import Testing
import Transparency

@testable import RecordKeeping

@Suite struct `A follower` {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    /// Proofs between all sizes at which it is cut are good ones.
    private func checkProofs(_ follower: TreeFollower, _ roots: [TreeHash]) throws {
        for old in follower.cuts {
            #expect(follower.root(at: old) == roots[Int(old)])
            for new in follower.cuts where new >= old {
                let proof = try #require(follower.proof(from: old, to: new))
                #expect(
                    isConsistent(
                        old: (old, roots[Int(old)]), new: (new, roots[Int(new)]), proof: proof))
            }
        }
    }

    @Test func `proves that the record only grew, from any sizes, over any segments`() throws {
        var record = try HandWritten(scratch)
        var follower = TreeFollower(folder: scratch.record)
        var known: Set<UInt64> = []
        for round in 0..<40 {
            try record.add(1 + round % 7)
            let size = try record.checkpoint.size
            try follower.follow(to: size, keeping: known)
            #expect(follower.size == size)
            #expect(known.isSubset(of: follower.cuts))
            try checkProofs(follower, roots(scratch))
            if round % 3 == 0 { known.insert(size) }
            if round % 9 == 0, let first = known.min() { known.remove(first) }
        }
        #expect(try scratch.names().count > 4)
    }

    @Test func `begins anywhere, as after a restart`() throws {
        var record = try HandWritten(scratch)
        try record.add(80)
        let size = try record.checkpoint.size
        let all = try roots(scratch)
        for one in stride(from: UInt64(1), through: size, by: 7) {
            for other in stride(from: one, through: size, by: 23) {
                var follower = TreeFollower(folder: scratch.record)
                try follower.follow(to: size, keeping: [one, other])
                #expect(
                    Set([one, other, size]) == Set(follower.cuts).intersection([one, other, size]))
                try checkProofs(follower, all)
            }
        }
    }

    @Test func `is cut at a size it hears of late`() throws {
        var record = try HandWritten(scratch)
        try record.add(50)
        var follower = TreeFollower(folder: scratch.record)
        let size = try record.checkpoint.size
        try follower.follow(to: size, keeping: [])
        #expect(follower.proof(from: 3, to: size) == nil)
        try follower.follow(to: size, keeping: [3, 40])
        try checkProofs(follower, roots(scratch))
        #expect(follower.proof(from: 3, to: size) != nil)
    }

    @Test func `goes on after a gate that was killed`() throws {
        var record = try HandWritten(scratch)
        try record.add(5)
        // What was being written does not count.
        let torn = try scratch.bytes("record/000001.jsonl").split(separator: 0x0A)
        let whole = Array(torn.joined(separator: [0x0A])) + [0x0A]
        try scratch.write(whole + Array("{\"n\":".utf8), to: "record/000001.jsonl")
        var next = try Segment.last(in: scratch.record, terms())
        try next.commit(
            [Array("{\"n\":1}\n".utf8)], durable: false,
            at: CommitTime(milliseconds: 0, isCheckpointDue: true))
        let size = try record.checkpoint.size
        var follower = TreeFollower(folder: scratch.record)
        try follower.follow(to: size, keeping: [])
        let note = try #require(next.checkpoint.flatMap { SignedNote($0) })
        let checkpoint = try #require(Checkpoint(note.text))
        try follower.follow(to: checkpoint.size, keeping: [size])
        #expect(follower.root(at: checkpoint.size) == checkpoint.root)
        #expect(follower.proof(from: size, to: checkpoint.size) != nil)
    }

    @Test func `notices a line that was changed`() throws {
        var record = try HandWritten(scratch)
        try record.add(60)
        var bytes = try scratch.bytes("record/000002.jsonl")
        let place = try #require(
            bytes.indices.last { bytes[$0] == UInt8(ascii: "n") && bytes[$0 + 2] == 0x3A })
        bytes[place] = UInt8(ascii: "m")
        try scratch.write(bytes, to: "record/000002.jsonl")
        let head = try #require(try segmentHead(of: scratch.record + "/000002.jsonl"))
        var follower = TreeFollower(folder: scratch.record)
        let size = try record.checkpoint.size
        #expect(
            throws: FollowProblem.contradiction(
                "segment 2 is not what segment 3 says of it")
        ) { try follower.follow(to: size, keeping: [head.begins + 1]) }
    }

    @Test func `notices a tail that was cut`() throws {
        var record = try HandWritten(scratch)
        try record.add(3)
        let size = try record.checkpoint.size
        let lines = try scratch.bytes("record/000001.jsonl").split(separator: 0x0A).dropLast(2)
        try scratch.write(
            Array(lines.joined(separator: [0x0A])) + [0x0A], to: "record/000001.jsonl")
        var follower = TreeFollower(folder: scratch.record)
        // The head, three entries and two checkpoints before the newest: six, and the newest.
        #expect(
            throws: FollowProblem.contradiction(
                "segment 1 ends after \(size - 1) entries, and \(size) were recorded")
        ) { try follower.follow(to: size, keeping: []) }
    }

    @Test func `says when what it is asked for is purged`() throws {
        var record = try HandWritten(scratch)
        try record.add(60)
        let size = try record.checkpoint.size
        let all = try roots(scratch)
        try FileManager.default.removeItem(atPath: scratch.record + "/000001.jsonl")
        var follower = TreeFollower(folder: scratch.record)
        #expect(throws: FollowProblem.purged(size: 2)) {
            try follower.follow(to: size, keeping: [2, size - 1])
        }
        try follower.follow(to: size, keeping: [size - 1])
        #expect(follower.root(at: size) == all[Int(size)])
    }
}
