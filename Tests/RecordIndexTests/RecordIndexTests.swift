// RecordIndexTests.swift: what is found by an index is what reading everything finds.

import Dispatch
import Foundation
import RecordIndex
import RecordReading
import Testing

@Suite struct `An index of the record` {
    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func `finds what reading everything finds`(seed: UInt64) throws {
        let record = try SampleRecord(seed: seed, isSealed: seed % 2 == 0)
        for turn in 0..<16 {
            let query = record.randomQuery()
            let wanted = record.lines.filter { record.isWanted($0, query) }.map(\.number)
            let newestFirst = turn % 4 == 3
            let found = try record.found(query, newestFirst: newestFirst)
            #expect(found == (newestFirst ? wanted.reversed() : wanted), "seed \(seed): \(query)")
        }
    }

    @Test func `of a sealed record needs an auditor's key to be made or used`() throws {
        let record = try SampleRecord(seed: 15, entries: 60, isSealed: true)
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(2)]
        #expect(try !record.found(query).isEmpty)
        let search = RecordSearch(
            reader: try RecordReader(folder: record.folder), indexFolder: record.index)
        #expect(throws: RecordReadingError.self) {
            try search.entries(matching: query) { _ in true }
        }
        #expect(throws: RecordReadingError.self) {
            try search.makeIndexes(isAnew: true) { _ in }
        }
    }

    @Test func `gives each entry its number, its place and its line`() throws {
        let record = try SampleRecord(seed: 5)
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(3)]
        var count = 0
        let pass = try record.search().entries(matching: query) { found in
            count += 1
            let line = record.lines.first { $0.number == found.entry.sequence }
            #expect(line?.text == String(decoding: found.line, as: UTF8.self))
            #expect(line?.segment == found.entry.segment && line?.place == found.entry.offset)
            return true
        }
        #expect(count > 3)
        #expect(pass.record.broken == [] && pass.unindexed == [] && pass.record.unreadable == 0)
    }

    @Test func `reads few entries besides those that are asked for`() throws {
        let record = try SampleRecord(seed: 6, entries: 2000)
        var query = RecordQuery()
        query.patient = PatientNames(keys: [SampleRecord.patient(7)])
        var count = 0
        let pass = try record.search().entries(matching: query) { _ in
            count += 1
            return true
        }
        #expect(count > 0 && pass.read == count)
        query = RecordQuery()
        query.request = try #require(record.lines.last { $0.isEntry }).request
        let byRequest = try record.search().entries(matching: query) { _ in true }
        #expect(byRequest.read <= 3)
    }

    @Test func `stops when no more is wanted`() throws {
        let record = try SampleRecord(seed: 7)
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(1)]
        var count = 0
        _ = try record.search().entries(matching: query) { _ in
            count += 1
            return count < 3
        }
        #expect(count == 3)
    }

    @Test(arguments: ["damaged", "foreign", "empty", "otherFormat", "page"])
    func `that is no use is made again`(flaw: String) throws {
        let record = try SampleRecord(seed: 8)
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(2)]
        let wanted = try record.found(query)
        #expect(!wanted.isEmpty)
        let path = record.index + "/000001.index"
        switch flaw {
        case "damaged":
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            for place in stride(from: 0, to: bytes.count, by: 100) { bytes[place] ^= 0x55 }
            try bytes.write(to: URL(fileURLWithPath: path))
        case "page":
            // Every page of the tables beyond the first, as a disk might lose them.
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            bytes.replaceSubrange(4096..., with: repeatElement(0, count: bytes.count - 4096))
            try bytes.write(to: URL(fileURLWithPath: path))
        case "foreign":
            try FileManager.default.removeItem(atPath: path)
            try FileManager.default.copyItem(atPath: record.index + "/000002.index", toPath: path)
        case "empty": try Data().write(to: URL(fileURLWithPath: path))
        default:
            var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
            // `user_version`, in the header of every SQLite file.
            bytes[63] = 99
            try bytes.write(to: URL(fileURLWithPath: path))
        }
        #expect(try record.found(query) == wanted)
        // It was made again at its first use.
        let (indexes, _) = try record.search().makeIndexes(isAnew: false) { _ in }
        #expect(indexes.map(\.isNew) == [false, false, false])
    }

    @Test func `of a segment that was changed is made again`() throws {
        let record = try SampleRecord(seed: 9)
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(2)]
        _ = try record.found(query)
        // The last segment as it might be after another machine's copy was put there.
        let path = record.folder + "/000003.jsonl"
        let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
        try (lines.dropLast().joined(separator: "\n") + "\n").write(
            toFile: path, atomically: true, encoding: .utf8)
        let last = try #require(record.lines.last)
        #expect(try record.found(query).contains(last.number) == false)
        let (indexes, _) = try record.search().makeIndexes(isAnew: true) { _ in }
        #expect(indexes.map(\.isNew) == [true, true, true])
    }

    @Test func `does not hold for lines that are still being written`() throws {
        let record = try SampleRecord(seed: 10)
        var query = RecordQuery()
        query.professionals = ["899799999999"]
        #expect(try record.found(query) == [])
        let path = record.folder + "/000003.jsonl"
        let file = try #require(FileHandle(forWritingAtPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        let number = UInt64(record.lines.count)
        let line = #"{"time":"2026-11-27T10:00:00.000Z","professional":"899799999999"}"#
        // Half a line is none yet; then it is whole, and is found though nobody indexed it.
        try file.write(contentsOf: Data(line.prefix(40).utf8))
        #expect(try record.found(query) == [])
        try file.write(contentsOf: Data((line.dropFirst(40) + "\n").utf8))
        #expect(try record.found(query) == [number])
        // Line feeds ahead of the end are no lines.
        try file.write(contentsOf: Data(repeating: 0x0A, count: 1 << 20))
        #expect(try record.found(query) == [number])
        _ = try record.search().makeIndexes(isAnew: true) { _ in }
        #expect(try record.found(query) == [number])
        #expect(try record.found(query, newestFirst: true) == [number])
    }

    @Test func `leaves out what does not count of a segment`() throws {
        let record = try SampleRecord(seed: 11)
        let path = record.folder + "/000001.jsonl"
        let file = try #require(FileHandle(forWritingAtPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        // Behind what the next segment's head says of this one.
        try file.write(
            contentsOf: Data(
                (#"{"time":"2026-11-20T10:00:00.000Z","professional":"899799999998"}"# + "\n").utf8)
        )
        var query = RecordQuery()
        query.professionals = ["899799999998"]
        #expect(try record.found(query) == [])
    }

    @Test func `is read by its owner alone, and leaves nothing else behind`() throws {
        let record = try SampleRecord(seed: 12)
        let left = record.index + "/000009.index"
        try FileManager.default.createDirectory(
            atPath: record.index, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: left))
        try Data().write(to: URL(fileURLWithPath: record.index + "/000001.index.abc.new"))
        _ = try record.search().makeIndexes(isAnew: false) { _ in }
        let names = try FileManager.default.contentsOfDirectory(atPath: record.index).sorted()
        #expect(names == ["000001.index", "000002.index", "000003.index"])
        for name in names {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: record.index + "/" + name)
            #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
            // Hashes alone: nobody's name or number is in it.
            let bytes = try Data(contentsOf: URL(fileURLWithPath: record.index + "/" + name))
            #expect(bytes.range(of: Data(SampleRecord.professional(1).utf8)) == nil)
        }
    }

    @Test func `that cannot be written only takes longer`() throws {
        let record = try SampleRecord(seed: 13)
        try Data().write(to: URL(fileURLWithPath: record.index))
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(2)]
        var found: [UInt64] = []
        let pass = try record.search().entries(matching: query) { entry in
            found.append(entry.entry.sequence)
            return true
        }
        let wanted = record.lines.filter { record.isWanted($0, query) }.map(\.number)
        #expect(found == wanted)
        #expect(pass.unindexed.isEmpty == false)
    }

    @Test func `takes many readers at once`() throws {
        let record = try SampleRecord(seed: 14)
        var query = RecordQuery()
        query.professionals = [SampleRecord.professional(2)]
        let wanted = record.lines.filter { record.isWanted($0, query) }.map(\.number)
        let asked = query
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            let found = try? record.found(asked)
            #expect(found == wanted)
        }
    }

    @Test(arguments: [
        ("urn:oid:1.2.250.1.213.1.4.8|180067504230160", "1.2.250.1.213.1.4.8|1800675042301", true),
        ("1.2.250.1.213.1.4.9|1800675042301", "1.2.250.1.213.1.4.8|180067504230199", true),
        ("urn:oid:1.2.3|A7", "1.2.3|A7", true),
        ("1.2.3|A7", "1.2.3| A7 ", true),
        ("1.2.3|A7", "1.2.4|A7", false),
        ("1.2.3|A7", "1.2.3|a7", false),
        ("https://ipp.example|1", "https://ipp.example|1", true),
        ("Patient/7", "Patient/7", true),
        ("Patient/7", "Patient/8", false),
    ])
    func `knows identifiers however they are written`(
        recorded: String, asked: String, isSame: Bool
    ) throws {
        let record = try SampleRecord(
            lines: [
                #"{"time":"2026-11-20T10:00:00.000Z","persons":["0000000000000001"],"#
                    + #""identifiers":[["x|y","\#(recorded)"]],"professional":"1"}"#
            ])
        var query = RecordQuery()
        query.patient = PatientNames(identifiers: [asked])
        let person = RecordedPerson(key: 1, identifiers: ["x|y", recorded])
        #expect(query.patient?.names(person) == isSame)
        #expect(try record.found(query) == (isSame ? [0] : []))
        _ = try record.search().makeIndexes(isAnew: true) { _ in }
        #expect(try record.found(query) == (isSame ? [0] : []))
    }
}
