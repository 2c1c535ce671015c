// RecordReader.swift: the entries of a record, segment after segment.

internal import Foundation
internal import Record
package import Sealing

/// The segments of a folder: `000001.jsonl`, `000002.jsonl` and so on.
package final class RecordReader: Sendable {
    /// What one pass over the record found besides entries.
    package struct Pass: Sendable {
        /// Lines that are no JSON object with a time, or too long.
        package var unreadable = 0
        /// Segments that could not be read to their end.
        package var broken: [String] = []
    }

    /// Their numbers, and where they are, in order.
    package let segments: [(number: Int, path: String)]
    private let auditorKeys: [AuditorKey]

    /// Lists the segments of `folder`; `auditorKeys` open those that are sealed.
    package init(folder: String, auditorKeys: [AuditorKey] = []) throws(RecordReadingError) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw RecordReadingError(
                "\(folder): cannot be read",
                hint: "name the folder of the record with --record, such as /var/lib/herse/record")
        }
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        segments = names.compactMap { name in
            guard name.hasSuffix(".jsonl"), let number = Int(name.dropLast(6)) else { return nil }
            return (number, prefix + name)
        }.sorted { $0.number < $1.number }
        guard !segments.isEmpty else {
            throw RecordReadingError(
                "\(folder): no segment of a record in it", hint: "is it the folder `record`?")
        }
        self.auditorKeys = auditorKeys
    }

    /// Gives every entry from `since` on and before `until`, in milliseconds, to `take`, the oldest
    /// first, until it returns false; segments that end before are not opened.
    package func read(
        since: UInt64, until: UInt64 = .max, _ take: (borrowing RecordedEntry) -> Bool
    ) throws(RecordReadingError) -> Pass {
        var pass = Pass()
        for segment in segments[firstSegment(since: since)...] {
            guard let file = FileHandle(forReadingAtPath: segment.path) else {
                pass.broken.append(segment.path)
                continue
            }
            defer { try? file.close() }
            let goesOn = lines(of: file, segment.path, &pass) { line, offset, pass in
                guard var entry = RecordedEntry(line: line) else {
                    if !isOfTheRecordItself(line) { pass.unreadable += 1 }
                    return true
                }
                guard entry.time >= since, entry.time < until else { return true }
                entry.segment = segment.number
                entry.offset = offset
                return take(entry)
            }
            if !goesOn { break }
        }
        return pass
    }

    /// The entry whose line begins at `offset` of `segment`.
    package func entry(
        segment number: Int, offset: Int
    ) throws(RecordReadingError) -> RecordedEntry {
        let gone = RecordReadingError(
            "segment \(number) has no entry at \(offset)",
            hint: "the index is of another record, or the segment was purged: rebuild the index")
        guard let segment = segments.first(where: { $0.number == number }),
            let file = FileHandle(forReadingAtPath: segment.path)
        else { throw gone }
        defer { try? file.close() }
        var size = 4096
        while size <= RecordedEntry.lengthMax {
            guard (try? file.seek(toOffset: UInt64(offset))) != nil,
                let data = try? file.read(upToCount: size)
            else { throw gone }
            let bytes = Array(data)
            if let end = bytes.firstIndex(of: 0x0A) ?? (bytes.count < size ? bytes.count : nil) {
                let line = Array(bytes[..<end])
                guard var entry = RecordedEntry(line: line.span) else { throw gone }
                entry.segment = number
                entry.offset = offset
                return entry
            }
            size *= 8
        }
        throw gone
    }

    /// The last segment that begins before `since`: what comes earlier ends before it, too.
    private func firstSegment(since: UInt64) -> Int {
        var first = 0
        for (index, segment) in segments.enumerated().dropFirst() {
            guard let begin = firstTime(of: segment.path), begin < since else { break }
            first = index
        }
        return first
    }

    private func firstTime(of path: String) -> UInt64? {
        guard let file = FileHandle(forReadingAtPath: path),
            let data = try? file.read(upToCount: 1 << 16)
        else { return nil }
        defer { try? file.close() }
        for line in data.split(separator: 0x0A).prefix(4) {
            let line = Array(line)
            if let time = RecordedEntry(line: line.span)?.time { return time }
        }
        return nil
    }

    /// Gives every line that is not blank and where it begins; false when `take` wanted no more.
    private func lines(
        of file: FileHandle, _ path: String, _ pass: inout Pass,
        _ take: (Span<UInt8>, Int, inout Pass) -> Bool
    ) -> Bool {
        var rest: [UInt8] = []
        // Where `rest` begins in the file.
        var place = 0
        var isTooLong = false
        func end(_ line: Span<UInt8>, _ offset: Int, _ pass: inout Pass) -> Bool {
            defer { isTooLong = false }
            if isTooLong {
                pass.unreadable += 1
                return true
            }
            return line.isEmpty || take(line, offset, &pass)
        }
        while true {
            guard let data = try? file.read(upToCount: 1 << 20) else {
                pass.broken.append(path)
                break
            }
            guard !data.isEmpty else { break }
            let bytes = rest + Array(data)
            var start = 0
            for index in rest.count..<bytes.count where bytes[index] == 0x0A {
                let line = bytes.span.extracting(start..<index)
                guard end(line, place + start, &pass) else { return false }
                start = index + 1
            }
            rest = Array(bytes[start...])
            place += start
            if rest.count > RecordedEntry.lengthMax {
                isTooLong = true
                place += rest.count
                rest = []
            }
        }
        return end(rest.span, place, &pass)
    }
}

/// Whether a line speaks of the record itself: the head of a segment, or a checkpoint.
private func isOfTheRecordItself(_ line: Span<UInt8>) -> Bool {
    begins(line, CheckpointLine.mark) || begins(line, SegmentHead.mark)
}
