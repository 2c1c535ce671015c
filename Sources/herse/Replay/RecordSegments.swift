// RecordSegments.swift: the lines of a record, segment after segment, read once.

import Foundation

/// The segments of a folder: `000001.jsonl`, `000002.jsonl` and so on.
struct RecordSegments {
    let paths: [String]

    /// What one pass over the record found besides lines.
    struct Pass {
        /// Lines that are no JSON object with a time, or too long.
        var unreadable = 0
        /// Segments that could not be read to their end.
        var broken: [String] = []
    }

    init(folder: String) throws(Failure) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
            throw Failure(
                "\(folder): cannot be read",
                hint: "name the folder of the record with --record, such as /var/lib/herse/record")
        }
        let segments = names.filter { $0.hasSuffix(".jsonl") }.sorted()
        guard !segments.isEmpty else { throw Failure("\(folder): no segment of a record in it") }
        let prefix = folder.hasSuffix("/") ? folder : folder + "/"
        paths = segments.map { prefix + $0 }
    }

    /// Gives every line from `since` on, in milliseconds, to `take`; segments that end before are
    /// not opened.
    func read(since: UInt64, _ take: (RecordedExchange) -> Void) -> Pass {
        var pass = Pass()
        for path in paths[firstSegment(since: since)...] {
            guard let file = FileHandle(forReadingAtPath: path) else {
                pass.broken.append(path)
                continue
            }
            defer { try? file.close() }
            read(file, path, since: since, &pass, take)
        }
        return pass
    }

    /// The last segment that begins before `since`: what comes earlier ends before it, too.
    private func firstSegment(since: UInt64) -> Int {
        var first = 0
        for (index, path) in paths.enumerated().dropFirst() {
            guard let begin = firstTime(of: path), begin < since else { break }
            first = index
        }
        return first
    }

    private func firstTime(of path: String) -> UInt64? {
        guard let file = FileHandle(forReadingAtPath: path),
            let data = try? file.read(upToCount: 1 << 16)
        else { return nil }
        let line = Array(data.prefix { $0 != 0x0A })
        return RecordedExchange(line: line.span)?.time
    }

    private func read(
        _ file: FileHandle, _ path: String, since: UInt64, _ pass: inout Pass,
        _ take: (RecordedExchange) -> Void
    ) {
        var rest: [UInt8] = []
        var isTooLong = false
        func end(_ line: Span<UInt8>) {
            guard !line.isEmpty || isTooLong else { return }
            if !isTooLong, let exchange = RecordedExchange(line: line) {
                if exchange.time >= since { take(exchange) }
            } else {
                pass.unreadable += 1
            }
            isTooLong = false
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
                end(bytes.span.extracting(start..<index))
                start = index + 1
            }
            rest = Array(bytes[start...])
            if rest.count > RecordedExchange.lengthMax {
                isTooLong = true
                rest = []
            }
        }
        end(rest.span)
    }
}
