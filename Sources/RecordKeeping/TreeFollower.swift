// TreeFollower.swift: the tree of the record, made again from its files by somebody who did not
// write them.
//
// The writer keeps a tree of its own. This one is read back from the disk, so that what a witness
// is shown was there, and a file changed under a running gate is noticed.

package import Record
package import Transparency

/// Why the tree cannot be followed.
package enum FollowProblem: Error, Equatable, Sendable {
    case unreadable(RecordError)
    /// What was there at that size is purged.
    case purged(size: UInt64)
    /// The files say two things at once, or less than was recorded.
    case contradiction(String)

    /// One line for the operator.
    package var message: String {
        switch self {
        case .unreadable(let error): error.message
        case .purged(let size): "what the record was at \(size) entries is purged"
        case .contradiction(let text): text
        }
    }
}

/// The tree up to some entry, cut into consecutive ranges at the sizes that somebody knows.
///
/// From any two of those sizes a proof can be made without another look at the disk.
package struct TreeFollower: Sendable {
    private let folder: SegmentFolder
    /// Consecutive, the first from 0 on.
    private var pieces = [CompactRange()]
    /// Where the next line is read.
    private var segment = 0
    private var offset = 0

    /// Follows the record in `folder` from its beginning.
    package init(folder: String) { self.folder = SegmentFolder(folder) }

    /// Entries that were followed.
    package var size: UInt64 { pieces.last?.end ?? 0 }

    /// The sizes at which it is cut, the last being where it ends.
    package var cuts: [UInt64] { pieces.map(\.end) }

    /// The tree's root at a size at which it is cut; nil at others.
    package func root(at size: UInt64) -> TreeHash? {
        if size == 0 { return .empty }
        return range(0, size)?.root
    }

    /// What shows that the tree of `new` entries begins with that of `old`; nil unless it is cut
    /// at both.
    package func proof(from old: UInt64, to new: UInt64) -> [TreeHash]? {
        if old == 0 || old == new { return [] }
        guard let before = range(0, old), let after = range(old, new) else { return nil }
        return KnownNodes([before, after]).consistencyProof(from: old, to: new)
    }

    private func range(_ begin: UInt64, _ end: UInt64) -> CompactRange? {
        var range: CompactRange?
        for piece in pieces where piece.begin >= begin && piece.end <= end {
            if range == nil {
                guard piece.begin == begin else { return nil }
                range = piece
            } else if range?.append(piece) != true {
                return nil
            }
        }
        return range?.end == end ? range : nil
    }

    /// Reads on to `target` entries, all of them being on disk, and is cut there and at those of
    /// `known` that are not beyond.
    ///
    /// Sizes that are new cost another look at the segment they are in.
    package mutating func follow(
        to target: UInt64, keeping known: Set<UInt64>
    ) throws(FollowProblem) {
        let wanted = known.filter { $0 > 0 && $0 < target }
        let borders = Set(cuts)
        let missing = wanted.subtracting(borders).filter { $0 < size }
        if segment == 0 || target < size || !missing.isEmpty {
            try rebuild(to: target, wanted)
        } else {
            // The piece that is read into begins at the last target: it stays so until it is known
            // that nobody needs that.
            if size < target, pieces.last?.begin != size {
                pieces.append(CompactRange(begin: size))
            }
            try read(to: target, cutting: wanted)
        }
        merge(keeping: wanted)
    }

    /// Joins what nobody wants apart any more.
    private mutating func merge(keeping wanted: Set<UInt64>) {
        var joined: [CompactRange] = []
        for piece in pieces {
            if let last = joined.last, !wanted.contains(last.end) {
                var longer = last
                _ = longer.append(piece)
                joined[joined.count - 1] = longer
            } else {
                joined.append(piece)
            }
        }
        pieces = joined
    }

    // MARK: Reading

    /// Begins with the segment that holds the first size wanted, from what its head says.
    private mutating func rebuild(
        to target: UInt64, _ wanted: Set<UInt64>
    ) throws(FollowProblem) {
        let first = wanted.min() ?? target
        let numbers = try segments()
        var start: SegmentHead?
        for number in numbers.reversed() {
            guard let head = try head(number) else {
                // The newest may have none yet, and those of a gate before 0.2 never had one.
                guard start == nil else { break }
                continue
            }
            start = head
            // A segment's head is the first entry of its own.
            if head.begins <= first { break }
        }
        guard let start else { throw .contradiction("there is no segment to follow") }
        guard start.begins <= first else { throw .purged(size: first) }
        pieces = [start.tree]
        (segment, offset) = (start.segment, 0)
        try read(to: target, cutting: wanted)
    }

    /// Reads from where it stands up to `target` entries.
    private mutating func read(
        to target: UInt64, cutting wanted: Set<UInt64>
    ) throws(FollowProblem) {
        while size < target {
            let next = try successor(of: segment)
            let bound = min(target, next?.previous?.range.end ?? target)
            if offset == 0, let whole = next?.previous?.range, whole.end <= target,
                whole.begin == size, !wanted.contains(where: { $0 > size && $0 < whole.end })
            {
                // Nobody asks for anything within: its hashes are told by who came after.
                cut(at: wanted)
                try append(whole)
            } else {
                try readSegment(to: bound, cutting: wanted)
            }
            guard size == bound else {
                throw .contradiction(
                    "segment \(segment) ends after \(size) entries, and \(bound) were recorded")
            }
            guard let next, size == next.begins else { continue }
            // What was read, and what the next segment says of it, must be the same.
            guard range(0, size)?.nodes == next.tree.nodes else {
                throw .contradiction(
                    "segment \(segment) is not what segment \(next.segment) says of it")
            }
            (segment, offset) = (next.segment, 0)
        }
    }

    private mutating func append(_ range: CompactRange) throws(FollowProblem) {
        guard pieces[pieces.count - 1].append(range) else {
            throw .contradiction("segment \(segment) does not begin where the one before ends")
        }
    }

    private mutating func cut(at wanted: Set<UInt64>) {
        guard wanted.contains(size), pieces.last?.begin != size else { return }
        pieces.append(CompactRange(begin: size))
    }

    private mutating func readSegment(
        to bound: UInt64, cutting wanted: Set<UInt64>
    ) throws(FollowProblem) {
        do throws(RecordError) {
            try readLines(of: folder.file(segment), from: offset) { line, place in
                guard place.isEnded, size < bound else { return false }
                cut(at: wanted)
                pieces[pieces.count - 1].append(TreeHash.leaf(line))
                offset = place.offset + line.count + 1
                return size < bound
            }
        } catch {
            throw .unreadable(error)
        }
    }

    // MARK: Segments

    private func segments() throws(FollowProblem) -> [Int] {
        do throws(RecordError) {
            return try folder.numbers(.segments)
        } catch {
            throw .unreadable(error)
        }
    }

    private func successor(of number: Int) throws(FollowProblem) -> SegmentHead? {
        guard let next = try segments().first(where: { $0 > number }) else { return nil }
        guard let head = try head(next) else { return nil }
        guard head.previous?.segment == number else {
            throw .contradiction("segment \(next) does not follow segment \(number)")
        }
        return head
    }

    private func head(_ number: Int) throws(FollowProblem) -> SegmentHead? {
        let head: SegmentHead?
        do throws(RecordError) {
            head = try segmentHead(of: folder.file(number))
        } catch {
            throw .unreadable(error)
        }
        if let head, head.segment != number {
            throw .contradiction("segment \(number) holds segment \(head.segment)")
        }
        return head
    }
}

/// The head of the segment at `path`; nil when it has none, or none that is whole yet.
func segmentHead(of path: String) throws(RecordError) -> SegmentHead? {
    var head: SegmentHead?
    try readLines(of: path, to: SegmentHead.lengthMax) { line, place in
        if place.isEnded { head = SegmentHead(line: bytesOf(line)) }
        return false
    }
    return head
}

/// The subtrees of some ranges, found by their place.
private struct KnownNodes: TreeHashes {
    private struct Place: Hashable {
        let level: Int
        let index: UInt64
    }

    private var known: [Place: TreeHash] = [:]

    init(_ ranges: [CompactRange]) {
        for range in ranges {
            var begin = range.begin
            for node in range.nodes {
                known[Place(level: node.level, index: begin >> UInt64(node.level))] = node.hash
                begin += 1 << UInt64(node.level)
            }
        }
    }

    func hash(level: Int, index: UInt64) -> TreeHash? {
        known[Place(level: level, index: index)]
    }
}
