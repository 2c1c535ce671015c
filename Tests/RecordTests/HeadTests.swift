// HeadTests.swift: heads and checkpoints as they are read: in one sense, or not at all.

import Sealing
import Testing
import Transparency

@testable import Record

@Suite struct `The head of a segment` {
    private func head(_ begins: UInt64, _ ending: SegmentEnding?) throws -> SegmentHead {
        let signer = try #require(NoteSigner(name: "herse.test", seed: Array(1...32)))
        return SegmentHead(
            segment: 3, time: "2026-11-28T20:11:02.120Z", origin: "herse.test",
            key: signer.verifier, tree: range(0, begins), previous: ending, sealedTo: nil)
    }

    private func range(_ begin: UInt64, _ end: UInt64) -> CompactRange {
        var range = CompactRange(begin: begin)
        for number in begin..<end { range.append(.leaf([UInt8(number)].span)) }
        return range
    }

    @Test func `reads back`() throws {
        for ending in [
            nil, SegmentEnding(segment: 2, range: range(5, 9), bytes: 0, manner: .crash),
        ] {
            let head = try head(9, ending)
            #expect(SegmentHead(line: try #require(head.line)) == head)
        }
    }

    /// Whoever followed one from segment to segment would never arrive.
    @Test(arguments: [(2, 8), (2, 10), (3, 9), (4, 9), (0, 9)])
    func `is none if it tells of another place before it`(segment: Int, ends: UInt64) throws {
        let ending = SegmentEnding(
            segment: segment, range: range(5, ends), bytes: 0, manner: .whole)
        #expect(SegmentHead(line: try #require(try head(9, ending).line)) == nil)
    }
}

@Suite struct `A checkpoint's line` {
    @Test func `is taken in one spelling`() throws {
        let line = CheckpointLine(note: "a\n\n— b c\n", time: "now", leaves: [1, 2, 3]).line
        #expect(CheckpointLine(line: line)?.line == line)
        let text = String(decoding: line, as: UTF8.self)
        for (old, new) in [
            (",\"time", ", \"time"), ("now", "n\\u006fw"), ("\\u000a", "\\n"),
            ("\"}", "\",\"more\":1}"), ("\"time\":\"now\",", "\"time\":\"now\",\"time\":\"now\","),
        ] {
            let other = Array(text.replacing(old, with: new).utf8)
            #expect(other != line)
            #expect(CheckpointLine(line: other) == nil)
        }
    }
}
