// EntryProofs.swift: proofs of single entries, which strangers bring and courts believe.

import Record
import RecordReading
import Transparency

extension FuzzTarget {
    /// A proof reads back, and proves no entry but those that were recorded, each in its place.
    static let entryProof = FuzzTarget(name: "entry-proof") { bytes in
        check(proof: bytesOf(bytes))
        guard bytes.count > 0 else { return }
        let number = Int(bytes[0]) % leaves.count
        check(
            proof: edited(
                genuineProofs[number], by: bytes.extracting(1..<bytes.count)))
    }
}

private struct Leaves: TreeHashes {
    func hash(level: Int, index: UInt64) -> TreeHash? {
        level == 0 && index < UInt64(leaves.count) ? leaves[Int(index)] : nil
    }
}

private let genuineProofs: [[UInt8]] = leaves.indices.map { number in
    let way = Leaves().inclusionProof(of: UInt64(number), size: UInt64(leaves.count)) ?? []
    let lines =
        ["herse record proof v1", String(decoding: genuineLine(number), as: UTF8.self), ""]
        + ["c2sp.org/tlog-proof@v1", "index \(number)"] + way.map(\.base64) + ["", genuineNote]
    let text = lines.joined(separator: "\n")
    guard let key = FuzzTarget.signer?.verifier, let proof = EntryProof(text),
        proof.verdict(key: key) == .proven(genuineCheckpoint)
    else { preconditionFailure("the genuine proofs prove") }
    return Array(text.utf8)
}

private func check(proof bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let proof = EntryProof(text) else { return }
    precondition(proof.text.utf8.elementsEqual(text.utf8), "a proof reads back")
    precondition(proof.key.map { $0.count == 32 } ?? true, "the key of an entry is AES-256's")
    _ = proof.plain
    guard let key = FuzzTarget.signer?.verifier else { return }
    if case .proven(let checkpoint) = proof.verdict(key: key) {
        precondition(checkpoint == genuineCheckpoint, "by what the gate signed")
        precondition(
            proof.index < UInt64(leaves.count) && proof.line == genuineLine(Int(proof.index)),
            "what is proven was recorded, and there")
    }
}
