// Desks.swift: witnesses over time: shown more, down, restored, contradicted.

import Foundation
import Outbound
import Record
import Testing
import Transparency

@testable import RecordKeeping

/// A desk with one witness by HTTP, and the record it sees.
private struct Sight {
    let scratch: Scratch
    let witness: TestWitness
    var record: HandWritten
    var follower: TreeFollower
    var desk: WitnessDesk
    let settings: WitnessSettings
    var now: UInt64 = 1000

    init() throws {
        scratch = try Scratch()
        witness = try TestWitness()
        record = try HandWritten(scratch)
        follower = TreeFollower(folder: scratch.record)
        settings = WitnessSettings(
            name: "w", target: .address(url: "https://w/", key: witness.key, tls: FetchTLS()))
        desk = try Self.desk(scratch, [settings])
    }

    static func desk(_ scratch: Scratch, _ all: [WitnessSettings]) throws -> WitnessDesk {
        var desk = WitnessDesk(state: scratch.path, key: try terms().signer.verifier)
        desk.use(all, every: 60_000)
        return desk
    }

    /// What is to be shown after more entries and `pass` milliseconds.
    mutating func grow(_ count: Int = 3, pass: UInt64 = 60_000) throws -> [WitnessErrand] {
        try record.add(count)
        now += pass
        return try look()
    }

    mutating func look() throws -> [WitnessErrand] {
        let checkpoint = try record.checkpoint
        try follower.follow(to: checkpoint.size, keeping: desk.sizes)
        desk.compare(with: follower, entries: checkpoint.size)
        desk.take(checkpoint, record.note, now: now)
        return desk.errands(with: follower, now: now)
    }

    mutating func settle(_ errand: WitnessErrand, _ verdict: WitnessVerdict) {
        desk.settle(errand, verdict, now: now, wall: 1_800_000_000)
    }

    mutating func sign(_ errand: WitnessErrand) throws {
        let line = try witness.line(over: errand.request.note, at: 1_800_000_000)
        settle(
            errand,
            WitnessVerdict(
                status: 200, body: Array(line.utf8), to: errand.request, key: witness.key,
                now: 1_800_000_000))
    }

    var report: WitnessReport { desk.reports(now: now)[0] }

    func isProven(_ errand: WitnessErrand) throws -> Bool {
        let all = try roots(scratch)
        let (old, new) = (errand.request.old, errand.size)
        return isConsistent(
            old: (old, all[Int(old)]), new: (new, all[Int(new)]), proof: errand.request.proof)
    }
}

@Suite struct `Witnesses` {
    @Test func `are shown what is new, with a proof from what they have seen`() throws {
        var sight = try Sight()
        var seen: UInt64 = 0
        for _ in 0..<30 {
            let errand = try #require(try sight.grow().first)
            #expect(errand.request.old == seen)
            #expect(try sight.isProven(errand))
            // Nobody is asked twice at a time, nor before the turn.
            #expect(sight.desk.errands(with: sight.follower, now: sight.now + 60_000).isEmpty)
            try sight.sign(errand)
            seen = errand.size
            #expect(sight.report.size == seen)
            #expect(sight.report.problem == nil)
            #expect(try sight.grow(1, pass: 59_000).isEmpty)
        }
    }

