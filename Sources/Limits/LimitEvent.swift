// LimitEvent.swift: what is charged to whom, and what was decided about it.

/// Amounts of one charge, weights included; 0 leaves the windows of that kind alone.
package struct LimitEvent: Hashable, Sendable {
    package var requests: UInt32
    package var lookups: UInt32
    package var disclosures: UInt32
    package var misses: UInt32

    package init(
        requests: UInt32 = 0, lookups: UInt32 = 0, disclosures: UInt32 = 0, misses: UInt32 = 0
    ) {
        self.requests = requests
        self.lookups = lookups
        self.disclosures = disclosures
        self.misses = misses
    }

    @inline(__always)
    func amount(of kind: CountKind) -> UInt64 {
        switch kind {
        case .requests: UInt64(requests)
        case .lookups: UInt64(lookups)
        case .patients: 0
        case .disclosures: UInt64(disclosures)
        case .misses: UInt64(misses)
        }
    }
}

/// Who is charged.
package struct LimitSubjects: Hashable, Sendable {
    package var professional: ProfessionalKey
    package var structure: ProfessionalKey?

    package init(professional: ProfessionalKey, structure: ProfessionalKey? = nil) {
        self.professional = professional
        self.structure = structure
    }

    @inline(__always)
    func key(of holder: LimitHolder) -> ProfessionalKey? {
        switch holder {
        case .professional: professional
        case .structure: structure
        }
    }
}

/// What grants add to every window of a kind, for one call.
package struct LimitExtras: Hashable, Sendable {
    package var requests: UInt32
    package var lookups: UInt32
    package var patients: UInt32
    package var disclosures: UInt32
    package var misses: UInt32

    package init(
        requests: UInt32 = 0, lookups: UInt32 = 0, patients: UInt32 = 0, disclosures: UInt32 = 0,
        misses: UInt32 = 0
    ) {
        self.requests = requests
        self.lookups = lookups
        self.patients = patients
        self.disclosures = disclosures
        self.misses = misses
    }

    package static let none = LimitExtras()

    package subscript(kind: CountKind) -> UInt32 {
        @inline(__always)
        get {
            switch kind {
            case .requests: requests
            case .lookups: lookups
            case .patients: patients
            case .disclosures: disclosures
            case .misses: misses
            }
        }
        set {
            switch kind {
            case .requests: requests = newValue
            case .lookups: lookups = newValue
            case .patients: patients = newValue
            case .disclosures: disclosures = newValue
            case .misses: misses = newValue
            }
        }
    }
}

/// What was decided about one event.
package struct LimitOutcome: Equatable, Sendable {
    /// Whether the event may happen.
    package enum Decision: Equatable, Sendable {
        /// Counted in every window.
        case allowed
        /// Nothing was counted; of the exhausted windows, the one that stays so longest.
        case limited(window: Int, retryAfterSeconds: UInt64)
        /// Nothing was counted; passes once the professional has proven who he is anew, at most
        /// so long ago.
        case stepUpNeeded(window: Int, maxAgeSeconds: UInt32)
        /// The table has no room for this professional: fail closed, and tell the operator.
        case noRoom
    }

    package let decision: Decision
    /// One bit for each shadow window that would have refused, the first window's lowest.
    package let shadowed: UInt16
    /// One bit for each window passed only because the professional's proof is fresh.
    package let steppedUp: UInt16
    /// Of the enforced windows that were looked at, the one with the least left after this event.
    package let tightest: WindowUsage?
}

/// How far one window is used.
package struct WindowUsage: Equatable, Sendable {
    /// Its place in the set.
    package let window: Int
    package let used: UInt64
    /// Grants included.
    package let limit: UInt64
    /// Until more is left again; 0 when nothing is used.
    package let resetSeconds: UInt64
    /// What is added to an estimate before it is compared with the limit: three standard errors.
    package let margin: UInt64
    /// Relative standard error of `used`; 0 when it is exact.
    package let error: Double

    init(
        window: Int, used: UInt64, limit: UInt64, resetSeconds: UInt64, margin: UInt64 = 0,
        error: Double = 0
    ) {
        self.window = window
        self.used = used
        self.limit = limit
        self.resetSeconds = resetSeconds
        self.margin = margin
        self.error = error
    }

    package var remaining: UInt64 {
        let (sum, isOver) = used.addingReportingOverflow(margin)
        return !isOver && limit > sum ? limit - sum : 0
    }
}
