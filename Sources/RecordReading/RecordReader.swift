// RecordReader.swift: the entries of a record, segment after segment.

internal import Record
package import Sealing

/// The record in a folder.
package final class RecordReader: Sendable {
    /// What one pass over the record found besides entries, and so what its answer lacks.
    package struct Pass: Equatable, Sendable {
        /// Lines that are no JSON object with a time, too long, or not sealed as their segment
        /// says.
        package var unreadable = 0
        /// The number of the first of them.
        package var firstUnreadable: UInt64?
        /// Segments that could not be read to their end.
        package var broken: [String] = []
        /// What was purged of the period.
        package var purged: PurgedEntries?
        /// Segments that are gone without the proof of a purge, whatever they held.
        package var missing: [Int] = []

        package init() {}

        package mutating func addUnreadable(_ count: Int = 1, first: UInt64?) {
            unreadable += count
            firstUnreadable = firstUnreadable ?? first
        }
    }

    package let folder: String
    /// The segments that are there, in order.
    package let segments: [RecordedSegment]
    private let opener: EntryOpener
    /// Who holds the keys that were given.
    private let auditors: [String]

    /// Lists the segments of `folder`; `auditorKeys` open those that are sealed.
    package init(folder: String, auditorKeys: [AuditorKey] = []) throws(RecordReadingError) {
        let listing = SegmentFolder(folder)
        let numbers: [Int]
        do throws(RecordError) {
            numbers = try listing.numbers(.segments)
        } catch {
            guard error.isRefusal else {
                throw RecordReadingError(
                    "\(folder): cannot be read",
                    hint: "name the gate's configuration with -c, or the folder of the record with "
                        + "--record, such as /var/lib/herse/state/record")
            }
            throw RecordReadingError(error.message, hint: refusedHint)
        }
        guard !numbers.isEmpty else {
            throw RecordReadingError(
                "\(folder): no segment of a record in it",
                hint: "nothing was recorded there yet, or all of it was taken away, or it is not "
                    + "the folder `record`")
        }
        guard let opener = EntryOpener() else {
            throw RecordReadingError("there is no memory", hint: "close something")
        }
        self.opener = opener
        auditors = auditorKeys.map(\.publicKey.id)
        self.folder = folder
        var segments: [RecordedSegment] = []
        var next: SegmentHead?
        for number in numbers.reversed() {
            let path = listing.file(number)
            let firstLine = try firstLine(of: path)
            let head = SegmentHead(line: firstLine)
            let ending = next?.previous.flatMap { $0.segment == number ? $0 : nil }
            segments.append(
                RecordedSegment(
                    number: number, path: path, firstLine: firstLine, head: head,
                    bytes: ending?.bytes, auditorKeys: auditorKeys))
            next = head
        }
        self.segments = segments.reversed()
    }

    /// Gives every entry from `since` on and before `until`, in milliseconds, to `take`, the oldest
    /// first, until it returns false; segments that end before are not opened.
    package func read(
        since: UInt64, until: UInt64 = .max, _ take: (borrowing RecordedEntry) -> Bool
    ) throws(RecordReadingError) -> Pass {
        try read(since: since, until: until) { entry, _ in take(entry) }
    }

    /// The same, each entry with its JSON, opened where it was sealed.
    package func read(
        since: UInt64, until: UInt64 = .max, _ take: (borrowing RecordedEntry, [UInt8]) -> Bool
    ) throws(RecordReadingError) -> Pass {
        var pass = Pass()
        pass.purged = purged(since: since, until: until)
        pass.missing = missing
        for segment in segments[firstSegment(since: since)...] {
            try mustBeOpen(segment)
            var goesOn = true
            do throws(RecordReadingError) {
                try segment.lines { line, place, number in
                    if isOfTheRecordItself(line) { return true }
                    guard let (entry, plain) = read(line, place, number, of: segment) else {
                        pass.addUnreadable(first: number)
                        return true
                    }
                    guard entry.time >= since, entry.time < until else { return true }
                    goesOn = take(entry, plain)
                    return goesOn
                }
            } catch {
                pass.broken.append(segment.path)
            }
            if !goesOn { break }
        }
        return pass
    }

    /// The entry with this number, whose line begins at `offset` of `segment`.
    package func entry(
        segment number: Int, offset: Int, number sequence: UInt64
    ) throws(RecordReadingError) -> RecordedEntry {
        var found: RecordedEntry?
        if let segment = segments.first(where: { $0.number == number }) {
            try mustBeOpen(segment)
            try segment.lines(from: offset, number: sequence) { line, place, number in
                found = entry(line, place, number, of: segment)
                return false
            }
        }
        guard let found else {
            throw RecordReadingError(
                "segment \(number) has no entry at \(offset)",
                hint: "the index is of another record, or the segment was purged: rebuild the "
                    + "index")
        }
        return found
    }

    private func entry(
        _ line: Span<UInt8>, _ place: LinePlace, _ number: UInt64, of segment: RecordedSegment
    ) -> RecordedEntry? { read(line, place, number, of: segment)?.entry }

    /// An entry, and its JSON in clear.
    func read(
        _ line: Span<UInt8>, _ place: LinePlace, _ number: UInt64, of segment: RecordedSegment
    ) -> (entry: RecordedEntry, line: [UInt8])? {
        guard place.isEnded || segment.head == nil, line.count <= RecordedEntry.lengthMax * 2,
            let plain = segment.plain(line, number: number, opener),
            var entry = RecordedEntry(line: plain.span)
        else { return nil }
        entry.sequence = number
        entry.segment = segment.number
        entry.offset = place.offset
        return (entry, plain)
    }

    /// Throws unless the segment is open.
    package func mustBeOpen(_ segment: RecordedSegment) throws(RecordReadingError) {
        guard !segment.isOpen else { return }
        let sealedTo = (segment.head?.sealedTo ?? []).map(\.auditor).joined(separator: ", ")
        let given =
            auditors.isEmpty
            ? "" : ", and the key given is that of " + auditors.joined(separator: ", ")
        throw RecordReadingError(
            "\(segment.path): is sealed to \(sealedTo)" + given,
            hint: "give the private key of one of these auditors with --auditor-key FILE (`herse "
                + "record keys` says who they are)")
    }

    /// Throws unless all segments that `read(since:)` reads are open.
    package func mustBeOpen(since: UInt64) throws(RecordReadingError) {
        for segment in segments[firstSegment(since: since)...] { try mustBeOpen(segment) }
    }

    /// The last segment that begins before `since`, give or take what a clock may be set: what
    /// comes earlier ends before it, too.
    private func firstSegment(since moment: UInt64) -> Int {
        let since = moment - min(moment, recordClockSlack)
        let begins = segments.map(beginning)
        for (former, latter) in zip(begins, begins.dropFirst()) {
            guard let former, let latter, former <= latter else { return 0 }
        }
        return begins.lastIndex { ($0 ?? 0) < since } ?? 0
    }

    /// When a segment begins, in milliseconds since 1970, as it says itself; nil when it does not.
    package func beginning(of segment: RecordedSegment) -> UInt64? {
        if let head = segment.head {
            return Moment(stamp: Array(head.time.utf8).span)?.milliseconds
        }
        return RecordedEntry(line: segment.firstLine.span)?.time
    }
}

/// What helps who may not read the record.
let refusedHint = "run this as root or as the gate's user"

/// Throws when this user may not read the file; of one that cannot be read otherwise, there is none.
private func firstLine(of path: String) throws(RecordReadingError) -> [UInt8] {
    var first: [UInt8] = []
    do throws(RecordError) {
        // Most are short, and of many segments no more is read than that.
        for end in [16 << 10, Int.max] {
            var isWhole = false
            try readLines(of: path, to: end) { line, place in
                first = bytesOf(line)
                isWhole = place.isEnded
                return false
            }
            if isWhole { break }
        }
    } catch {
        guard error.isRefusal else { return [] }
        throw RecordReadingError(error.message, hint: refusedHint)
    }
    return first
}
