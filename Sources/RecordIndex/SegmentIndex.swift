// SegmentIndex.swift: the index of one segment, as it is looked up.
//
// An SQLite file. `page` holds the terms, keyed hashes all, in pages of some hundred consecutive
// ones: a row for each would take thrice the room and the time to write. `request` has two bytes
// of hash for each line, 256 of them a row, and `layout` tells where lines are.

internal import Foundation
internal import GRDB
internal import RecordReading

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
            // Locks once, not for each look-up: nobody writes to an index that has its name.
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
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
                database, sql: "SELECT number, hashes FROM request ORDER BY number")
            while let row = try rows.next() {
                guard let number = Int.fromDatabaseValue(row[0]), number >= 0,
                    let hashes = Data.fromDatabaseValue(row[1]).map({ Array($0) })
                else { throw IndexFlaw.damaged }
                let (first, isTooLarge) = number.multipliedReportingOverflow(
                    by: LineLayout.groupLines)
                guard !isTooLarge, first < facts.lines,
                    hashes.count / 2 <= min(LineLayout.groupLines, facts.lines - first)
                else { throw IndexFlaw.damaged }
                for index in stride(from: 0, to: hashes.count - 1, by: 2)
                where hashes[index] == low && hashes[index + 1] == high {
                    lines.append(UInt32(first + index / 2))
                }
            }
            return lines
        }
    }

    /// Where its lines are.
    func layout() throws(IndexFlaw) -> LineLayout {
        try reading { database in
            guard let row = try Row.fetchOne(database, sql: "SELECT places, times FROM layout"),
                let places = Data.fromDatabaseValue(row[0]).map({ Array($0) }),
                let times = Data.fromDatabaseValue(row[1]).map({ Array($0) }),
                let layout = LineLayout(
                    places: places.span, times: times.span, lines: facts.lines,
                    bytes: facts.bytes)
            else { throw IndexFlaw.damaged }
            return layout
        }
    }
}
