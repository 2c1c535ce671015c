// RecordProver.swift: makes proofs of single entries, reading no more of the record than they take.

internal import Foundation
internal import Record
internal import Sealing
internal import Transparency

/// Hashes of a record's tree: of whole segments as the heads after them tell, and of all entries of
/// a few.
private struct KnownHashes: TreeHashes {
    private struct Place: Hashable {
        let level: Int
        let index: UInt64
    }

    private var hashes: [Place: TreeHash] = [:]

    func hash(level: Int, index: UInt64) -> TreeHash? {
        hashes[Place(level: level, index: index)]
    }

    mutating func add(_ range: CompactRange) {
        var begin = range.begin
        for node in range.nodes {
            hashes[Place(level: node.level, index: begin >> UInt64(node.level))] = node.hash
            begin += 1 << UInt64(node.level)
        }
    }

    mutating func add(_ leaf: TreeHash, at index: UInt64) {
        hashes[Place(level: 0, index: index)] = leaf
    }
}

extension RecordReader {
    /// Proves that entry `number` is in the record, by the newest checkpoint; with the key that
    /// opens it if `reveals`.
    ///
    /// The segments it reads are those of the entry and of the checkpoint; what is between is taken
    /// from their heads. Whether the record is intact is another question.
    package func proof(
        of number: UInt64, reveals: Bool
    ) throws(RecordReadingError) -> EntryProof {
        let told = segments.filter { $0.head != nil }
        if let purged = purged(entry: number) {
            throw RecordReadingError(
                "entry \(number) was purged on \(purged.purgedAt): \(purged.reason)",
                hint: "the proof of the purge stands beside the segments; `herse record verify` "
                    + "reads it")
        }
        guard let home = told.lastIndex(where: { $0.begins <= number }) else {
            throw missing(number)
        }
        var hashes = KnownHashes()
        for (place, segment) in told.enumerated() {
            guard let head = segment.head else { continue }
            if place == 0 { hashes.add(head.tree) }
            if let previous = head.previous { hashes.add(previous.range) }
        }
        var line: [UInt8]?
        var checkpoint: (note: String, size: UInt64)?
        for place in Set([home, told.count - 1, max(0, told.count - 2)]).sorted() {
            try told[place].lines { text, end, index in
                guard end.isEnded else { return false }
                if begins(text, CheckpointLine.mark),
                    let spelled = CheckpointLine(line: bytesOf(text))
                {
                    checkpoint = (spelled.note, index)
                }
                hashes.add(.leaf(text), at: index)
                if index == number { line = bytesOf(text) }
                return true
            }
        }
        guard let line else { throw missing(number) }
        guard let checkpoint, checkpoint.size > number else {
            throw RecordReadingError(
                "entry \(number) is not signed yet", hint: "try again in a second")
        }
        guard let way = hashes.inclusionProof(of: number, size: checkpoint.size) else {
            throw RecordReadingError(
                "a hash that proves entry \(number) is missing",
                hint: "`herse record verify` tells what is wrong with the record")
        }
        let isSealed = sealedText(line.span) != nil
        if reveals, isSealed, told[home].key == nil {
            throw RecordReadingError(
                "entry \(number) is sealed",
                hint: "give an auditor's private key with --auditor-key FILE, or leave out "
                    + "--reveal")
        }
        let proof = EntryProof(
            line: line, key: reveals && isSealed ? told[home].key?.entryKey(number) : nil,
            index: number, hashes: way, checkpoint: checkpoint.note)
        // Of a record that was touched a proof would prove nothing, to whoever is given it.
        guard let key = told.last?.head?.key, case .proven = proof.verdict(key: key),
            proof.key == nil || proof.plain != nil
        else {
            throw RecordReadingError(
                "entry \(number) cannot be proven: it, or what stands beside it, is not what the "
                    + "gate signed",
                hint: "`herse record verify` tells what is wrong with the record")
        }
        return proof
    }

    private func missing(_ number: UInt64) -> RecordReadingError {
        RecordReadingError(
            "there is no entry \(number)",
            hint: "`herse record search` shows the numbers of entries, as ENTRY or `entry`")
    }
}
