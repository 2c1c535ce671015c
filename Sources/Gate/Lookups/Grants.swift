// Grants.swift: bounded exceptions to limits, as the workers consult them.

internal import Limits

/// The grants of all professionals at one moment; immutable, handed to every worker when it
/// changes.
struct Grants: Sendable {
    private struct Grant: Sendable {
        let count: CountKind
        let extra: UInt32
        /// Seconds since 1970.
        let until: Int64
    }

    private var grants: [ProfessionalKey: [Grant]] = [:]

    var isEmpty: Bool { grants.isEmpty }

    /// Adds one; what is over is for `extras` to see.
    mutating func add(_ count: CountKind, _ extra: UInt32, to who: ProfessionalKey, until: Int64) {
        grants[who, default: []].append(Grant(count: count, extra: extra, until: until))
    }

    /// The sum of what somebody is granted at `now`, seconds since 1970.
    func extras(of who: ProfessionalKey, now: Int64) -> LimitExtras {
        var extras = LimitExtras.none
        for grant in grants[who] ?? [] where grant.until > now {
            let sum = extras[grant.count].addingReportingOverflow(grant.extra)
            extras[grant.count] = sum.overflow ? .max : sum.partialValue
        }
        return extras
    }
}
