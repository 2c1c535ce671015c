// TreeTests.swift: the hash tree against the definition of RFC 6962, and its proofs.

import COpenSSL
import Testing

@testable import Transparency

/// All leaf hashes of a tree.
private struct Leaves: TreeHashes {
    let hashes: [TreeHash]

    init(_ count: Int) {
        hashes = (0..<count).map { number in
            let entry = Array("entry \(number)".utf8)
            return TreeHash.leaf(entry.span)
        }
    }

    func hash(level: Int, index: UInt64) -> TreeHash? {
        level == 0 && index < UInt64(hashes.count) ? hashes[Int(index)] : nil
    }

    /// The root, word for word as RFC 6962 §2.1 defines it.
    func defined(_ range: Range<Int>) -> TreeHash {
        if range.isEmpty { return .empty }
        if range.count == 1 { return hashes[range.lowerBound] }
        var power = 1
        while power * 2 < range.count { power *= 2 }
        let middle = range.lowerBound + power
        return .node(
            defined(range.lowerBound..<middle), defined(middle..<range.upperBound))
    }
}

private func hexadecimal(_ hash: TreeHash) -> String {
    let digits = Array("0123456789abcdef")
    return String(hash.bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
}

@Suite struct `A Merkle tree` {
    @Test func `has the roots that others publish`() throws {
        // The first eight trees of the leaves that Certificate Transparency's own tests use.
        let leaves: [[UInt8]] = [
            [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
            [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            [
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D,
                0x6E, 0x6F,
            ],
        ]
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        var range = CompactRange()
        #expect(hexadecimal(range.root) == roots[0])
        for (leaf, root) in zip(leaves, roots.dropFirst()) {
            range.append(TreeHash.leaf(leaf.span))
            #expect(hexadecimal(range.root) == root)
        }
    }

    @Test func `grows to the root of the definition, whole or in pieces`() throws {
        let leaves = Leaves(130)
        for size in 0...130 {
            let root = leaves.defined(0..<size)
            var whole = CompactRange()
            for hash in leaves.hashes.prefix(size) { whole.append(hash) }
            #expect(whole.root == root)
            #expect(leaves.root(0, UInt64(size)) == root)
            for cut in [0, 1, size / 3, size / 2, size] where cut <= size {
                var first = CompactRange()
                var second = CompactRange(begin: UInt64(cut))
                for hash in leaves.hashes.prefix(cut) { first.append(hash) }
                for hash in leaves.hashes[cut..<size] { second.append(hash) }
                let spelled = try #require(
                    CompactRange(
                        begin: second.begin, end: second.end, hashes: second.nodes.map(\.hash)))
                #expect(spelled == second)
                let isAppended = first.append(second)
                #expect(isAppended)
                #expect(first == whole)
                let isTwice = first.append(second)
                #expect(!isTwice || cut == size)
            }
        }
    }

    @Test func `proves every entry, and nothing else`() throws {
        let leaves = Leaves(70)
        for size in 1...70 {
            let root = leaves.defined(0..<size)
            for index in 0..<size {
                let proof = try #require(
                    leaves.inclusionProof(of: UInt64(index), size: UInt64(size)))
                func leads(_ leaf: Int, _ place: Int, _ proof: [TreeHash]) -> Bool {
                    rootOfInclusion(
                        leaf: leaves.hashes[leaf], index: UInt64(place), size: UInt64(size),
                        proof: proof) == root
                }
                #expect(leads(index, index, proof))
                #expect(!leads((index + 1) % 70, index, proof))
                #expect(size == 1 || !leads(index, (index + 1) % size, proof))
                #expect(!leads(index, index, proof + [root]))
                #expect(proof.isEmpty || !leads(index, index, proof.dropLast()))
            }
        }
        #expect(leaves.inclusionProof(of: 70, size: 70) == nil)
        #expect(leaves.inclusionProof(of: 3, size: 71) == nil)
    }

    @Test func `proves that it only grew`() throws {
        let leaves = Leaves(40)
        for new in 0...40 {
            for old in 0...new {
                let proof = try #require(
                    leaves.consistencyProof(from: UInt64(old), to: UInt64(new)))
                let before = (size: UInt64(old), root: leaves.defined(0..<old))
                let after = (size: UInt64(new), root: leaves.defined(0..<new))
                #expect(isConsistent(old: before, new: after, proof: proof))
                let other = (size: before.size, root: leaves.hashes[39])
                #expect(old == 0 || !isConsistent(old: other, new: after, proof: proof))
                #expect(
                    old == new || old == 0
                        || !isConsistent(
                            old: before, new: (size: after.size, root: other.root), proof: proof)
                )
                #expect(!isConsistent(old: before, new: after, proof: proof + [other.root]))
            }
        }
        #expect(leaves.consistencyProof(from: 3, to: 2) == nil)
    }

    @Test func `refuses pieces that do not fit`() {
        let leaves = Leaves(4)
        #expect(CompactRange(begin: 0, end: 4, hashes: leaves.hashes) == nil)
        #expect(CompactRange(begin: 3, end: 1, hashes: []) == nil)
        #expect(TreeHash([1, 2, 3]) == nil)
        #expect(TreeHash(leaves.hashes[0].bytes) == leaves.hashes[0])
    }
}
