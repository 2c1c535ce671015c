// SegmentIndex.swift: the index of one segment, as it is looked up.
//
// An SQLite file of three tables. `page` holds the terms, keyed hashes all, in pages of some
// hundred consecutive ones: a row for each would take thrice the room and the time to write.
// `block` tells where lines are and when they were written, 256 a row; `request` has two bytes
// of hash for each of them.

internal import Foundation
internal import GRDB
internal import RecordReading

/// Lines of a segment, 256 of them at most.
struct LineBlock: Sendable {
    let number: Int
    /// Where the first is.
    let place: Int
    /// The earliest and the latest time of its entries, in milliseconds; the first is later than
    /// the last where there is none.
    let first: UInt64
    let last: UInt64
    /// From the beginning of each line to that of the next.
    let lengths: [Int]

    static let lineCount = 256

    /// Where a line of this block is.
    func range(of line: UInt32) -> Range<Int>? {
        let index = Int(line) - number * Self.lineCount
        guard lengths.indices.contains(index) else { return nil }
        let start = lengths[..<index].reduce(place, +)
        return start..<start + lengths[index]
    }

    var isEmpty: Bool { first > last }
}

/// What an index says of itself.
struct IndexFacts: Equatable, Sendable {
    /// A hash of nothing under the segment's index key: whose index it is.
    var mark: TermHash
    /// Lines that are indexed, and bytes of the segment that hold them.
    var lines = 0
    var bytes = 0
    var entries = 0
    /// Lines that are neither entries nor of the record itself.
    var unreadable = 0
    /// Where the last line is, and a hash of it: a segment that was changed is found out.
    var lastPlace = 0
    var lastHash: TermHash = 0
}

/// Why an index is not used: it is made again.
enum IndexFlaw: Error {
    /// There is none.
    case missing
    /// It cannot be read, or what it holds makes no sense.
    case damaged
    /// It is of another segment, or of what the segment was before.
    case foreign
    /// Made by another version.
    case otherFormat
}

/// An index that is open.
final class SegmentIndex {
    let facts: IndexFacts
    private let database: DatabaseQueue

    /// `HERI`, and the version of what follows.
    static let applicationID: Int32 = 0x4845_5249
    static let format: Int32 = 1

    /// Opens the index at `path`; throws unless it is one of this very segment.
    init(_ path: String, of segment: borrowing RecordSegment) throws(IndexFlaw) {
        let hasher = segment.hasher
        guard FileManager.default.fileExists(atPath: path) else { throw .missing }
        do {
            var configuration = GRDB.Configuration()
            configuration.readonly = true
            let database = try DatabaseQueue(path: path, configuration: configuration)
            facts = try database.read { try Self.facts($0) }
            self.database = database
        } catch let flaw as IndexFlaw {
            throw flaw
        } catch {
            throw .damaged
        }
        guard facts.mark == hasher.hash(.mark, ""), facts.bytes <= segment.end else {
            throw .foreign
        }
        guard facts.lines > 0 else { return }
        var last: TermHash?
        do throws(RecordReadingError) {
            try segment.file.lines(facts.lastPlace..<facts.bytes) { line, _ in
                last = hasher.hash(.mark, line)
                return false
            }
        } catch {
            throw .foreign
        }
        guard last == facts.lastHash else { throw .foreign }
    }

    private static func facts(_ database: Database) throws -> IndexFacts {
        guard try Int32.fetchOne(database, sql: "PRAGMA application_id") == applicationID,
            try Int32.fetchOne(database, sql: "PRAGMA user_version") == format
        else { throw IndexFlaw.otherFormat }
        guard
            let row = try Row.fetchOne(
                database,
                sql: """
                    SELECT mark, lines, bytes, entries, unreadable, last_place, last_hash FROM fact
                    """)
        else { throw IndexFlaw.damaged }
        func number(_ column: Int) throws -> Int {
            guard let value = Int.fromDatabaseValue(row[column]), value >= 0 else {
                throw IndexFlaw.damaged
            }
            return value
        }
        let facts = try IndexFacts(
            mark: TermHash(number(0)), lines: number(1), bytes: number(2), entries: number(3),
            unreadable: number(4), lastPlace: number(5), lastHash: TermHash(number(6)))
        guard facts.lines < Int(UInt32.max), facts.entries <= facts.lines,
            facts.lastPlace <= facts.bytes
        else { throw IndexFlaw.damaged }
        return facts
    }

