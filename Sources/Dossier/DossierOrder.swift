// DossierOrder.swift: what a dossier is told besides the record.

package import RecordReading

/// What the record came to when it was verified.
package struct Integrity: Sendable {
    /// How the verification ended.
    package enum Verdict: Sendable, Equatable {
        case verified
        /// Nothing is wrong, but some of it nothing protects; `problems` says what.
        case partly
        case failed
        /// It was not tried.
        case untried
    }

    package var verdict: Verdict
    /// The record's name.
    package var origin = ""
    /// Entries of the tree, and its root hash in base64.
    package var size: UInt64?
    package var root = ""
    /// The newest signed checkpoint, as its note reads.
    package var checkpoint = ""
    package var problems: [String] = []

    package init(_ verdict: Verdict) { self.verdict = verdict }
}

/// What a dossier is told besides the record.
package struct DossierOrder: Sendable {
    /// Who operates the gate, whom patients may ask, and the data protection officer.
    package var operatorName = ""
    package var contact = ""
    package var protectionOfficer = ""
    /// When the breach was discovered; milliseconds since 1970.
    package var discovered: UInt64?
    /// When the dossier is made.
    package var made: UInt64
    package var languages: [Language] = Language.allCases
    package var version: String
    package var integrity: Integrity
    /// What of the record could not be read.
    package var unreadableLines = 0
    package var brokenSegments: [String] = []
    /// What was purged of the period that was read.
    package var purged: PurgedEntries?

    package init(made: UInt64, version: String, integrity: Integrity) {
        self.made = made
        self.version = version
        self.integrity = integrity
    }

    /// By when the authority is to be told: 72 hours after the discovery (GDPR, article 33).
    var deadline: UInt64? { discovered.map { $0 + 72 * 3_600_000 } }
}
