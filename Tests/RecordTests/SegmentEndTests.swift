// SegmentEndTests.swift: what a start finds in segments that were stopped, torn or touched.

import Foundation
import Testing

@testable import Record

/// A folder of its own under the temporary folder, removed with this value.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "herse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func read(_ name: String) throws -> String {
        String(
            decoding: try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)), as: UTF8.self)
    }

    var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
    }
}

private func lineFeeds(_ count: Int) -> String { String(repeating: "\n", count: count) }

@Suite struct `The end of a segment` {
    let folder: Scratch

    init() throws { folder = try Scratch() }

    private func opened(_ text: String) throws -> String {
        try folder.write(text, to: "000001.jsonl")
        let (store, length) = try SegmentStore.open(folder.path + "/000001.jsonl")
        var open = store
        open.abandon()
        let left = try folder.read("000001.jsonl")
        #expect(length == left.utf8.count)
        return left
    }

    @Test(arguments: [
        "", "{}\n", "{\"a\":1}\n{\"b\":2}\n", "{\"a\":{\"b\":\"}\"}}\n",
        "{\"a\":\"\\\"}\"}\n", "{\"a\":\"\\\\\"}\n",
        // What an editor, or somebody's script, did to it is not ours to cut.
        "{\"a\":1}\r\n{\"b\":2}\r\n", "{\"a\":1} \t\n", "\n\n{\"a\":1}\n",
        "{\"a\":1}\n\n{\"b\":2}\n",
        "half of a line}\n", "{\n  \"a\": 1\n}\n", "note\n{\"b\":2}\n", "{\"a\n{\"b\":2}\n",
    ])
    func `is after the last whole line`(text: String) throws {
        #expect(try opened(text) == text)
        for padding in [1, 5, 65_535, 65_536, 65_537, 200_000] {
            #expect(try opened(text + lineFeeds(padding)) == text)
        }
    }

    @Test(arguments: [
        "{", "}", "{\"a\":1", "{\"a\":\"}", "{\"a\":{}", "{\"a\":{\"b\":1}", "{\"a\":\"\\\"}",
        "{\"a\":\"x",
        "\u{0}\u{0}\u{0}", "middle of a line", "{\"a\":1}\u{0}", "{\"a\":1}}", "{\"a\":1}{\"b\":2}",
    ])
    func `is before a line that was torn`(torn: String) throws {
        let good = "{\"a\":1}\n{\"b\":2}\n"
        for before in ["", good] {
            #expect(try opened(before + torn) == before)
            if torn != "}" {
                #expect(try opened(before + torn + lineFeeds(100_000)) == before)
                // Padding that the torn commit had not yet written over.
                #expect(try opened(before + lineFeeds(70_000) + torn + lineFeeds(3)) == before)
            }
        }
        let long = String(repeating: "x", count: 300_000)
        #expect(try opened(good + "{\"a\":\"" + long) == good)
        #expect(
            try opened(good + "{\"a\":\"" + long + "\"}\n") == good + "{\"a\":\"" + long + "\"}\n")
    }

    @Test func `gives a whole entry the line feed it lacks`() throws {
        #expect(try opened("{\"a\":1}\n{\"b\":2}") == "{\"a\":1}\n{\"b\":2}\n")
    }

    @Test func `cuts at most one line`() throws {
        #expect(try opened("{\"a\":1}\n{\"b\n{\"c\n") == "{\"a\":1}\n{\"b\n")
    }

    @Test func `is not looked for in what cannot be read`() throws {
        let path = folder.path + "/000001.jsonl"
        #expect(throws: SegmentDamage.self) {
            try endOfEntries(size: 10) { _ throws(SegmentDamage) in throw SegmentDamage(code: EIO) }
        }
        // Safe because the path outlives the call.
        #expect(unsafe mkfifo(path, 0o600) == 0)
        #expect(throws: RecordError.cannotOpen(path: path, code: EINVAL)) {
            try SegmentStore.open(path)
        }
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(throws: RecordError.cannotOpen(path: path, code: EISDIR)) {
            try Segment.last(in: folder.path)
        }
    }
}

@Suite struct `A record on disk` {
    let folder: Scratch

    init() throws { folder = try Scratch() }

    @Test func `goes on where it was left, after a stop and after a kill`() throws {
        var first = try Segment.last(in: folder.path)
        try first.commit([batch([entry(1)])], durable: true)
        first.close()
        #expect(try folder.read("000001.jsonl") == entry(1) + "\n")
        var second = try Segment.last(in: folder.path)
        try second.commit([batch([entry(2), entry(3)])], durable: true)
        // Not closed: padding stands at its end now.
        #expect(try folder.read("000001.jsonl").utf8.count > 1 << 20)
        var third = try Segment.last(in: folder.path)
        try third.commit([batch([entry(4)])], durable: false)
        third.close()
        #expect(try folder.names == ["000001.jsonl"])
        #expect(
            recordLines(Array(try folder.read("000001.jsonl").utf8)) == (1...4).map { entry($0) })
    }

    @Test func `goes on with the last of its segments, and makes the one after it`() throws {
        for name in ["000001.jsonl", "000009.jsonl"] { try folder.write("{}\n", to: name) }
        for name in [
            "notes.jsonl", "-00011.jsonl", "99.jsonl", "000050.txt", "0000051.jsonl",
            "9223372036854775807.jsonl",
        ] {
            try folder.write("x", to: name)
        }
        var chain = try Segment.last(in: folder.path)
        try chain.commit([batch([entry(1)])], durable: true)
        chain.close()
        #expect(try folder.read("000009.jsonl") == "{}\n" + entry(1) + "\n")
        var next = try SegmentFolder(folder.path).makeNext()
        next.abandon()
        #expect(try folder.names.contains("000010.jsonl"))
        #expect(try folder.read("notes.jsonl") == "x")
    }

    @Test func `is refused when its folder cannot be listed`() {
        let path = folder.path + "/none"
        #expect(throws: RecordError.cannotOpen(path: path, code: ENOENT)) {
            try Segment.last(in: path)
        }
    }
}

extension SegmentFolder {
    fileprivate func makeNext() throws(RecordError) -> SegmentStore {
        var folder = self
        return try folder.next()
    }
}
