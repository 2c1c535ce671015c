// RecordRule.swift: how the record is kept: for whom sealed, by whom witnessed, how long, how big.

/// How the record is kept.
package struct RecordRule: Sendable {
    /// What becomes of the record at its ceiling.
    package enum WhenFull: String, CaseIterable, Sendable {
        /// Nothing is disclosed that cannot be kept.
        case refuse
        /// The oldest segments go, and the record says so.
        case purgeOldest = "purge-oldest"
    }

    /// Nil when nothing was written of the record.
    package var place: SourceLocation?
    package var durability = Durability.beforeDelivery
    /// X25519 public keys, PEM; nobody else can read what is recorded.
    package var auditors: [FileReference] = []
    /// Whether the configuration says that the record is not sealed.
    package var isUnsealed = false
    /// The record's name in checkpoints; nil for one made of the gate's key.
    package var origin: String?
    package var witnesses: [WitnessRule] = []
    /// Seconds between two checkpoints that a witness is shown.
    package var witnessEvery: Int64 = 60
    /// Seconds after which a segment is purged; nil for never.
    package var keep: Int64?
    /// Bytes of the record's folder; nil for as many as there are.
    package var diskMax: Int?
    /// Bytes its file system keeps free.
    package var diskFreeMin = 64 << 20
    package var whenFull = WhenFull.refuse

    /// Auditors a configuration may name: each makes every segment's head longer.
    static let auditorsMax = 16
}

/// Who keeps what the record was, out of this machine's reach.
package struct WitnessRule: Equatable, Sendable {
    /// The way to a witness.
    package enum Target: Equatable, Sendable {
        /// Speaks C2SP's `tlog-witness`; `key` is the verifier key of its cosignatures.
        case address(url: String, key: String)
        case syslog(Address)
        case file(FileReference)
    }

    package let name: String
    package let place: SourceLocation
    package var target: Target
    package var authorities: FileReference?

    /// Witnesses of one configuration.
    static let countMax = 16
}
