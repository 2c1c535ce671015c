// Verification.swift: what is found when a record is verified.

package import Transparency

/// Something that is not as the gate left it.
package struct RecordFlaw: Equatable, Sendable {
    /// The segment it is in; nil when it is the whole record's.
    package let segment: Int?
    /// The number of the first entry that is not as it was; nil when that cannot be told.
    package let entry: UInt64?
    package let what: String
}

/// Entries that were purged, and the proof of it.
package struct PurgedSegment: Equatable, Sendable {
    package let segment: Int
    package let entries: Range<UInt64>
    package let purgedAt: String
    package let reason: String
}

/// What is known of a record once it was read from end to end.
package struct Verification: Sendable {
    package var origin = ""
    /// The gate's newest key.
    package var key: NoteVerifier?
    /// The keys that may have signed: those given, or else the newest.
    var believed: [NoteVerifier] = []
    /// Entries, heads and checkpoints among them, purged ones too.
    package var size: UInt64 = 0
    package var root = TreeHash.empty
    package var segments = 0
    package var bytes = 0
    package var checkpoints = 0
    /// The newest checkpoint, as a signed note.
    package var checkpoint: String?
    /// Entries after it, which nothing signs yet.
    package var unsigned: UInt64 = 0
    /// Sealed entries, and those of them that were opened with an auditor's key.
    package var sealed: UInt64 = 0
    package var opened: UInt64 = 0
    package var purged: [PurgedSegment] = []
    /// Segments of a gate before 0.2, which nothing protects.
    package var untold: [Int] = []
    /// What is no flaw and worth knowing.
    package var notes: [String] = []
    /// In the order of the record.
    package var flaws: [RecordFlaw] = []

    package init() {}

    package var isIntact: Bool { flaws.isEmpty }
}

/// A checkpoint from elsewhere, that the record must agree with.
package struct WitnessedCheckpoint: Sendable {
    /// Where it comes from, in the operator's words.
    package let source: String
    package let checkpoint: Checkpoint
    package let note: SignedNote

    /// Nil when the note is no checkpoint.
    package init?(source: String, note: SignedNote) {
        guard let checkpoint = Checkpoint(note.text) else { return nil }
        self.source = source
        self.checkpoint = checkpoint
        self.note = note
    }
}
