// RecordSearch.swift: finds entries in a record by the indexes of its segments.
//
// An index only proposes: every entry is read, and checked against the question, before it counts.

internal import Foundation
package import RecordReading

/// How far long work has come.
package struct RecordProgress: Sendable {
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
        /// Lines of the segments gone through that are no entries.
        package var unreadable = 0
        /// Segments that could not be read.
        package var broken: [String] = []
        /// Why the index of a segment could not be made; all its entries were read.
        package var unindexed: [RecordReadingError] = []
        /// Entries that were read.
        package var read = 0
    }

    let places: [SegmentPlace]
    let folder: String
    /// Bytes that may stand behind an index before it is made anew: read each time until then.
    static let tailMax = 16 << 20

    /// Searches what `reader` reads; indexes are in `indexFolder`, which is made when needed.
    package init(reader: RecordReader, indexFolder: String) {
        places = segmentPlaces(reader)
        folder = indexFolder
    }

    /// Where the indexes of a record's folder are, unless told otherwise.
    package static func indexFolder(of record: String) -> String {
        (record.hasSuffix("/") ? record : record + "/") + "index"
    }

    /// Gives every entry that `query` asks for to `take`, the oldest first or the newest, until it
    /// returns false. Indexes that are missing are made.
    package func entries(
        matching query: RecordQuery, newestFirst: Bool = false,
        progress: @Sendable (RecordProgress) -> Void = { _ in },
        _ take: (borrowing FoundEntry) -> Bool
    ) -> Pass {
        var pass = Pass()
        let within = places(since: query.since, until: query.until)
        makeIndexes(of: within, isAnew: false, progress: progress, &pass)
        let matches = query.matcher()
        let bytes = within.reduce(0) { $0 + $1.size }
        var done = 0
        for place in newestFirst ? within.reversed() : within {
            do throws(RecordReadingError) {
                let segment = try RecordSegment(place)
                let walk = SegmentWalk(query: query, newestFirst: newestFirst, matches: matches)
                let goesOn = try walk.entries(
                    of: segment, indexAt: path(of: place.number), &pass, take)
                if !goesOn { return pass }
            } catch {
                pass.broken.append(place.path)
            }
            done += place.size
            progress(RecordProgress(what: .reading, done: done, of: bytes))
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
    /// By the times of their first entries, give or take a day: a clock may have been set back.
    private func places(since: UInt64, until: UInt64) -> [SegmentPlace] {
        let slack: UInt64 = 86_400_000
        return places.enumerated().filter { index, place in
            let next = places[(index + 1)...].lazy.compactMap(\.firstTime).first
            if let next, next < since, since - next > slack { return false }
            if let first = place.firstTime, first >= until, first - until > slack { return false }
            return true
        }.map(\.element)
    }
}

/// Where the segments of a record are, and what their heads say.
private func segmentPlaces(_ reader: RecordReader) -> [SegmentPlace] {
    var places = reader.segments.map { SegmentPlace(number: $0.number, path: $0.path) }
    var next: UInt64 = 0
    for index in places.indices {
        guard let file = try? LineFile(places[index].path) else { continue }
        places[index].size = file.size
        var head: SegmentHead?
        var seen = 0
        try? file.lines(0..<min(file.size, RecordedEntry.lengthMax)) { line, _ in
            seen += 1
            if seen == 1 { head = SegmentHead(line) }
            places[index].firstTime = RecordedEntry(line: line)?.time
            return places[index].firstTime == nil && seen < 4
        }
        if let head, index > 0, let bytes = head.previousBytes {
            places[index - 1].size = min(bytes, places[index - 1].size)
        }
        places[index].begins = head?.begins ?? next
        places[index].isEnded = index + 1 < places.count
        // Of a gate before 0.2: nothing tells how many lines it has but counting.
        if head == nil { next = places[index].begins + lineCount(of: file) }
    }
    return places
}

private func lineCount(of file: borrowing LineFile) -> UInt64 {
    var count: UInt64 = 0
    try? file.lines(0..<file.size) { _, line in
        if line.isEnded { count += 1 }
        return true
    }
    return count
}
