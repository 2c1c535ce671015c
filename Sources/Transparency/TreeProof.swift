// TreeProof.swift: that an entry is in a tree, and that a tree only grew (RFC 6962 §2.1.1, §2.1.2).

/// What is known of a tree's hashes.
package protocol TreeHashes {
    /// The hash of the whole subtree over the 2^`level` leaves from `index` · 2^`level` on.
    func hash(level: Int, index: UInt64) -> TreeHash?
}

extension TreeHashes {
    /// The hashes beside the way from leaf `index` up to the root of the first `size` leaves; nil
    /// when one of them is not known.
    package func inclusionProof(of index: UInt64, size: UInt64) -> [TreeHash]? {
        guard index < size, size < 1 << 62 else { return nil }
        return path(index, 0, size)
    }

    /// What shows that the tree of `new` leaves begins with that of `old`; nil when something that
    /// takes is not known.
    package func consistencyProof(from old: UInt64, to new: UInt64) -> [TreeHash]? {
        guard old <= new, new < 1 << 62 else { return nil }
        if old == 0 || old == new { return [] }
        return subproof(old, 0, new, isWhole: true)
    }

    /// The hash of the leaves from `begin` to `end`, as a tree of their own.
    package func root(_ begin: UInt64, _ end: UInt64) -> TreeHash? {
        let count = end - begin
        if count == 0 { return .empty }
        if count & (count - 1) == 0, begin % count == 0,
            let hash = hash(level: count.trailingZeroBitCount, index: begin / count)
        {
            return hash
        }
        guard count > 1 else { return nil }
        let middle = begin + half(count)
        guard let left = root(begin, middle), let right = root(middle, end) else { return nil }
        return .node(left, right)
    }

    private func path(_ index: UInt64, _ begin: UInt64, _ end: UInt64) -> [TreeHash]? {
        guard end - begin > 1 else { return [] }
        let middle = begin + half(end - begin)
        let isLeft = index < middle
        guard
            let below = isLeft ? path(index, begin, middle) : path(index, middle, end),
            let beside = isLeft ? root(middle, end) : root(begin, middle)
        else { return nil }
        return below + [beside]
    }

    private func subproof(
        _ old: UInt64, _ begin: UInt64, _ end: UInt64, isWhole: Bool
    ) -> [TreeHash]? {
        if old == end { return isWhole ? [] : root(begin, end).map { [$0] } }
        let middle = begin + half(end - begin)
        if old <= middle {
            guard let below = subproof(old, begin, middle, isWhole: isWhole),
                let beside = root(middle, end)
            else { return nil }
            return below + [beside]
        }
        guard let below = subproof(old, middle, end, isWhole: false),
            let beside = root(begin, middle)
        else { return nil }
        return below + [beside]
    }
}

/// The largest power of two below `count`, which is 2 at least.
private func half(_ count: UInt64) -> UInt64 {
    1 << UInt64(63 - (count - 1).leadingZeroBitCount)
}

/// The root that an inclusion proof leads to (RFC 9162 §2.1.3.2); nil for one that fits no tree of
/// this size.
package func rootOfInclusion(
    leaf: TreeHash, index: UInt64, size: UInt64, proof: [TreeHash]
) -> TreeHash? {
    guard index < size else { return nil }
    var place = index
    var last = size - 1
    var hash = leaf
    for beside in proof {
        guard last > 0 else { return nil }
        if place & 1 == 1 || place == last {
            hash = .node(beside, hash)
            while place & 1 == 0, place != 0 {
                place >>= 1
                last >>= 1
            }
        } else {
            hash = .node(hash, beside)
        }
        place >>= 1
        last >>= 1
    }
    return last == 0 ? hash : nil
}

/// Whether `proof` shows that the tree of `new` leaves begins with that of `old` (RFC 9162
/// §2.1.4.2).
package func isConsistent(
    old: (size: UInt64, root: TreeHash), new: (size: UInt64, root: TreeHash), proof: [TreeHash]
) -> Bool {
    guard old.size <= new.size else { return false }
    if old.size == new.size { return old.root == new.root && proof.isEmpty }
    if old.size == 0 { return proof.isEmpty }
    var proof = proof[...]
    if old.size & (old.size - 1) == 0 { proof = ([old.root] + proof)[...] }
    guard var first = proof.popFirst() else { return false }
    var place = old.size - 1
    var last = new.size - 1
    while place & 1 == 1 {
        place >>= 1
        last >>= 1
    }
    var second = first
    for beside in proof {
        guard last > 0 else { return false }
        if place & 1 == 1 || place == last {
            first = .node(beside, first)
            second = .node(beside, second)
            while place & 1 == 0, place != 0 {
                place >>= 1
                last >>= 1
            }
        } else {
            second = .node(second, beside)
        }
        place >>= 1
        last >>= 1
    }
    return last == 0 && first == old.root && second == new.root
}