    /// Does something with the tables; whatever fails is the index's fault.
    private func reading<Value>(_ read: (Database) throws -> Value) throws(IndexFlaw) -> Value {
        do {
            return try database.read(read)
        } catch {
            throw .damaged
        }
    }

    /// The lines in which `term` is, in order.
    func lines(of term: TermHash) throws(IndexFlaw) -> [UInt32] {
        try reading { database in
            let statement = try database.cachedStatement(
                sql: "SELECT first, terms FROM page WHERE first <= ? ORDER BY first DESC LIMIT 1")
            guard let row = try Row.fetchOne(statement, arguments: [Int64(term)]) else { return [] }
            guard let first = Int64.fromDatabaseValue(row[0]).map({ TermHash($0) }),
                let bytes = Data.fromDatabaseValue(row[1]).map({ Array($0) }),
                let lines = TermPage.lines(of: term, bytes.span, first: first, limit: facts.lines)
            else { throw IndexFlaw.damaged }
            return lines
        }
    }

    /// The lines whose request has this shortened hash, among them all those of one request.
    func lines(ofRequest hash: UInt16) throws(IndexFlaw) -> [UInt32] {
        let (low, high) = (UInt8(truncatingIfNeeded: hash), UInt8(truncatingIfNeeded: hash >> 8))
        return try reading { database in
            var lines: [UInt32] = []
            let rows = try Row.fetchCursor(
                database, sql: "SELECT block, hashes FROM request ORDER BY block")
            while let row = try rows.next() {
                guard let block = UInt32.fromDatabaseValue(row[0]),
                    let hashes = Data.fromDatabaseValue(row[1]).map({ Array($0) })
                else { throw IndexFlaw.damaged }
                let first = block * UInt32(LineBlock.lineCount)
                for index in stride(from: 0, to: hashes.count - 1, by: 2)
                where hashes[index] == low && hashes[index + 1] == high {
                    lines.append(first + UInt32(index / 2))
                }
            }
            return lines
        }
    }

    /// The block of so many lines; nil past the last one.
    func block(_ number: Int) throws(IndexFlaw) -> LineBlock? {
        try reading { database in
            let statement = try database.cachedStatement(
                sql: "SELECT number, place, first, last, lengths FROM block WHERE number = ?")
            return try Row.fetchOne(statement, arguments: [number]).map(Self.block)
        }
    }

    /// Gives those blocks that have entries from `since` on and before `until`, in order.
    func blocks(
        since: UInt64, until: UInt64
    ) throws(IndexFlaw) -> [LineBlock] {
        try reading { database in
            try Row.fetchAll(
                database,
                sql: """
                    SELECT number, place, first, last, lengths FROM block
                    WHERE last >= ? AND first < ? ORDER BY number
                    """, arguments: [Int64(clamping: since), Int64(clamping: until)]
            ).map(Self.block)
        }
    }

    private static func block(_ row: Row) throws -> LineBlock {
        guard let number = Int.fromDatabaseValue(row[0]), number >= 0, number < 1 << 24,
            let place = Int.fromDatabaseValue(row[1]), place >= 0,
            let first = Int64.fromDatabaseValue(row[2]), first >= 0,
            let last = Int64.fromDatabaseValue(row[3]), last >= 0,
            let packed = Data.fromDatabaseValue(row[4]).map({ Array($0) })
        else { throw IndexFlaw.damaged }
        var lengths: [Int] = []
        lengths.reserveCapacity(LineBlock.lineCount)
        var at = 0
        while at < packed.count {
            guard let length = takeNumber(packed.span, &at), length < 1 << 40 else {
                throw IndexFlaw.damaged
            }
            lengths.append(Int(length))
        }
        guard lengths.count <= LineBlock.lineCount else { throw IndexFlaw.damaged }
        return LineBlock(
            number: number, place: place, first: UInt64(first), last: UInt64(last),
            lengths: lengths)
    }
}
