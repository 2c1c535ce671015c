// RecordSearch.swift: finds entries in a record by the indexes of its segments.
//
// An index only proposes: every entry is read, and checked against the question, before it counts.

package import RecordReading

/// How far long work has come.
package struct RecordProgress: Sendable {
    package enum Work: String, Sendable {
        case indexing
        case reading
    }

    package let what: Work
    /// Bytes of the record when indexing, segments when reading: gone through, of so many.
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
        /// Lines of the segments gone through that are no entries.
        package var unreadable = 0
        /// Segments that could not be read.
        package var broken: [String] = []
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
        let within = segments(since: query.since, until: query.until)
        for segment in within { try reader.mustBeOpen(segment) }
        makeIndexes(of: within, isAnew: false, progress: progress, &pass)
        let matches = query.matcher()
        var done = 0
        for segment in newestFirst ? within.reversed() : within {
            do throws(RecordReadingError) {
                let segment = try RecordSegment(segment)
                let walk = SegmentWalk(query: query, newestFirst: newestFirst, matches: matches)
                let goesOn = try walk.entries(
                    of: segment, indexAt: path(of: segment.segment.number), &pass, take)
                if !goesOn { return pass }
            } catch {
                pass.broken.append(segment.path)
            }
            done += 1
            progress(RecordProgress(what: .reading, done: done, of: within.count))
        }
        return pass
    }

    func path(of segment: Int) -> String {
        let digits = String(segment)
        return folder + "/" + String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
            + ".index"
    }

    /// The segments that may have entries in a period.
    ///
    /// By when they were begun, give or take a day: a clock may have been set back.
    private func segments(since: UInt64, until: UInt64) -> [RecordedSegment] {
        let slack: UInt64 = 86_400_000
        let begins = reader.segments.map(reader.beginning(of:))
        return reader.segments.enumerated().filter { index, _ in
            let next = begins[(index + 1)...].lazy.compactMap(\.self).first
            if let next, next < since, since - next > slack { return false }
            if let first = begins[index], first >= until, first - until > slack { return false }
            return true
        }.map(\.element)
    }
}
