// RecordPlace.swift: reading on from where a reader stopped, in a record that still grows.

internal import Record

/// Where a reader stands in a record: before the line that begins here, if there is one yet.
package struct RecordPlace: Equatable, Sendable {
    package var segment: Int
    /// Bytes of the segment before it.
    package var offset: Int
    /// The number of that line.
    package var number: UInt64

    package init(segment: Int, offset: Int, number: UInt64) {
        self.segment = segment
        self.offset = offset
        self.number = number
    }
}

/// An entry, the line it was read of, and where reading goes on after it.
package struct ReadEntry: ~Copyable {
    package let entry: RecordedEntry
    /// The entry's JSON, opened where it was sealed.
    package let line: [UInt8]
    package let next: RecordPlace
}

extension RecordReader {
    /// The record's name; empty in one of a gate before 0.2.
    package var origin: String { segments.last { $0.head != nil }?.head?.origin ?? "" }

    /// Whether a place is behind the end of its segment.
    package func isBeyondEnd(_ place: RecordPlace) -> Bool {
        guard let segment = segments.first(where: { $0.number == place.segment }) else {
            return false
        }
        return place.offset > (segment.bytes ?? fileSize(segment.path) ?? 0)
    }

    /// What follows `place` in the next segment that is there; nil when its own still is, or when
    /// nothing is missing between.
    ///
    /// Entries of a segment that was purged are gone for whoever had not read them.
    package func gap(after place: RecordPlace) -> RecordPlace? {
        guard !segments.contains(where: { $0.number == place.segment }),
            let next = segments.first(where: { $0.number > place.segment })
        else { return nil }
        return RecordPlace(segment: next.number, offset: 0, number: next.begins)
    }

    /// Gives every entry from `place` on, the oldest first, until `take` returns false; all of the
    /// record without a place.
    ///
    /// In the last segment a line that has no end yet is being written: reading stops before it.
    /// - Returns: What was found besides, and where to go on.
    package func read(
        from place: RecordPlace?, _ take: (borrowing ReadEntry) -> Bool
    ) throws(RecordReadingError) -> (pass: Pass, next: RecordPlace?) {
        var pass = Pass()
        pass.missing = missing
        var next = place
        for segment in segments where segment.number >= place?.segment ?? .min {
            var goesOn = true
            let isLast = segment.number == segments.last?.number
            let isPlace = segment.number == place?.segment
            try mustBeOpen(segment)
            try segment.lines(
                from: isPlace ? place?.offset ?? 0 : 0, number: isPlace ? place?.number : nil
            ) { line, place, number in
                if isLast, !place.isEnded { return false }
                let after = RecordPlace(
                    segment: segment.number, offset: place.offset + line.count + 1,
                    number: number + 1)
                defer { next = after }
                if isOfTheRecordItself(line) { return true }
                guard let (entry, plain) = read(line, place, number, of: segment) else {
                    pass.addUnreadable(first: number)
                    return true
                }
                goesOn = take(ReadEntry(entry: entry, line: plain, next: after))
                return goesOn
            }
            if !goesOn { break }
        }
        return (pass, next)
    }
}
