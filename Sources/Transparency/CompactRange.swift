// CompactRange.swift: all that is needed of a Merkle tree to let it grow: one hash a power of two.

/// The whole subtrees that cover consecutive leaves, from the first on, the largest possible ones.
///
/// For leaves from 0 on these are one subtree for each 1 in the binary number of leaves; the root
/// is made of them. A range that begins elsewhere is what a purged segment leaves behind.
package struct CompactRange: Equatable, Sendable {
    /// A subtree over 2^`level` leaves.
    package struct Node: Equatable, Sendable {
        package let level: Int
        package let hash: TreeHash

        package init(level: Int, hash: TreeHash) {
            self.level = level
            self.hash = hash
        }
    }

    /// The first leaf that is covered, and the first that is not any more.
    package let begin: UInt64
    private(set) package var end: UInt64
    private(set) package var nodes: [Node] = []

    /// Covers nothing yet, and will cover leaves from `begin` on.
    package init(begin: UInt64 = 0) {
        self.begin = begin
        end = begin
    }

    /// The range whose subtrees have these hashes, in order; nil when it takes another number.
    package init?(begin: UInt64, end: UInt64, hashes: [TreeHash]) {
        guard begin <= end, end < 1 << 62 else { return nil }
        let levels = Self.levels(begin, end)
        guard levels.count == hashes.count else { return nil }
        self.begin = begin
        self.end = end
        nodes = zip(levels, hashes).map { Node(level: $0, hash: $1) }
    }

    /// The levels of the largest whole subtrees from `begin` to `end`, in order.
    package static func levels(_ begin: UInt64, _ end: UInt64) -> [Int] {
        var levels: [Int] = []
        var place = begin
        while place < end {
            let room = 63 - (end - place).leadingZeroBitCount
            let level = place == 0 ? room : min(room, place.trailingZeroBitCount)
            levels.append(level)
            place += 1 << UInt64(level)
        }
        return levels
    }

    /// Takes the next leaf.
    package mutating func append(_ leaf: TreeHash) {
        var hash = leaf
        var level = 0
        // The leaf ends as many subtrees as its place has ones at its end, as far as they begin
        // in here.
        var place = end
        while place & 1 == 1, let last = nodes.last, last.level == level {
            hash = .node(last.hash, hash)
            nodes.removeLast()
            place >>= 1
            level += 1
        }
        nodes.append(Node(level: level, hash: hash))
        end += 1
    }

    /// Takes the leaves of `next`, which begins where this range ends; false when it does not.
    package mutating func append(_ next: CompactRange) -> Bool {
        guard next.begin == end else { return false }
        for node in next.nodes {
            var hash = node.hash
            var level = node.level
            var place = end >> UInt64(level)
            while place & 1 == 1, let last = nodes.last, last.level == level {
                hash = .node(last.hash, hash)
                nodes.removeLast()
                place >>= 1
                level += 1
            }
            nodes.append(Node(level: level, hash: hash))
            end += 1 << UInt64(node.level)
        }
        return true
    }

    /// This range and `next`, which must begin where it ends.
    ///
    /// To join two once is cheaper than to give every leaf to both this and their whole.
    package func followed(by next: CompactRange) -> CompactRange {
        var whole = self
        let follows = whole.append(next)
        precondition(follows, "what follows a range begins where it ends")
        return whole
    }

    /// The root over all leaves that are covered; for leaves from 0 on, that of RFC 6962.
    package var root: TreeHash {
        guard var root = nodes.last?.hash else { return .empty }
        for node in nodes.dropLast().reversed() { root = .node(node.hash, root) }
        return root
    }
}
