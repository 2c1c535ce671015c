// OpenSegment.swift: the segment being written: how lines become entries of the tree.
//
// INVARIANT: what a commit that failed left in a segment is never written over: the segment is left
// at its last commit, and another begun. So no entry's number is sealed twice under one key.

internal import Sealing
internal import Transparency

/// The lines of one commit, as they go to the disk, and what they make of the tree.
struct SealedBatch {
    var bytes: [UInt8] = []
    /// The segment's entries with those of this batch.
    var range: CompactRange
    /// What the next checkpoint says of these lines, or of those after the checkpoint in here.
    var leaves: [UInt8] = []
    var checkpoint: String?
    /// Lines that are not checkpoints, since the one before.
    var unsigned: Int
}

/// A segment that entries are added to.
struct OpenSegment: Sendable {
    let number: Int
    let terms: RecordTerms
    private let sealer: EntrySealer?
    private let head: SegmentHead
    /// Everything that was committed before this segment, and what is in it.
    private let before: CompactRange
    private(set) var range: CompactRange
    private var leaves: [UInt8] = []
    /// Committed lines that no checkpoint covers.
    private(set) var unsigned = 0
    private var hasHead = false

    /// Begins segment `number` after `tree`; nil when keys cannot be made or sealed.
    init?(
        number: Int, after tree: CompactRange, _ previous: SegmentEnding?, _ terms: RecordTerms,
        time: String
    ) {
        var sealer: EntrySealer?
        var sealedTo: [SealedSegmentKey]?
        if !terms.auditors.isEmpty {
            guard let key = SegmentKey.make(), let made = EntrySealer(key) else { return nil }
            var keys: [SealedSegmentKey] = []
            for auditor in terms.auditors {
                guard let one = key.sealed(to: auditor, origin: terms.origin, segment: number)
                else { return nil }
                keys.append(one)
            }
            sealer = made
            sealedTo = keys
        }
        head = SegmentHead(
            segment: number, time: time, origin: terms.origin, key: terms.signer.verifier,
            tree: tree, previous: previous, sealedTo: sealedTo)
        self.sealer = sealer
        self.number = number
        self.terms = terms
        before = tree
        range = CompactRange(begin: tree.end)
    }

    /// The lines of `batches`, each ended by a line feed, and a checkpoint if one `isDue`; nil when
    /// the library refuses to seal or to sign.
    ///
    /// `bytes` is an array to build them in, whose contents are not kept.
    func batch(
        _ batches: [[UInt8]], isDue: Bool, time: String, in bytes: consuming [UInt8]
    ) -> SealedBatch? {
        bytes.removeAll(keepingCapacity: true)
        var out = SealedBatch(bytes: bytes, range: range, unsigned: unsigned)
        if !hasHead {
            guard let line = head.line else { return nil }
            out.add(line.span)
        }
        for batch in batches {
            let lines = batch.span
            var start = 0
            while start < lines.count {
                let end = lineFeed(lines, from: start)
                if end > start, !add(lines.extracting(start..<end), to: &out) { return nil }
                start = end + 1
            }
        }
        if isDue || out.unsigned > CheckpointLine.leavesMax, out.unsigned > 0,
            !addCheckpoint(time, to: &out)
        {
            return nil
        }
        return out
    }

    /// What `batch` gave is on disk.
    mutating func commit(_ batch: SealedBatch) {
        range = batch.range
        if batch.checkpoint != nil { leaves.removeAll(keepingCapacity: true) }
        leaves += batch.leaves
        unsigned = batch.unsigned
        hasHead = true
    }

    private func add(_ line: Span<UInt8>, to out: inout SealedBatch) -> Bool {
        guard let sealer else {
            out.add(line)
            return true
        }
        let start = out.bytes.count
        out.bytes.append(text: "{\"sealed\":\"")
        guard sealer.append(line, number: out.range.end, to: &out.bytes) else {
            return false
        }
        out.bytes.append(text: "\"}")
        out.addLeaf(from: start)
        return true
    }

    private func addCheckpoint(_ time: String, to out: inout SealedBatch) -> Bool {
        let checkpoint = Checkpoint(
            origin: terms.origin, size: out.range.end, root: before.followed(by: out.range).root)
        guard let note = SignedNote(checkpoint.text, by: terms.signer) else { return false }
        let spelled = note.description
        let line = CheckpointLine(note: spelled, time: time, leaves: leaves + out.leaves).line
        out.leaves.removeAll(keepingCapacity: true)
        out.checkpoint = spelled
        out.add(line.span)
        out.unsigned = 0
        return true
    }
}

extension SealedBatch {
    /// Adds a line as it is.
    mutating func add(_ line: Span<UInt8>) {
        let start = bytes.count
        // Safe because the span's bytes are only read, within this call.
        unsafe line.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        addLeaf(from: start)
    }

    /// Takes what stands from `start` on for a line, and ends it.
    mutating func addLeaf(from start: Int) {
        let hash = TreeHash.leaf(bytes.span.extracting(start..<bytes.count))
        bytes.append(0x0A)
        range.append(hash)
        let beginning = hash.beginning
        for place in 0..<CheckpointLine.leafBytes {
            leaves.append(UInt8(truncatingIfNeeded: beginning >> UInt64(56 - 8 * place)))
        }
        unsigned += 1
    }
}

extension [UInt8] {
    fileprivate mutating func append(text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount {
            // Safe because index is below the text's own count.
            append(unsafe text.utf8Start[index])
        }
    }
}
