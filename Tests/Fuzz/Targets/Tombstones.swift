// Tombstones.swift: what is left of purged segments, and is believed in their place.

import Record
import Transparency

extension FuzzTarget {
    /// A tombstone reads back, byte for byte, and stands for as many entries as it says.
    static let tombstone = FuzzTarget(name: "tombstone") { bytes in
        let text = String(decoding: bytesOf(bytes), as: UTF8.self)
        guard let tombstone = Tombstone(SignedNote(text)?.text ?? text) else { return }
        precondition(
            tombstone.text.utf8.elementsEqual((SignedNote(text)?.text ?? text).utf8),
            "a tombstone reads back")
        precondition(tombstone.segment > 0, "segments are counted from one")
        check(tombstone.range)
        for line in [tombstone.first, tombstone.last, tombstone.purgedAt, tombstone.reason] {
            precondition(!line.utf8.contains(0x0A), "each thing it says is one line")
        }
    }
}
