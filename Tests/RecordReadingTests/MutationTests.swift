// MutationTests.swift: whatever is done to the files of a record is found out, but for what nothing
// signs yet.
//
// The judge of these tests knows no hashes: it compares lines with those that were there.

import Foundation
import Record
import Testing
import Transparency

@testable import RecordReading

/// Numbers that are the same on every run (SplitMix64).
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<max(1, bound), using: &self) }
}

private typealias Files = [String: [UInt8]]

/// The lines of a file that are ended and not blank.
private func lines(_ bytes: [UInt8]) -> [[UInt8]] {
    var lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
    lines.removeLast()
    return lines.filter { !$0.isEmpty }
}

/// A line without the time it names, which no signature covers in the last checkpoint.
private func timeless(_ line: [UInt8]) -> String {
    let text = String(decoding: line, as: UTF8.self)
    guard let start = text.range(of: "\"time\":\""),
        let end = text[start.upperBound...].firstIndex(of: "\"")
    else { return text }
    return text.replacingCharacters(in: start.upperBound..<end, with: "")
}

/// A record, what of it is signed, and copies of it that somebody changed.
private final class Target {
    private let record: WrittenRecord
    let files: Files
    /// The lines of each segment that the last checkpoint covers, and itself.
    private let covered: [String: [[UInt8]]]
    /// Segments that were ended, after whose end nothing may stand.
    private let whole: Set<String>
    private let scratch: String
    private var written: Files = [:]

    /// Two segments in clear, two sealed ones, the last of which a crash ended, and one that is
    /// open, with entries that nothing signs.
    init(from begin: Int = 0) throws {
        record = try WrittenRecord(starts: [], isSealed: true)
        try record.live(begin..<begin + 3, seals: false)
        try record.live(begin + 3..<begin + 7, seals: false)
        try record.live(begin + 7..<begin + 10)
        try record.live(begin + 10..<begin + 13, closes: false)
        try record.live(begin + 13..<begin + 17, closes: false)
        var files: Files = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: record.path) {
            var bytes = Array(
                try Data(contentsOf: URL(fileURLWithPath: record.path + "/" + name)))
            // The room that is written ahead takes long to be read.
            while bytes.count > 8, bytes.suffix(8).allSatisfy({ $0 == 0x0A }) { bytes.removeLast() }
            files[name] = bytes
        }
        self.files = files
        var covered: [String: [[UInt8]]] = [:]
        for name in Self.segments(files) { covered[name] = lines(files[name] ?? []) }
        let last = try #require(Self.segments(files).last)
        let signed = try #require(
            covered[last]?.lastIndex { $0.starts(with: Array("{\"checkpoint\":".utf8)) })
        #expect(signed + 1 < covered[last]?.count ?? 0, "a tail is unsigned")
        covered[last] = Array(covered[last]?.prefix(signed + 1) ?? [])
        self.covered = covered
        whole = ["000001.jsonl", "000002.jsonl", "000003.jsonl"]
        scratch = record.path + "-changed"
        try FileManager.default.createDirectory(
            atPath: scratch, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: scratch) }

    static func segments(_ files: Files) -> [String] {
        files.keys.filter { $0.hasSuffix(".jsonl") }.sorted()
    }

    /// What the verifier says of these files; nil when it cannot read them.
    func verified(_ changed: Files, opens: Bool = true) throws -> Verification? {
        for name in written.keys where changed[name] == nil {
            try FileManager.default.removeItem(atPath: scratch + "/" + name)
        }
        for (name, bytes) in changed where written[name] != bytes {
            try Data(bytes).write(to: URL(fileURLWithPath: scratch + "/" + name))
        }
        written = changed
        do throws(RecordReadingError) {
            return try RecordVerifier(
                folder: scratch, auditorKeys: opens ? record.auditorKeys : [],
                keys: [record.signer.verifier]
            ).verify()
        } catch {
            return nil
        }
    }

    /// Whether anything that is signed is other than it was.
    func isTouched(_ changed: Files) -> Bool {
        let signs = { (bytes: [UInt8]?) in Set(lines(bytes ?? [])) }
        if signs(changed["checkpoint"]) != signs(files["checkpoint"]) { return true }
        let names = Self.segments(files)
        guard Array(Self.segments(changed).prefix(names.count)) == names else { return true }
        for name in names where changed[name] != files[name] {
            let was = covered[name] ?? []
            let now = lines(changed[name] ?? [])
            guard now.count >= was.count else { return true }
            if whole.contains(name), now.count > was.count { return true }
            for (old, new) in zip(was, now) where old != new {
                // Of the last checkpoint's line the note is signed, and the time nowhere.
                let isLast = name == names.last && old == was.last
                if !isLast || timeless(old) != timeless(new) { return true }
            }
        }
        return false
    }
}

