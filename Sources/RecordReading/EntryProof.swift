// EntryProof.swift: that one entry is in the record, for somebody who has nothing else of it.
//
// The proof is C2SP's tlog-proof: the entry's place, the hashes beside its way to the root, and a
// checkpoint. Before it stands the line itself and, if it is to be read, the key that opens this
// entry and no other.

internal import Foundation
internal import Record
internal import Sealing
package import Transparency

/// An entry and the proof that it is in the record.
package struct EntryProof: Equatable, Sendable {
    /// The line of the entry.
    package var line: [UInt8]
    /// The key that opens it; nil when it is not sealed, or not to be read.
    package var key: [UInt8]?
    package var index: UInt64
    package var hashes: [TreeHash]
    /// The checkpoint, as a signed note.
    package var checkpoint: String

    private static let mark = "herse record proof v1"
    private static let proofMark = "c2sp.org/tlog-proof@v1"
    /// Bytes of a proof that is read.
    package static let lengthMax = 2 * recordLineMax

    /// As it is written.
    package var text: String {
        var lines = [Self.mark, String(decoding: line, as: UTF8.self)]
        if let key { lines.append("key " + Data(key).base64EncodedString()) }
        lines += ["", Self.proofMark, "index \(index)"] + hashes.map(\.base64) + ["", checkpoint]
        return lines.joined(separator: "\n")
    }

    init(
        line: [UInt8], key: [UInt8]?, index: UInt64, hashes: [TreeHash], checkpoint: String
    ) {
        self.line = line
        self.key = key
        self.index = index
        self.hashes = hashes
        self.checkpoint = checkpoint
    }

    /// Reads a proof; nil when it is none.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.lengthMax else { return nil }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)[...]
        guard lines.popFirst() == Self.mark[...], let line = lines.popFirst() else { return nil }
        self.line = Array(line.utf8)
        if let spelled = lines.first, spelled.hasPrefix("key ") {
            guard let bytes = decodedBase64(spelled.dropFirst(4)), bytes.count == 32 else {
                return nil
            }
            key = bytes
            lines.removeFirst()
        }
        guard lines.popFirst() == "", lines.popFirst() == Self.proofMark[...],
            let place = lines.popFirst(), place.hasPrefix("index "),
            let index = UInt64(place.dropFirst(6)), String(index) == place.dropFirst(6)
        else { return nil }
        self.index = index
        hashes = []
        while let next = lines.first, next != "" {
            guard let hash = TreeHash(base64: next), hashes.count < 64 else { return nil }
            hashes.append(hash)
            lines.removeFirst()
        }
        guard lines.popFirst() == "", !lines.isEmpty else { return nil }
        checkpoint = lines.joined(separator: "\n")
    }

    /// What the checkpoint must say for the entry to be in the record.
    package enum Verdict: Equatable, Sendable {
        case proven(Checkpoint)
        case noCheckpoint
        /// The note is not signed by this key.
        case notSigned
        /// The hashes lead elsewhere: another entry, another place, another record.
        case notInTree
    }

    /// Whether the entry is in the tree that `key` signed.
    package func verdict(key: NoteVerifier) -> Verdict {
        guard let note = SignedNote(checkpoint), let signed = Checkpoint(note.text) else {
            return .noCheckpoint
        }
        guard signed.origin == key.name, note.isSigned(by: key) else { return .notSigned }
        let root = rootOfInclusion(
            leaf: .leaf(line.span), index: index, size: signed.size, proof: hashes)
        return root == signed.root ? .proven(signed) : .notInTree
    }

    /// What the entry says; nil when it is sealed and the proof has no key that opens it.
    package var plain: [UInt8]? {
        guard let sealed = sealedText(line.span) else { return line }
        guard let key, let opener = EntryOpener() else { return nil }
        return opener.open(line.span.extracting(sealed), entryKey: key)
    }
}
