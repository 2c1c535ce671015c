// LimitSet.swift: the ceilings of one set of limits, made ready for one table.

import KeyedHash

/// What is counted; the numbers are kept in the table and never change their meaning.
package enum CountKind: UInt8, Sendable, CaseIterable {
    case requests = 1
}

/// One ceiling: at most `limit` within any `spanSeconds`.
package struct LimitWindow: Hashable, Sendable {
    package let count: CountKind
    /// The most that is let through within the span; 0 lets nothing through.
    package let limit: UInt32
    /// 1 second to 400 days.
    package let spanSeconds: UInt32
    /// Only says that it would have refused; its count is what it would be if it did refuse.
    package let isShadow: Bool

    package init(count: CountKind, limit: UInt32, spanSeconds: UInt32, isShadow: Bool = false) {
        self.count = count
        self.limit = limit
        self.spanSeconds = spanSeconds
        self.isShadow = isShadow
    }

    /// 400 days, in seconds: a year and a month, which is as far as a configuration may go.
    package static let spanSecondsMax: UInt32 = 34_560_000
}

/// Why windows do not make a set.
package enum LimitSetError: Error, Equatable {
    case tooManyWindows(Int)
    case spanOutOfRange(window: Int)
    /// Two windows count the same thing over the same span: only one can be meant.
    case sameWindow(first: Int, second: Int)
}

extension LimitSetError {
    /// What is wrong, for a person; windows are counted from 1 there.
    package var message: String {
        switch self {
        case .tooManyWindows(let count):
            "\(count) windows, at most \(LimitSet.windowsMax) are allowed"
        case .spanOutOfRange(let window):
            "window \(window + 1): span is not from 1 second to 400 days"
        case .sameWindow(let first, let second):
            "windows \(first + 1) and \(second + 1) count the same over the same span"
        }
    }
}

/// A named set of windows, prepared by `LimitTable.prepare`; a window's ordinal is its place in it.
package struct LimitSet: Sendable {
    package let name: String
    package let windows: [LimitWindow]
    let prepared: [PreparedWindow]

    package static let windowsMax = 16

    /// A professional's count is kept under (who, set name, what is counted, span): changing
    /// `limit:` or `enforce:` keeps what was counted, changing `per:` starts a new count.
    init(name: String, windows: [LimitWindow], key: SipKey) throws(LimitSetError) {
        guard windows.count <= Self.windowsMax else { throw .tooManyWindows(windows.count) }
        for (ordinal, window) in windows.enumerated() {
            guard window.spanSeconds >= 1, window.spanSeconds <= LimitWindow.spanSecondsMax else {
                throw .spanOutOfRange(window: ordinal)
            }
            let same = windows[..<ordinal].firstIndex {
                $0.count == window.count && $0.spanSeconds == window.spanSeconds
            }
            if let same { throw .sameWindow(first: same, second: ordinal) }
        }
        self.name = name
        self.windows = windows
        self.prepared = windows.map { PreparedWindow($0, setName: name, key: key) }
    }
}

/// A window as the hot path wants it.
struct PreparedWindow: Sendable {
    /// Tells the slots of one professional apart.
    let mark: UInt64
    let limit: UInt64
    let spanSeconds: UInt32
    let bucketMilliseconds: UInt64
    let isShadow: Bool

    init(_ window: LimitWindow, setName: String, key: SipKey) {
        var bytes = Array(setName.utf8)
        bytes.append(0)
        bytes.append(window.count.rawValue)
        for shift in [0, 8, 16, 24] as [UInt32] {
            bytes.append(UInt8(truncatingIfNeeded: window.spanSeconds >> shift))
        }
        mark = sipHash128(bytes.span, key: key).second
        limit = UInt64(window.limit)
        spanSeconds = window.spanSeconds
        bucketMilliseconds = Slot.bucketMilliseconds(spanSeconds: window.spanSeconds)
        isShadow = window.isShadow
    }
}

/// Who is counted: a professional's identifier under the table's secret; make it once a connection.
package struct ProfessionalKey: Hashable, Sendable {
    let high: UInt64
    let low: UInt64
}
