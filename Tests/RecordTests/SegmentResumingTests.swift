// SegmentResumingTests.swift: where a gate that starts goes on, whatever the one before left.

import Foundation
import Testing
import Transparency

@testable import Record

@Suite struct `A record that is gone on with` {
    let folder: Scratch

    init() throws { folder = try Scratch() }

    /// Commits entries with these numbers in a process of their own, which closes or just ends.
    @discardableResult
    private func live(_ numbers: [Int], closes: Bool = true) throws -> Segment {
        var chain = try Segment.last(in: folder.path, someTerms())
        for number in numbers {
            try chain.commit([batch([entry(number)])], durable: true, at: calm)
        }
        if closes { chain.close(at: calm) }
        return chain
    }

    private func head(_ name: String) throws -> SegmentHead {
        let line = try folder.read(name).prefix { $0 != 0x0A }
        return try #require(SegmentHead(line: Array(line)))
    }

    private func size(_ name: String) throws -> Int { try folder.read(name).count }

    /// The root of all lines that count, by another way.
    private func root(_ lines: [[UInt8]]) -> TreeHash {
        var range = CompactRange()
        for line in lines { range.append(.leaf(line.span)) }
        return range.root
    }

    @Test func `begins a segment at each start, after all entries of those before`() throws {
        try live([1, 2])
        try live([3])
        let last = try live([])
        #expect(try folder.names == ["000001.jsonl", "000002.jsonl", "checkpoint"])
        let second = try head("000002.jsonl")
        // A head, two entries and a checkpoint.
        #expect(second.begins == 4)
        #expect(second.previous?.manner == .whole)
        #expect(second.previous?.bytes == (try size("000001.jsonl")))
        let lines = try ["000001.jsonl", "000002.jsonl"].flatMap { name in
            try folder.read(name).split(separator: 0x0A).map { Array($0) }
        }
        #expect(last.size == 7 && lines.count == 7)
        #expect(second.tree.root == root(Array(lines.prefix(4))))
        let note = try #require(
            SignedNote(String(decoding: try folder.read("checkpoint"), as: UTF8.self)))
        #expect(note.isSigned(by: someTerms().signer.verifier))
        #expect(
            Checkpoint(note.text)
                == Checkpoint(origin: "herse.test", size: 6, root: root(Array(lines.prefix(6)))))
    }

    @Test func `counts what a process that was killed had committed`() throws {
        try live([1, 2], closes: false)
        try live([3])
        let second = try head("000002.jsonl")
        #expect(second.previous?.manner == .crash)
        #expect(second.begins == 3)
        #expect((second.previous?.bytes ?? 0) < (try size("000001.jsonl")))
        #expect(entryLines(try folder.read("000001.jsonl")) == [entry(1), entry(2)])
    }

    @Test(arguments: [UInt8(0x0A), 0])
    func `counts no line of which a power cut left a sector out`(left: UInt8) throws {
        try live([1, 2])
        let whole = try folder.read("000001.jsonl")
        let texts = [
            entry(3), #"{"sealed":"\#(String(repeating: "Ab9+", count: 60))"}"#,
            #"{"a":{"b":[{"c":"}"},{}]},"d":"\#(String(repeating: "{}", count: 40))"}"#,
        ]
        let lines: [[UInt8]] = texts.map { Array($0.utf8) }
        let commit: [UInt8] = lines.flatMap { $0 + [0x0A] }
        var random = SystemRandomNumberGenerator()
        let sector = 16
        for _ in 0..<400 {
            // From nothing lost to everything.
            let share = Int.random(in: 0...4, using: &random)
            var torn = commit
            for begin in stride(from: 0, to: torn.count, by: sector)
            where Int.random(in: 0..<4, using: &random) < share {
                for place in begin..<min(begin + sector, torn.count) { torn[place] = left }
            }
            var counts = 0
            for line in lines where torn[counts...].starts(with: line + [0x0A]) {
                counts += line.count + 1
            }
            let padding = [UInt8](repeating: 0x0A, count: 100)
            try folder.write(whole + torn + padding, to: "000001.jsonl")
            let scan = try SegmentScan(path: folder.path + "/000001.jsonl")
            #expect(scan.bytes == whole.count + counts, "\(torn)")
        }
    }

    @Test(arguments: [
        "{\"n\":9", "half of a line}\n", "{\"n\":9}", "{\"a\":{\"b\":1}\n",
        "{\"a\":{\"b\":1}\n\n{\"n\":9}\n",
        "{\"checkpoint\":\"no\"}\n", "\n\n{\"n\":9",
    ])
    func `does not count, nor cut off, what was being written`(torn: String) throws {
        try live([1, 2])
        let whole = try folder.read("000001.jsonl")
        try folder.write(whole + Array(torn.utf8), to: "000001.jsonl")
        try live([3])
        let second = try head("000002.jsonl")
        #expect(second.previous?.bytes == whole.count)
        #expect(second.previous?.manner == .crash)
        #expect(second.begins == 4)
        #expect(try folder.read("000001.jsonl") == whole + Array(torn.utf8))
    }

    @Test func `does not count what stands after a gap`() throws {
        try live([1, 2], closes: false)
        var cut = try folder.read("000001.jsonl")
        let end = try #require(cut.firstRange(of: [0x0A, 0x0A])).lowerBound + 1
        // The first page of a commit is lost and the next, which begins with a line, is not.
        let late = batch([entry(9)])
        cut.replaceSubrange(end + 100..<end + 100 + late.count, with: late)
        try folder.write(cut, to: "000001.jsonl")
        try live([3])
        #expect(try head("000002.jsonl").previous?.bytes == end)
        #expect(try head("000002.jsonl").begins == 3)
        #expect(try folder.read("000001.jsonl") == cut)
    }

    @Test func `calls whole only what a clean stop left`() throws {
        try live([1])
        var chain = try Segment.last(in: folder.path, someTerms())
        try chain.commit([batch([entry(2)])], durable: true, at: due)
        // Killed just after a checkpoint: room that was filled ahead still stands behind it.
        try live([3])
        #expect(try head("000002.jsonl").previous?.manner == .whole)
        #expect(try head("000003.jsonl").previous?.manner == .crash)
    }

    @Test func `tells what it found, and nothing after a clean stop`() throws {
        func told() throws -> [String] {
            var told: [String] = []
            _ = try Segment.last(in: folder.path, someTerms()) { told.append($0) }
            return told
        }
        #expect(try told() == [])
        try live([1])
        #expect(try told() == [])
        try live([2], closes: false)
        let end =
            try #require(
                try folder.read("000002.jsonl").firstRange(of: [0x0A, 0x0A])
            ).lowerBound + 1
        let counts = "segment 2 was not closed: its first \(end) bytes count"
        #expect(try told() == [counts + ", and nothing follows them"])
        let whole = try folder.read("000002.jsonl")
        try folder.write(whole + Array("{\"n\":9".utf8), to: "000002.jsonl")
        #expect(
            try told() == [
                counts + "; what follows was being written, does not count, and is left there"
            ])
        try folder.write([UInt8](repeating: 0, count: 1000), to: "000003.jsonl")
        try folder.write([0x0A], to: "000004.jsonl")
        #expect(
            try told().prefix(2) == [
                "segment 4 is blank: removed",
                "segment 3 has not one whole line: put aside as `\(folder.path)/000003.torn`",
            ])
    }

    @Test func `does not go on from entries that a checkpoint contradicts`() throws {
        try live([1, 2])
        let text = String(decoding: try folder.read("000001.jsonl"), as: UTF8.self)
        let changed = text.replacingOccurrences(of: "\"n\":2", with: "\"n\":7")
        try folder.write(Array(changed.utf8), to: "000001.jsonl")
        try live([3])
        // The head and both entries count, the checkpoint does not.
        #expect(try head("000002.jsonl").begins == 3)
        #expect(try head("000002.jsonl").previous?.manner == .crash)
    }

    @Test func `puts a torn head aside and removes what is blank`() throws {
        try live([1])
        try folder.write(Array("{\"segment\":2,\"beg".utf8), to: "000002.jsonl")
        try folder.write([0x0A, 0x0A], to: "000003.jsonl")
        try live([2])
        #expect(
            try folder.names
                == ["000001.jsonl", "000002.torn", "000003.jsonl", "checkpoint"])
        #expect(try head("000003.jsonl").previous?.segment == 1)
        #expect(try head("000003.jsonl").begins == 3)
    }

    @Test func `begins its tree after segments of a gate that had none`() throws {
        try folder.write(batch([entry(1), entry(2)]), to: "000001.jsonl")
        try live([3])
        let second = try head("000002.jsonl")
        #expect(second.begins == 0)
        #expect(second.previous?.manner == .untold)
        #expect(second.previous?.range == CompactRange())
    }

    @Test func `refuses a folder or a segment that it cannot read`() throws {
        #expect(throws: RecordError.self) {
            _ = try Segment.last(in: folder.path + "/none", someTerms())
        }
        try FileManager.default.createDirectory(
            atPath: folder.path + "/000001.jsonl", withIntermediateDirectories: false)
        #expect(throws: RecordError.self) {
            _ = try Segment.last(in: folder.path, someTerms())
        }
    }
}