    @Test func `are gone on with after a restart`() throws {
        var sight = try Sight()
        try sight.sign(try #require(try sight.grow().first))
        let seen = sight.report.size
        sight.desk = try Sight.desk(sight.scratch, [sight.settings])
        sight.follower = TreeFollower(folder: sight.scratch.record)
        let errand = try #require(try sight.grow(50).first)
        #expect(errand.request.old == seen)
        #expect(try sight.isProven(errand))
        // Elsewhere, or for another record, what is known does not count.
        var other = sight.settings
        other.target = .address(url: "https://other/", key: sight.witness.key, tls: FetchTLS())
        #expect(try Sight.desk(sight.scratch, [other]).sizes == [0])
    }

    @Test func `that fail are late after three turns, and tried again`() throws {
        var sight = try Sight()
        for turn in 1...4 {
            let errand = try #require(try sight.grow().first)
            sight.settle(errand, .failed("cannot be reached"))
            #expect(sight.report.problem == "cannot be reached")
            #expect(sight.report.isLate == (turn > 4))
        }
        let errand = try #require(try sight.grow().first)
        #expect(sight.report.isLate)
        #expect(sight.report.behind == errand.size)
        try sight.sign(errand)
        #expect(!sight.report.isLate)
        #expect(sight.report.behind == 0)
        #expect(sight.report.problem == nil)
    }

    @Test func `that know another size are shown a proof from there`() throws {
        var sight = try Sight()
        try sight.sign(try #require(try sight.grow().first))
        let first = sight.report.size
        // Its answer was lost: it has seen more than is known here.
        let lost = try #require(try sight.grow().first)
        sight.settle(lost, .failed("closed"))
        let again = try #require(try sight.grow().first)
        #expect(again.request.old == first)
        sight.settle(again, .knows(size: lost.size))
        let third = try #require(try sight.look().first)
        #expect(third.request.old == lost.size)
        #expect(try sight.isProven(third))
        try sight.sign(third)
        // It was restored from an older copy: it has seen less.
        let fourth = try #require(try sight.grow().first)
        sight.settle(fourth, .knows(size: first))
        let fifth = try #require(try sight.look().first)
        #expect(fifth.request.old == first)
        #expect(try sight.isProven(fifth))
        try sight.sign(fifth)
        #expect(sight.report.problem == nil)
    }

    @Test func `that answer by another size each time are not asked for ever`() throws {
        var sight = try Sight()
        var errands = try sight.grow(9)
        for size in 1...3 {
            sight.settle(try #require(errands.first), .knows(size: UInt64(size)))
            errands = try sight.look()
        }
        sight.settle(try #require(errands.first), .knows(size: 4))
        #expect(try sight.look().isEmpty)
        #expect(sight.report.problem?.hasPrefix("answers by another size") == true)
    }

    @Test(arguments: [
        WitnessVerdict.contradicts("the tree did not only grow since 5 entries"),
        .knows(size: 1_000_000),
    ])
    func `that contradict are told of, and never asked again`(verdict: WitnessVerdict) throws {
        var sight = try Sight()
        sight.settle(try #require(try sight.grow().first), verdict)
        #expect(sight.report.isContradicted)
        #expect(sight.report.problem != nil)
        #expect(try sight.grow().isEmpty)
        // Nor after a restart.
        sight.desk = try Sight.desk(sight.scratch, [sight.settings])
        #expect(try sight.grow().isEmpty)
        #expect(sight.report.isContradicted)
    }

    @Test func `have seen more than a record that was put back`() throws {
        var sight = try Sight()
        try sight.sign(try #require(try sight.grow(30).first))
        let known = sight.scratch.path + "/witnesses"
        // The same gate, on an older copy of its record.
        var other = try Sight()
        try FileManager.default.copyItem(
            atPath: known, toPath: other.scratch.path + "/witnesses")
        other.desk = try Sight.desk(other.scratch, [other.settings])
        #expect(try other.grow(3).isEmpty)
        #expect(other.report.isContradicted)
        #expect(
            other.report.problem
                == "it has seen \(sight.report.size) entries, and the record has \(try other.record.checkpoint.size)"
        )
    }

    @Test func `have seen other entries than a record that was written anew`() throws {
        var sight = try Sight()
        try sight.sign(try #require(try sight.grow(3).first))
        var other = try Sight()
        // As many entries and more, the first of them another.
        try FileManager.default.copyItem(
            atPath: sight.scratch.path + "/witnesses", toPath: other.scratch.path + "/witnesses")
        other.desk = try Sight.desk(other.scratch, [other.settings])
        try other.record.add(1, isDue: false)
        #expect(try other.grow(6).isEmpty)
        #expect(
            other.report.problem
                == "it has seen other entries than the first \(sight.report.size)")
    }

    @Test func `in a file elsewhere say themselves what they have seen`() throws {
        var sight = try Sight()
        let path = sight.scratch.path + "/vault"
        let file = WitnessSettings(name: "vault", target: .file(path))
        sight.desk = try Sight.desk(sight.scratch, [file])
        for _ in 0..<3 {
            let errand = try #require(try sight.grow().first)
            sight.settle(errand, show(errand))
        }
        #expect(sight.report.problem == nil)
        let size = sight.report.size
        // Whatever becomes of the state's folder, and of a note that was being written.
        try FileManager.default.removeItem(atPath: sight.scratch.path + "/witnesses")
        let kept = try sight.scratch.bytes("vault")
        try sight.scratch.write(kept + Array("herse.test\n99\nabc".utf8), to: "vault")
        sight.desk = try Sight.desk(sight.scratch, [file])
        #expect(sight.desk.sizes == [size])
        let errand = try #require(try sight.grow().first)
        sight.settle(errand, show(errand))
        sight.desk = try Sight.desk(sight.scratch, [file])
        #expect(sight.desk.sizes == [errand.size])
        var older = try Sight()
        older.desk = try Sight.desk(older.scratch, [file])
        #expect(try older.grow(1).isEmpty)
        #expect(older.report.isContradicted)
    }

    @Test func `whose entries are purged are told of`() throws {
        var sight = try Sight()
        try sight.sign(try #require(try sight.grow(3).first))
        let seen = sight.report.size
        sight.desk.lose(seen)
        #expect(sight.desk.sizes.isEmpty)
        #expect(try sight.grow().isEmpty)
        #expect(sight.report.problem?.contains("are purged") == true)
    }
}
