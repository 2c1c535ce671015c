// PurgedEntries.swift: what is no longer in a record, and so in no answer that it gives.

internal import Record
internal import Transparency

/// Entries that were purged, as the proofs that they left tell; whether those are genuine is
/// `RecordVerifier`'s to say.
package struct PurgedEntries: Sendable, Equatable {
    /// The first of them, and the number after the last.
    package var begins: UInt64
    package var ends: UInt64
    /// When those two were written, RFC 3339.
    package var first: String
    package var last: String
    /// When the last of these segments went, and why.
    package var purgedAt: String
    package var reason: String

    /// The number of the last of them.
    package var lastEntry: UInt64 { ends - min(1, ends) }

    fileprivate init(_ tombstone: Tombstone) {
        begins = tombstone.range.begin
        ends = tombstone.range.end
        first = tombstone.first
        last = tombstone.last
        purgedAt = tombstone.purgedAt
        reason = tombstone.reason
    }

    /// Whether any may have been written from `since` on and before `until`.
    fileprivate func mayBe(since: UInt64, until: UInt64) -> Bool {
        func moment(_ stamp: String) -> UInt64? {
            Moment(stamp: Array(stamp.utf8).span)?.milliseconds
        }
        guard let first = moment(first), let last = moment(last) else { return true }
        return last >= since - min(since, recordClockSlack)
            && first < until + min(.max - until, recordClockSlack)
    }
}

extension RecordReader {
    /// What was purged of a period, in milliseconds since 1970, give or take what a clock may be
    /// set; nil when nothing was.
    package func purged(since: UInt64 = 0, until: UInt64 = .max) -> PurgedEntries? {
        var all: PurgedEntries?
        for one in tombstones.map(PurgedEntries.init) where one.mayBe(since: since, until: until) {
            guard var sum = all else {
                all = one
                continue
            }
            (sum.ends, sum.last) = (one.ends, one.last)
            (sum.purgedAt, sum.reason) = (one.purgedAt, one.reason)
            all = sum
        }
        return all
    }

    /// What was purged, if entry `number` was.
    package func purged(entry number: UInt64) -> PurgedEntries? {
        tombstones.map(PurgedEntries.init).first { $0.begins <= number && number < $0.ends }
    }

    /// Segments that others speak of, and that are neither here nor purged.
    package var missing: [Int] {
        let told = segments.compactMap { $0.head?.previous?.segment }
        return Set(told).subtracting(segments.map(\.number))
            .filter { tombstone(of: $0)?.segment != $0 }.sorted()
    }

    private var tombstones: [Tombstone] {
        let numbers = (try? SegmentFolder(folder).numbers(.purged)) ?? []
        return numbers.sorted().compactMap(tombstone)
    }

    private func tombstone(of number: Int) -> Tombstone? {
        smallFile(SegmentFolder(folder).file(number, ".purged"), bytesMax: Tombstone.lengthMax)
            .flatMap { SignedNote(String(decoding: $0, as: UTF8.self)) }
            .flatMap { Tombstone($0.text) }
    }
}
