// AssuranceLevel.swift: how sure one may be of who asks, in the words of eIDAS.

/// How sure a way of proving one's identity makes, Regulation (EU) 910/2014 article 8.
package enum AssuranceLevel: String, CaseIterable, Comparable, Sendable {
    case low
    case substantial
    case high

    package static func < (one: AssuranceLevel, other: AssuranceLevel) -> Bool {
        one.rank < other.rank
    }

    private var rank: Int {
        switch self {
        case .low: 0
        case .substantial: 1
        case .high: 2
        }
    }
}
