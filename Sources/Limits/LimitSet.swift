// LimitSet.swift: the ceilings of one set of limits, made ready for one table.

import KeyedHash

/// What is counted; the numbers are kept in the table and never change their meaning.
package enum CountKind: UInt8, Sendable, CaseIterable {
    case requests = 1
    case lookups = 2
    /// Distinct persons shown within the window, not how often they were.
    case patients = 3
    /// Persons shown, as often as they are.
    case disclosures = 4
    /// Lookups that found nobody, or were refused.
    case misses = 5
}

/// What reaching a ceiling does.
package enum LimitEnforcement: Hashable, Sendable {
    case deny
    /// Only says that it would have refused.
    case shadow
    /// Lets pass, and counts on, whoever has proven who he is within the last so many seconds.
    case stepUp(maxAgeSeconds: UInt32)
}

/// Whose count a window is.
package enum LimitHolder: UInt8, Sendable, CaseIterable {
    case professional = 0
    /// All professionals of a structure together; who has no structure has no such window.
    case structure = 1
}

/// One ceiling: at most `limit` within any `spanSeconds`.
package struct LimitWindow: Hashable, Sendable {
    package let count: CountKind
    /// The most that is let through within the span; 0 lets nothing through.
    package let limit: UInt32
    /// 1 second to 400 days.
    package let spanSeconds: UInt32
    /// A shadow window's count is what it would be if it did refuse, except that of patients,
    /// which is always of those who were really shown.
    package let enforcement: LimitEnforcement
    package let each: LimitHolder

    package init(
        count: CountKind, limit: UInt32, spanSeconds: UInt32,
        enforcement: LimitEnforcement = .deny, each: LimitHolder = .professional
    ) {
        self.count = count
        self.limit = limit
        self.spanSeconds = spanSeconds
        self.enforcement = enforcement
        self.each = each
    }

    /// 400 days, in seconds: a year and a month, which is as far as a configuration may go.
    package static let spanSecondsMax: UInt32 = 34_560_000
}

/// Why windows do not make a set.
package enum LimitSetError: Error, Equatable {
    case tooManyWindows(Int)
    case spanOutOfRange(window: Int)
}

extension LimitSetError {
    /// What is wrong, for a person; windows are counted from 1 there.
    package var message: String {
        switch self {
        case .tooManyWindows(let count):
            "\(count) windows, at most \(LimitSet.windowsMax) are allowed"
        case .spanOutOfRange(let window):
            "window \(window + 1): span is not from 1 second to 400 days"
        }
    }
}

/// A named set of windows, prepared by `LimitTable.prepare`; a window's ordinal is its place in it.
package struct LimitSet: Sendable {
    package let name: String
    package let windows: [LimitWindow]
    let prepared: [PreparedWindow]
    /// Tells the persons of one subject's scopes apart.
    let personsMark: UInt64
    /// Holders for whom persons are kept: those who have a window of patients.
    let keepsPersons: (professional: Bool, structure: Bool)

    package static let windowsMax = 16

    /// A count is kept under (who, set name, what is counted, span): changing `limit:` or
    /// `enforce:` keeps what was counted, changing `per:` starts a new count.
    ///
    /// Persons are kept under (who, scope) alone. Windows that count the same over the same span
    /// share one count: they can only differ in whom they apply to.
    init(
        name: String, scope: String, windows: [LimitWindow], key: SipKey
    ) throws(LimitSetError) {
        guard windows.count <= Self.windowsMax else { throw .tooManyWindows(windows.count) }
        for (ordinal, window) in windows.enumerated() {
            guard window.spanSeconds >= 1, window.spanSeconds <= LimitWindow.spanSecondsMax else {
                throw .spanOutOfRange(window: ordinal)
            }
        }
        self.name = name
        self.windows = windows
        prepared = windows.enumerated().map { ordinal, window in
            let first = windows[..<ordinal].firstIndex {
                $0.count == window.count && $0.spanSeconds == window.spanSeconds
                    && $0.each == window.each
            }
            return PreparedWindow(window, setName: name, countedBy: first ?? ordinal, key: key)
        }
        let patients = windows.filter { $0.count == .patients }
        keepsPersons = (
            patients.contains { $0.each == .professional },
            patients.contains { $0.each == .structure }
        )
        personsMark =
            scope.isEmpty ? 0 : sipHash128(Array(("scope " + scope).utf8).span, key: key).second
    }
}

/// A window as the hot path wants it.
struct PreparedWindow: Sendable {
    /// Tells the slots of one holder apart.
    let mark: UInt64
    /// The window whose slot counts for this one: itself, or an earlier one of the same count.
    let countedBy: Int
    let count: CountKind
    let limit: UInt64
    let spanSeconds: UInt32
    let bucketMilliseconds: UInt64
    /// Ages at which a person is within the window, in ticks.
    let spanTicks: UInt64
    let enforcement: LimitEnforcement
    let each: LimitHolder

    init(_ window: LimitWindow, setName: String, countedBy: Int, key: SipKey) {
        var bytes = Array(setName.utf8)
        bytes.append(0)
        bytes.append(window.count.rawValue)
        for shift in [0, 8, 16, 24] as [UInt32] {
            bytes.append(UInt8(truncatingIfNeeded: window.spanSeconds >> shift))
        }
        if window.each == .structure { bytes.append(window.each.rawValue) }
        mark = sipHash128(bytes.span, key: key).second
        self.countedBy = countedBy
        count = window.count
        limit = UInt64(window.limit)
        spanSeconds = window.spanSeconds
        bucketMilliseconds = Slot.bucketMilliseconds(spanSeconds: window.spanSeconds)
        spanTicks = PersonTime.ticks(spanSeconds: window.spanSeconds)
        enforcement = window.enforcement
        each = window.each
    }
}

/// Who is counted: a professional's or structure's identifier under the table's secret; make it
/// once a connection.
package struct ProfessionalKey: Hashable, Sendable {
    let high: UInt64
    let low: UInt64
}
