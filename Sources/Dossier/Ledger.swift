// Ledger.swift: names given numbers, and how often each was met, within bounds.

/// Names that come back, each kept once under a small number.
struct NameTable {
    private(set) var names: [String] = []
    private var numbers: [String: Int32] = [:]

    mutating func number(_ name: String) -> Int32 {
        if let number = numbers[name] { return number }
        let number = Int32(clamping: names.count)
        names.append(name)
        numbers[name] = number
        return number
    }

    func name(_ number: Int32) -> String { names[Int(number)] }
}

/// How often something was met, and when first and last, in milliseconds since 1970.
struct Frequency {
    var count = 0
    /// Identities shown on these occasions.
    var shown = 0
    var first = UInt64.max
    var last: UInt64 = 0

    mutating func note(_ time: UInt64, shown: Int = 0) {
        count += 1
        self.shown += shown
        first = min(first, time)
        last = max(last, time)
    }
}

/// Values of one kind with how often each was met.
struct Ledger {
    private(set) var entries: [String: Frequency] = [:]
    /// Occasions that were not kept apart any more, since there were too many values.
    private(set) var beyond = 0

    /// Values that are kept apart: tokens of a slow attack on ten accounts, each living minutes,
    /// for half a year.
    static let valuesMax = 50_000

    mutating func note(_ value: String, _ time: UInt64, shown: Int = 0) {
        guard !value.isEmpty else { return }
        if entries[value] == nil, entries.count >= Self.valuesMax {
            beyond += 1
            return
        }
        entries[value, default: Frequency()].note(time, shown: shown)
    }

    /// The most frequent first; those as frequent by their name.
    var ranked: [(value: String, met: Frequency)] {
        entries.map { ($0.key, $0.value) }.sorted {
            $0.1.count != $1.1.count ? $0.1.count > $1.1.count : $0.0 < $1.0
        }
    }
}

/// Numbers of entries, as ranges.
struct EntryRanges {
    private(set) var ranges: [ClosedRange<UInt64>] = []
    private(set) var count = 0
    /// Whether there are more ranges than are kept; the list of accesses has every number.
    private(set) var isCut = false

    static let rangesMax = 20_000

    /// Takes the next number; they come in the order of the record.
    mutating func note(_ number: UInt64) {
        count += 1
        if let last = ranges.last, number == last.upperBound + 1 {
            ranges[ranges.count - 1] = last.lowerBound...number
        } else if ranges.count < Self.rangesMax {
            ranges.append(number...number)
        } else {
            isCut = true
        }
    }

    /// `12`, `15–20`.
    static func shown(_ range: ClosedRange<UInt64>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound)–\(range.upperBound)"
    }
}
