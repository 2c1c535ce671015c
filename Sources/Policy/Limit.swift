// Limit.swift: ceilings: what is counted, over which window, for whom, and what reaching one does.

package import Identity

/// Ceilings that hold together for each professional.
package struct LimitSet: Sendable {
    package let name: String
    package let place: SourceLocation
    package let limits: [Limit]

    /// Which of its limits hold for somebody, the first limit's bit lowest.
    ///
    /// `titles` are those on the card; ask once for each connection, it compares texts.
    package func applying(titles: [String], structure: Span<UInt8>) -> UInt16 {
        var applying: UInt16 = 0
        for (index, limit) in limits.enumerated()
        where limit.applies(titles: titles, structure: structure) {
            applying |= 1 << UInt16(truncatingIfNeeded: index)
        }
        return applying
    }

    /// Limits of one set.
    package static let limitsMax = 16
}

/// One ceiling over one window.
package struct Limit: Sendable {
    /// What is counted.
    package enum Count: String, CaseIterable, Sendable {
        case requests
        /// Requests that can disclose identities, as many as they weigh.
        case lookups
        /// Distinct patients shown.
        case patients
        /// Patients shown, each time anew.
        case disclosures
        /// Answers that say nobody was found.
        case misses
    }

    /// What reaching the limit does.
    package enum Enforcement: String, CaseIterable, Sendable {
        case deny
        /// Counted and recorded, never refused.
        case shadow
        /// Passes only for who has shown the card lately, in a full handshake.
        case stepUp = "step-up"
    }

    /// Whose counts go together.
    package enum Owner: String, CaseIterable, Sendable {
        case professional
        /// All professionals of one structure; who names none has no such ceiling.
        case structure
    }

    package let count: Count
    /// What is allowed within the window, 1 to 10⁹.
    package let limit: Int
    /// Length of the window, 1 second to 400 days.
    package let per: Duration
    package let enforcement: Enforcement
    /// How long ago the card may have been shown; nil unless the enforcement is `stepUp`.
    package let cardAgeMax: Duration?
    /// How sure the proof must make for a step-up; all of one set ask for the same.
    package var stepUpLevel = AssuranceLevel.low
    package let each: Owner
    /// Titles it holds for, as folded by `foldedTitle`; it holds for all when there are none.
    package let roles: Set<String>
    /// Structures it holds for.
    package let structures: ByteSet
    package let place: SourceLocation

    /// Whether it holds for somebody with these titles, of this structure.
    package func applies(titles: [String], structure: Span<UInt8>) -> Bool {
        guard structures.isEmpty || structures.contains(structure) else { return false }
        return roles.isEmpty || titles.contains { roles.contains(foldedTitle($0)) }
    }

    /// `600 requests per 1m`, and for whom when not for every professional.
    package var description: String {
        var text = "\(limit) \(count.rawValue) per \(shown(per))"
        if each == .structure { text += " and structure" }
        if !roles.isEmpty { text += " for some roles" }
        if !structures.isEmpty { text += " for some structures" }
        return text
    }

    /// Whether both would keep one and the same count.
    func isTwin(of other: Limit) -> Bool {
        count == other.count && per == other.per && each == other.each && roles == other.roles
            && structures == other.structures
    }
}

/// A holder's title as titles are compared: without case, without blanks around it.
package func foldedTitle(_ title: String) -> String {
    var rest = title[...]
    while rest.first?.isWhitespace == true { rest.removeFirst() }
    while rest.last?.isWhitespace == true { rest.removeLast() }
    return rest.lowercased()
}
