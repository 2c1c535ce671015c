// Grants.swift: bounded exceptions to limits, as the workers consult them.

internal import Limits

/// The grants of all professionals at one moment; immutable, handed to every worker when it
/// changes.
struct Grants: Sendable {
    private var grants: [ProfessionalKey: [Grant]] = [:]

    init() {}

    /// Sorts what is in force by whom it is for.
    init(_ list: [Grant], _ table: LimitTable) {
        for grant in list {
            let id = Array(grant.professional.utf8)
            grants[table.professional(id.span), default: []].append(grant)
        }
    }

    var isEmpty: Bool { grants.isEmpty }

    /// The sum of what somebody is granted at a moment.
    func extras(of who: ProfessionalKey, at now: LimitTime) -> LimitExtras {
        guard let own = grants[who], let professional = own.first?.professional else {
            return .none
        }
        return own.extras(of: professional, at: now)
    }
}