/// Does one thing to the files, and says what; `other` are those of another record of this gate.
private func change(_ files: inout Files, _ other: Files, _ dice: inout Dice) -> String {
    let names = files.keys.sorted()
    let name = names[dice.below(names.count)]
    let segments = Target.segments(files)
    var bytes = files[name] ?? []
    var parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { Array($0) }
    let (one, two) = (dice.below(parts.count), dice.below(parts.count))
    let place = dice.below(bytes.count)
    var what = ""
    func rejoin() { bytes = Array(parts.joined(separator: [0x0A])) }
    switch dice.below(14) {
    case 0, 1, 2:
        guard !bytes.isEmpty else { return "" }
        bytes[place] ^= UInt8(1 << dice.below(8))
        what = "flips a bit of byte \(place)"
    case 3:
        parts.remove(at: one)
        rejoin()
        what = "drops line \(one)"
    case 4:
        parts.swapAt(one, two)
        rejoin()
        what = "swaps lines \(one) and \(two)"
    case 5:
        parts.insert(parts[one], at: two)
        rejoin()
        what = "repeats line \(one) before line \(two)"
    case 6:
        bytes.removeLast(bytes.count - place)
        what = "cuts at byte \(place)"
    case 7:
        guard let second = segments.randomElement(using: &dice) else { return "" }
        (bytes, files[second]) = (files[second] ?? [], bytes)
        what = "swaps with \(second)"
    case 8:
        bytes = other[name] ?? []
        what = "takes that of another record"
    case 9:
        files[name] = nil
        return "\(name): is deleted; "
    case 10:
        let from = other.keys.sorted()[dice.below(other.count)]
        parts[one] = lines(other[from] ?? []).randomElement(using: &dice) ?? []
        rejoin()
        what = "line \(one) is one of another record's \(from)"
    case 11:
        bytes.insert(contentsOf: Array("{\"time\":\"2026-01-01T00:00:00.000Z\"}\n".utf8), at: place)
        what = "puts an entry in at byte \(place)"
    case 12:
        let fresh = ["000000.jsonl", "000006.jsonl", "000001.purged"][dice.below(3)]
        files[fresh] = bytes
        return "\(name): is copied to \(fresh); "
    default:
        bytes.removeSubrange(place..<min(bytes.count, place + 1 + dice.below(200)))
        what = "loses bytes from \(place) on"
    }
    files[name] = bytes
    return "\(name): \(what); "
}

@Suite struct `A record that was changed` {
    @Test func `is never taken for whole, but for a tail that nothing signs`() throws {
        let target = try Target()
        let other = try Target(from: 100).files
        let untouched = try #require(try target.verified(target.files))
        #expect(untouched.flaws == [] && untouched.unsigned > 0 && untouched.segments == 5)
        #expect(untouched.sealed > 0 && untouched.opened == untouched.sealed)
        var touched = 0
        for seed in 0..<120 {
            var dice = Dice(state: UInt64(seed))
            var files = target.files
            var what = change(&files, other, &dice)
            while dice.below(3) == 0, !files.isEmpty { what += change(&files, other, &dice) }
            // To open entries takes most of the time.
            let found = try target.verified(files, opens: seed % 10 == 0)
            guard target.isTouched(files) else { continue }
            touched += 1
            // What cannot be read is no record.
            guard let found else { continue }
            #expect(!found.isIntact, "unnoticed, seed \(seed): \(what)")
            for flaw in found.flaws
            where flaw.segment == nil && flaw.entry == nil && !flaw.what.contains("`checkpoint`") {
                Issue.record("no place, seed \(seed): \(what) \(flaw.what)")
            }
        }
        #expect(touched > 50)
    }
}
