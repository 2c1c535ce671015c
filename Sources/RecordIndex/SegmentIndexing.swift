// SegmentIndexing.swift: makes the index of a segment, in one pass over it.

internal import CSystem
internal import Foundation
internal import GRDB
internal import Glibc
internal import RecordReading

/// Makes the index of a segment's lines that end in a line feed, as far as they count, in place of
/// whatever is at `path`.
///
/// It is written under another name and given its own when it is whole; 0600.
/// `progress` is told bytes, every so often.
func makeIndex(
    of segment: borrowing RecordSegment, at path: String, progress: (Int) -> Void
) throws(RecordReadingError) {
    var suffix = SystemRandomNumberGenerator()
    let fresh = "\(path).\(String(suffix.next(), radix: 36)).new"
    // Safe because the path outlives the call.
    let file = unsafe herse_open(fresh, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw unwritable(fresh) }
    defer { close(file) }
    do {
        var configuration = GRDB.Configuration()
        // Nobody sees the file before it is whole, and one that a crash left is never looked at.
        configuration.prepareDatabase { database in
            try database.execute(
                sql:
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE"
            )
        }
        let database = try DatabaseQueue(path: fresh, configuration: configuration)
        var writing = IndexWriting(segment.hasher)
        try segment.file.lines(0..<segment.end) { line, at throws(RecordReadingError) in
            // What nothing ends may still be growing.
            guard at.isEnded else { return false }
            let isOfItself = isOfTheRecordItself(line)
            segment.plain(line, writing.facts.lines) { writing.take($0, at, isOfItself) }
            if writing.facts.lines % 4096 == 0 { progress(writing.facts.bytes) }
            return true
        }
        let last = try hashOfLastLine(writing.facts, in: segment)
        try database.write { try writing.write(to: $0, last: last) }
        try database.close()
        // Safe because both names outlive the call.
        guard fsync(file) == 0, unsafe rename(fresh, path) == 0 else { throw unwritable(path) }
    } catch {
        // Safe because the path outlives the call.
        _ = unsafe unlink(fresh)
        throw (error as? RecordReadingError) ?? unwritable(path)
    }
    progress(segment.end)
}

private func unwritable(_ path: String) -> RecordReadingError {
    RecordReadingError(
        "\(path): the index cannot be written",
        hint: "is the disk full? name another folder with --index")
}

/// A hash of the last line that is indexed.
private func hashOfLastLine(
    _ facts: IndexFacts, in segment: borrowing RecordSegment
) throws(RecordReadingError) -> TermHash {
    var hash: TermHash = 0
    try segment.file.lines(facts.lastPlace..<facts.bytes) { line, _ in
        hash = segment.hasher.hash(.mark, line)
        return false
    }
    return hash
}

/// An index being made.
private struct IndexWriting {
    private(set) var facts: IndexFacts
    private var scanner: EntryScanner
    private var postings = Postings()
    private var layout = LineLayout()
    /// Two bytes a line.
    private var requests: [UInt8] = []

    init(_ hasher: TermHasher) {
        scanner = EntryScanner(hasher)
        facts = IndexFacts(mark: hasher.hash(.mark, ""))
    }

    /// Takes the next line in clear, nil for one that is no entry.
    mutating func take(_ plain: Span<UInt8>?, _ at: Line, _ isOfItself: Bool) {
        let number = facts.lines
        facts.lines += 1
        facts.bytes = at.place + at.length
        facts.lastPlace = at.place
        var isEntry = false
        if let plain, !at.isTooLong { isEntry = scanner.scan(plain) }
        layout.append(number, at: at.place, time: isEntry ? scanner.time : nil)
        let request = isEntry ? scanner.request : 0
        requests.append(UInt8(truncatingIfNeeded: request))
        requests.append(UInt8(truncatingIfNeeded: request >> 8))
        guard isEntry else {
            if !isOfItself { facts.unreadable += 1 }
            return
        }
        facts.entries += 1
        for term in scanner.terms { postings.append(term, UInt32(truncatingIfNeeded: number)) }
    }

    /// Writes everything to an empty database; what every look-up reads comes last.
    consuming func write(to database: Database, last: TermHash) throws {
        try database.execute(sql: Self.schema)
        try writePages(to: database)
        let size = 2 * LineLayout.groupLines
        for (number, start) in stride(from: 0, to: requests.count, by: size).enumerated() {
            let hashes = requests[start..<min(start + size, requests.count)]
            try database.cachedStatement(sql: "INSERT INTO request VALUES (?, ?)")
                .execute(arguments: [number, Data(hashes)])
        }
        let packed = layout.packed
        try database.execute(
            sql: "INSERT INTO layout VALUES (?, ?)",
            arguments: [Data(packed.places), Data(packed.times)])
        try database.execute(
            sql: "INSERT INTO fact VALUES (?, ?, ?, ?, ?, ?, ?)",
            arguments: [
                Int64(facts.mark), facts.lines, facts.bytes, facts.entries, facts.unreadable,
                facts.lastPlace, Int64(last),
            ])
    }

    private mutating func writePages(to database: Database) throws {
        let statement = try database.makeStatement(sql: "INSERT INTO page VALUES (?, ?)")
        var page = TermPage()
        func write() throws {
            try statement.execute(arguments: [Int64(page.first), Data(page.bytes)])
            page.removeAll()
        }
        var taken = Postings()
        swap(&taken, &postings)
        try taken.sorted { term, lines in
            page.append(term, lines)
            if page.isFull { try write() }
        }
        if !page.isEmpty { try write() }
    }

    private static let schema = """
        PRAGMA application_id = \(SegmentIndex.applicationID);
        PRAGMA user_version = \(SegmentIndex.format);
        CREATE TABLE page (first INTEGER PRIMARY KEY, terms BLOB NOT NULL);
        CREATE TABLE request (number INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
        CREATE TABLE layout (places BLOB NOT NULL, times BLOB NOT NULL);
        CREATE TABLE fact (
            mark INTEGER NOT NULL, lines INTEGER NOT NULL, bytes INTEGER NOT NULL,
            entries INTEGER NOT NULL, unreadable INTEGER NOT NULL, last_place INTEGER NOT NULL,
            last_hash INTEGER NOT NULL);
        """
}
