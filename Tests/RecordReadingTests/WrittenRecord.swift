// WrittenRecord.swift: a record on disk as a gate writes it, for tests to read and to attack.

import Foundation
import Record
import Sealing
import Testing
import Transparency

@testable import RecordReading

/// A folder with a record of several segments, removed with this object.
final class WrittenRecord {
    let path: String
    /// Of what is written next.
    var signer: NoteSigner
    let auditor: AuditorKey?

    /// The moment of entry 0, in milliseconds.
    static let begin: UInt64 = 1_764_000_000_000

    /// `starts` says how many entries each life of the gate records; each ends well.
    init(starts: [Int] = [3, 4, 2], isSealed: Bool = false) throws {
        path = NSTemporaryDirectory() + "herse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        signer = try #require(NoteSigner(name: "herse.test/record", seed: Array(1...32)))
        auditor = isSealed ? AuditorKey.make() : nil
        var number = 0
        for count in starts {
            try live(number..<number + count)
            number += count
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func terms(seals: Bool) -> RecordTerms {
        RecordTerms(signer: signer, auditors: seals ? auditor.map { [$0.publicKey] } ?? [] : [])
    }

    /// One life of a gate: an entry a second, a checkpoint after every other one.
    func live(_ numbers: Range<Int>, closes: Bool = true, seals: Bool = true) throws {
        var chain = try Segment.last(in: path, terms(seals: seals))
        var time = Self.begin
        for number in numbers {
            time = Self.begin + UInt64(number) * 1000
            try chain.commit(
                [Array((line(number) + "\n").utf8)], durable: false,
                at: CommitTime(milliseconds: time, isCheckpointDue: number % 2 == 1))
        }
        if closes { chain.close(at: CommitTime(milliseconds: time)) }
    }

    /// An entry: professional A or B is shown patient `number`.
    func line(_ number: Int) -> String {
        let time = Moment(milliseconds: Self.begin + UInt64(number) * 1000).stamp
        return "{\"time\":\"\(time)\",\"request\":\"\(number)\",\"professional\":\""
            + (number % 2 == 0 ? "A" : "B") + "\",\"decision\":\"allow\",\"persons\":[\""
            + spelled(UInt64(number)) + "\"]}"
    }

    func name(_ segment: Int) -> String { path + "/" + "00000\(segment).jsonl" }

    func lines(_ segment: Int) throws -> [String] {
        try String(contentsOfFile: name(segment), encoding: .utf8)
            .split(separator: "\n").map(String.init)
    }

    /// Rewrites a segment as an attacker would.
    func change(_ segment: Int, _ change: (inout [String]) -> Void) throws {
        var lines = try lines(segment)
        change(&lines)
        try Data((lines.joined(separator: "\n") + "\n").utf8)
            .write(to: URL(fileURLWithPath: name(segment)))
    }

    /// Puts a segment's tombstone in its place.
    func bury(_ segment: Int, _ range: CompactRange, by signer: NoteSigner? = nil) throws {
        let tombstone = Tombstone(
            origin: "herse.test/record", segment: segment, range: range,
            first: "2026-01-01T00:00:00Z", last: "2026-01-02T00:00:00Z",
            purgedAt: "2026-02-01T00:00:00Z", reason: "older than 3y")
        let note = try #require(SignedNote(tombstone.text, by: signer ?? self.signer))
        try FileManager.default.removeItem(atPath: name(segment))
        try Data(note.description.utf8)
            .write(to: URL(fileURLWithPath: path + "/00000\(segment).purged"))
    }

    var auditorKeys: [AuditorKey] { auditor.map { [$0] } ?? [] }

    func reader() throws -> RecordReader {
        try RecordReader(folder: path, auditorKeys: auditorKeys)
    }

    func verified(
        keys: [NoteVerifier] = [], witnessed: [WitnessedCheckpoint] = [], opens: Bool = true
    ) throws -> Verification {
        try RecordVerifier(
            folder: path, auditorKeys: opens ? auditorKeys : [], keys: keys, witnessed: witnessed
        ).verify()
    }

    /// What a witness keeps now.
    func witness() throws -> WitnessedCheckpoint {
        let note = try #require(
            SignedNote(try String(contentsOfFile: path + "/checkpoint", encoding: .utf8)))
        return try #require(WitnessedCheckpoint(source: "the witness", note: note))
    }
}
