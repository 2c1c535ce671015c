// SegmentChain.swift: the segment being written, and the one that follows it.
//
// INVARIANT: after a commit that failed, nothing more is ever written to that segment or
// acknowledged in it; the next commit begins another, whose head says where this one ends.

internal import Glibc
package import Transparency

/// Where segments are made; the tests have one whose n-th call fails.
package protocol RecordFolder: Sendable {
    associatedtype Store: RecordStore
    /// Makes an empty segment after all there are, and gives its number; on error there is none
    /// more.
    mutating func next() throws(RecordError) -> (number: Int, store: Store)
    /// Removes a segment in which nothing was ever acknowledged, as well as it can.
    mutating func remove(_ number: Int)
    /// Keeps the newest checkpoint where it is found without reading segments, as well as it can.
    mutating func keep(checkpoint: String)
}

/// When a commit happens.
package struct CommitTime: Sendable {
    /// Milliseconds since 1970.
    package var milliseconds: UInt64
    /// Whether a checkpoint is to follow what is committed.
    package var isCheckpointDue: Bool

    package init(milliseconds: UInt64, isCheckpointDue: Bool = false) {
        self.milliseconds = milliseconds
        self.isCheckpointDue = isCheckpointDue
    }

    var stamp: String { rfc3339(milliseconds: milliseconds) }
}

/// The segments of a record, of which the last is being written.
package struct SegmentChain<Folder: RecordFolder>: Sendable {
    private var folder: Folder
    private var terms: RecordTerms
    /// Nil between segments.
    private var file: RecordFile<Folder.Store>?
    private var open: OpenSegment?
    /// All entries that count before the open segment, or at all while none is open.
    private var tree: CompactRange
    /// The segment before the open one; the last one while none is open.
    private var previous: SegmentEnding?
    /// Bytes after which the next segment begins.
    private let segmentBytesMax: Int
    private let stride: Int
    private var room: [UInt8] = []
    /// What a start found missing at the record's end, in words for the operator.
    package internal(set) var loss: String?
    /// The newest checkpoint that is committed.
    package private(set) var checkpoint: String?

    package init(
        folder: Folder, terms: RecordTerms, tree: CompactRange = CompactRange(),
        previous: SegmentEnding? = nil, segmentBytesMax: Int = RecordLog.segmentBytesMax,
        stride: Int = recordStride
    ) {
        self.folder = folder
        self.terms = terms
        self.tree = tree
        self.previous = previous
        self.segmentBytesMax = segmentBytesMax
        self.stride = stride
    }

    /// Entries that are committed, heads and checkpoints among them.
    package var size: UInt64 { open?.range.end ?? tree.end }
    /// Whether there are entries that no checkpoint covers.
    package var hasUnsigned: Bool { (open?.unsigned ?? 0) > 0 }
    /// Number of the segment that is written to; nil when there is none.
    package var segment: Int? { open?.number }

    /// Goes on under other terms, in a segment of its own.
    package mutating func use(_ terms: RecordTerms, at time: CommitTime) {
        close(at: time)
        self.terms = terms
    }

    /// Writes all lines of `batches` after one another and commits them together; on error none
    /// counts.
    package mutating func commit(
        _ batches: [[UInt8]], durable: Bool, at time: CommitTime
    ) throws(RecordError) {
        if (file?.length ?? 0) >= segmentBytesMax { close(at: time) }
        if open == nil { try begin(at: time) }
        do throws(RecordError) {
            try write(batches, durable: durable, at: time)
        } catch {
            leave(after: error)
            throw error
        }
    }

    /// Signs what is not signed yet and ends the segment; the next commit begins another.
    ///
    /// Gives why that could not be signed, if so: it is recorded all the same.
    @discardableResult
    package mutating func close(at time: CommitTime) -> RecordError? {
        guard open != nil else { return nil }
        if hasUnsigned {
            var last = time
            last.isCheckpointDue = true
            do throws(RecordError) {
                try write([], durable: true, at: last)
            } catch {
                leave(after: error)
                return error
            }
        }
        // Of a segment that is whole a verifier believes that nothing stands after its end.
        end(file?.close() == true ? .whole : .failed)
        return nil
    }

    private mutating func begin(at time: CommitTime) throws(RecordError) {
        let (number, store) = try folder.next()
        var made = RecordFile(store: store, stride: stride)
        open = OpenSegment(number: number, after: tree, previous, terms, time: time.stamp)
        guard open != nil else {
            made.abandon()
            folder.remove(number)
            throw .cannotSeal
        }
        file = made
    }

    private mutating func write(
        _ batches: [[UInt8]], durable: Bool, at time: CommitTime
    ) throws(RecordError) {
        var bytes: [UInt8] = []
        swap(&bytes, &room)
        guard
            let batch = open?.batch(
                batches, isDue: time.isCheckpointDue, time: time.stamp, in: bytes)
        else { throw .cannotSeal }
        try file?.commit(batch.bytes, durable: durable)
        open?.commit(batch)
        if let made = batch.checkpoint {
            checkpoint = made
            folder.keep(checkpoint: made)
        }
        room = batch.bytes
    }

    /// Leaves the segment at its last commit.
    private mutating func leave(after error: RecordError) {
        // Nothing is done to a file that could not be synced.
        if case .cannotSync = error { file?.abandon() } else { _ = file?.close() }
        if let number = open?.number, file?.length == 0 {
            // A disk that stays broken is tried again with every commit: it must not fill with
            // empty segments.
            folder.remove(number)
            file = nil
            open = nil
        } else {
            end(.failed)
        }
    }

    private mutating func end(_ manner: SegmentEnding.Manner) {
        if let number = open?.number, let range = open?.range {
            tree = tree.followed(by: range)
            previous = SegmentEnding(
                segment: number, range: range, bytes: file?.length ?? 0, manner: manner)
        }
        file = nil
        open = nil
    }
}

/// The segments of the running gate: `record/000001.jsonl`, `000002.jsonl` and so on.
package typealias Segment = SegmentChain<SegmentFolder>
