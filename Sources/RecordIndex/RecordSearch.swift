// RecordSearch.swift: finds entries in a record by the indexes of its segments.
//
// An index only proposes: every entry is read, and checked against the question, before it counts.

package import RecordReading

/// How far long work has come.
package struct RecordProgress: Sendable {
    /// What is being done.
    package enum Work: String, Sendable {
        case indexing
        case reading
    }

    package let what: Work
    /// Bytes of the record that were gone through, of so many.
    package let done: Int
    package let of: Int
}

/// One entry, and the line that it is.
package struct FoundEntry: Sendable {
    /// Its `sequence` is its number in the record's tree.
    package let entry: RecordedEntry
    /// A JSON object, in clear.
    package let line: [UInt8]
}

/// Searches one record.
package final class RecordSearch: Sendable {
    /// What a search found besides entries.
    package struct Pass: Sendable {
        /// What was found of the record itself.
        package var record = RecordReader.Pass()
        /// Why the index of a segment could not be made; all its entries were read.
        package var unindexed: [RecordReadingError] = []
        /// Entries that were read.
        package var read = 0
    }

    let reader: RecordReader
    let folder: String
    /// Bytes that may stand behind an index before it is made anew: read each time until then.
    static let tailMax = 16 << 20

    /// Searches what `reader` reads; indexes are in `indexFolder`, which is made when needed.
    package init(reader: RecordReader, indexFolder: String) {
        self.reader = reader
        folder = indexFolder
    }

    /// Where the indexes of a record's folder are, unless told otherwise.
    package static func indexFolder(of record: String) -> String {
        (record.hasSuffix("/") ? record : record + "/") + "index"
    }

    /// Gives every entry that `query` asks for to `take`, the oldest first or the newest, until it
    /// returns false.
    ///
    /// Indexes that are missing are made.
    /// Throws when a segment of the period is sealed and none of the reader's keys opens it.
    package func entries(
        matching query: RecordQuery, newestFirst: Bool = false,
        progress: @Sendable (RecordProgress) -> Void = { _ in },
        _ take: (borrowing FoundEntry) -> Bool
    ) throws(RecordReadingError) -> Pass {
        var pass = Pass()
        pass.record.purged = reader.purged(since: query.since, until: query.until)
        pass.record.missing = reader.missing
        let within = segments(since: query.since, until: query.until)
        for segment in within { try reader.mustBeOpen(segment) }
        makeIndexes(of: within, isAnew: false, progress: progress, &pass)
        let matches = query.matcher()
        let all = within.reduce(0) { $0 + size(of: $1) }
        var done = 0
        let inTurn = newestFirst ? within.reversed() : within
        for (index, segment) in inTurn.enumerated() {
            // All that are near at the first, then one more each time.
            let near = index == 0 ? 0..<Self.ahead : index + Self.ahead - 1..<index + Self.ahead
            for one in inTurn[near.clamped(to: inTurn.indices)] { announce(one) }
            do throws(RecordReadingError) {
                let segment = try RecordSegment(segment)
                let walk = SegmentWalk(query: query, newestFirst: newestFirst, matches: matches)
                let goesOn = try walk.entries(
                    of: segment, indexAt: path(of: segment.segment.number), &pass, take)
                if !goesOn { return pass }
            } catch {
                pass.record.broken.append(segment.path)
            }
            done += size(of: segment)
            progress(RecordProgress(what: .reading, done: done, of: all))
        }
        return pass
    }

    /// Segments whose indexes the system is told of before they are used.
    private static let ahead = 8

    /// Tells the system what will be read of a segment whatever is asked: a disk that has to be
    /// waited for each time would take longer than all the rest.
    private func announce(_ segment: RecordedSegment) {
        if let index = try? LineFile(path(of: segment.number)) {
            index.announce(0..<min(index.size, 64 << 10))
            index.announce(max(0, index.size - 160 << 10)..<index.size)
        }
        if let file = try? LineFile(segment.path) {
            let end = min(segment.bytes ?? .max, file.size)
            file.announce(max(0, end - 8 << 10)..<end)
        }
    }

    func path(of segment: Int) -> String {
        let digits = String(segment)
        return folder + "/" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
            + ".index"
    }

    /// The segments that may have entries in a period.
    ///
    /// By when they were begun, give or take what a clock may have been set back.
    private func segments(since: UInt64, until: UInt64) -> [RecordedSegment] {
        let begins = reader.segments.map(reader.beginning(of:))
        return reader.segments.enumerated().filter { index, _ in
            let next = begins[(index + 1)...].lazy.compactMap(\.self).first
            if let next, next < since, since - next > recordClockSlack { return false }
            if let first = begins[index], first >= until, first - until > recordClockSlack {
                return false
            }
            return true
        }.map(\.element)
    }
}
