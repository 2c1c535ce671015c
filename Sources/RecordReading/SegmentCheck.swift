// SegmentCheck.swift: one segment read from end to end, against its own checkpoints.
//
// A root alone tells that something was changed; the beginnings of hashes that each checkpoint
// carries tell which entry it was.

internal import Record
internal import Sealing
internal import Transparency

/// What reading a segment has found so far.
struct SegmentCheck {
    let segment: RecordedSegment
    /// The gate's key.
    let key: NoteVerifier
    /// Roots that somebody else knows, by size.
    let known: [UInt64: [(source: String, root: TreeHash)]]
    /// Those sizes, the next to come last.
    private var sizes: [UInt64]
    private let opener: EntryOpener?

    /// All entries before the segment, and those of it.
    private let before: CompactRange
    private(set) var range: CompactRange
    /// All entries up to here.
    var tree: CompactRange { before.followed(by: range) }
    private(set) var bytes = 0
    private(set) var checkpoints = 0
    private(set) var lastCheckpoint: String?
    private(set) var unsigned: UInt64 = 0
    private(set) var sealed: UInt64 = 0
    private(set) var opened: UInt64 = 0
    private(set) var flaws: [RecordFlaw] = []
    /// Bytes of lines beyond those that count.
    private(set) var leftover = false
    /// Sizes in `known` that were met.
    private(set) var met: Set<UInt64> = []
    /// From here on roots are of no use: something before was changed.
    private var isOff = false
    private var leaves: [UInt8] = []
    private var leavesBegin: UInt64

    init(
        _ segment: RecordedSegment, begins tree: CompactRange, key: NoteVerifier,
        known: [UInt64: [(source: String, root: TreeHash)]], opener: EntryOpener?
    ) {
        self.segment = segment
        self.key = key
        self.known = known
        self.opener = opener
        before = tree
        sizes = known.keys.filter { $0 >= tree.end }.sorted(by: >)
        range = CompactRange(begin: tree.end)
        leavesBegin = tree.end
    }

    /// Reads all of it; `progress` is told of bytes as they are read, and stops it by false.
    mutating func run(_ progress: (Int) -> Bool) throws(RecordReadingError) -> Bool {
        var isStopped = false
        var told = 0
        let isLast = segment.bytes == nil
        var check = self
        try segment.lines { line, place, _ in
            // The end of the last segment may be being written; nothing is left out on the way.
            let counts =
                isLast ? place.offset == check.bytes && place.isWhole(line) : place.isEnded
            guard counts else {
                check.end(place, isLast: isLast)
                return false
            }
            check.take(line)
            check.bytes = place.offset + line.count + 1
            if check.bytes - told > 4 << 20 {
                isStopped = !progress(check.bytes - told)
                told = check.bytes
            }
            return !isStopped
        }
        self = check
        meet()
        _ = progress(bytes - told)
        return !isStopped
    }

    private mutating func end(_ place: LinePlace, isLast: Bool) {
        if isLast {
            leftover = true
        } else {
            flaw("entry \(range.end) is cut short at byte \(place.offset)", range.end)
        }
    }

    private mutating func flaw(_ what: String, _ entry: UInt64? = nil) {
        // One that tears through a segment would be told for each of its entries.
        guard flaws.count < 20 else { return }
        flaws.append(RecordFlaw(segment: segment.number, entry: entry, what: what))
    }

    private mutating func meet() {
        guard let roots = known[range.end] else { return }
        met.insert(range.end)
        guard !isOff else { return }
        let ours = tree.root
        for (source, root) in roots where root != ours {
            flaw("the first \(range.end) entries are not those that \(source) saw")
        }
    }

    private mutating func take(_ line: Span<UInt8>) {
        let number = range.end
        if number == sizes.last {
            sizes.removeLast()
            meet()
            if let source = known[number]?.first?.source, !isOff, !begins(line, CheckpointLine.mark)
            {
                // What a gate signs is the size at which the checkpoint itself stands.
                isOff = true
                flaw("entry \(number) is not the checkpoint that \(source) saw", number)
            }
        }
        if begins(line, CheckpointLine.mark) {
            check(CheckpointLine(line: bytesOf(line)), number)
        } else if number > range.begin {
            unsigned += 1
            look(at: line, number)
        } else {
            unsigned += 1
        }
        let leaf = TreeHash.leaf(line)
        range.append(leaf)
        let beginning = leaf.beginning
        for place in 0..<CheckpointLine.leafBytes {
            leaves.append(UInt8(truncatingIfNeeded: beginning >> UInt64(56 - 8 * place)))
        }
    }

    /// Looks whether an entry is sealed as its segment says, and opens it if it can be.
    private mutating func look(at line: Span<UInt8>, _ number: UInt64) {
        guard let text = sealedText(line) else {
            if segment.isSealed { flaw("entry \(number) is not sealed", number) }
            return
        }
        sealed += 1
        guard segment.isSealed else { return flaw("entry \(number) is sealed to nobody", number) }
        guard let key = segment.key, let opener else { return }
        if opener.open(line.extracting(text), entryKey: key.entryKey(number)) == nil {
            flaw("entry \(number) is not what was sealed under this number", number)
        } else {
            opened += 1
        }
    }

    private mutating func check(_ line: CheckpointLine?, _ number: UInt64) {
        defer {
            leaves.removeAll(keepingCapacity: true)
            leavesBegin = number
            unsigned = 0
        }
        checkpoints += 1
        guard let line, let note = SignedNote(line.note), let checkpoint = Checkpoint(note.text)
        else { return flaw("entry \(number) is no checkpoint any more", number) }
        guard checkpoint.origin == key.name, note.isSigned(by: key) else {
            isOff = true
            return flaw("the checkpoint at entry \(number) is not signed by the gate", number)
        }
        lastCheckpoint = line.note
        if let entry = firstDifference(line.leaves, before: checkpoint.size) {
            isOff = true
            return flaw("entry \(entry) is not the one that was recorded", entry)
        }
        guard !isOff else { return }
        if checkpoint.size != range.end || checkpoint.root != tree.root {
            isOff = true
            flaw(
                "the checkpoint at entry \(number) was signed for \(checkpoint.size) other entries",
                number)
        } else if line.leaves.count != leaves.count {
            flaw(
                "the checkpoint at entry \(number) no longer speaks of all entries since the one "
                    + "before", number)
        }
    }

    /// The first entry since the checkpoint before whose hash is another than `told` says, which
    /// speaks of the entries just before number `size`.
    private func firstDifference(_ told: [UInt8], before size: UInt64) -> UInt64? {
        let count = UInt64(told.count / CheckpointLine.leafBytes)
        guard count <= size, size - count >= leavesBegin else { return leavesBegin }
        // A checkpoint in between that was left out takes with it what it said.
        let begin = size - count
        // What it speaks of is gone altogether; whoever has a key can sign any size.
        guard begin <= range.end else { return range.end }
        let here = leaves.dropFirst(Int(begin - leavesBegin) * CheckpointLine.leafBytes)
        if here.elementsEqual(told) { return nil }
        let same = zip(told, here).prefix { $0 == $1 }.count
        return begin + UInt64(same / CheckpointLine.leafBytes)
    }
}
