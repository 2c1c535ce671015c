// TreeHash.swift: the hashes of a Merkle tree (RFC 6962 §2.1), which never allocate.

internal import COpenSSL

/// A SHA-256 hash of a leaf or a node.
package struct TreeHash: Hashable, Sendable {
    // The bytes in memory, in their order.
    private let a: UInt64
    private let b: UInt64
    private let c: UInt64
    private let d: UInt64

    private init(_ hash: herse_hash) {
        a = hash.a
        b = hash.b
        c = hash.c
        d = hash.d
    }

    private var hash: herse_hash { herse_hash(a: a, b: b, c: c, d: d) }

    /// Nil unless there are 32 bytes.
    package init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        func word(_ index: Int) -> UInt64 {
            var word: UInt64 = 0
            for offset in 0..<8 { word |= UInt64(bytes[index * 8 + offset]) << UInt64(8 * offset) }
            return UInt64(littleEndian: word)
        }
        self.init(herse_hash(a: word(0), b: word(1), c: word(2), d: word(3)))
    }

    /// The 32 bytes.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(32)
        for word in [a, b, c, d] {
            for offset in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: word.littleEndian >> UInt64(8 * offset)))
            }
        }
        return bytes
    }

    /// The first eight bytes, the first of them highest.
    package var beginning: UInt64 { a.bigEndian }

    /// The hash of an entry: of a 0 and its bytes.
    package static func leaf(_ entry: Span<UInt8>) -> TreeHash {
        // Safe because the bytes are only read, within this call.
        unsafe entry.withUnsafeBufferPointer { bytes in
            unsafe TreeHash(herse_leaf_hash(bytes.baseAddress, bytes.count))
        }
    }

    /// The hash of the node above two others: of a 1 and both.
    package static func node(_ left: TreeHash, _ right: TreeHash) -> TreeHash {
        TreeHash(herse_node_hash(left.hash, right.hash))
    }

    /// The hash of a tree without leaves: of nothing.
    package static let empty = TreeHash(herse_sha256(nil, 0))
}
