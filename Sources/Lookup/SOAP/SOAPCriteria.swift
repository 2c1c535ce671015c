// SOAPCriteria.swift: how vaguely a PDQV3 query asks.
//
// Values of one criterion widen it, criteria narrow each other: a criterion is as good as its
// worst value, a query as its best criterion.

/// The criteria of one query.
struct SOAPCriteria {
    /// Days that a range of birth dates may have.
    static let rangeDaysMax = 31

    /// Whether there is any criterion that says something.
    var isAny = false
    private(set) var hasIdentifier = false
    private var hasDomain = false
    private var hasDate = false
    private var hasRange = false
    /// Letters of the longest family name; -1 when there is none.
    private var familyLength = -1

    // The criterion at hand.
    private var identifiers = 0
    private var domains = 0
    private var dates = 0
    private var ranges = 0
    private var low: Int?
    private var high: Int?
    private var hasBounds = false
    private var letters = 0
    private var familyMin = -1

    mutating func addIdentifier(_ element: borrowing XMLElement) {
        if element.hasValue("extension") {
            identifiers += 1
        } else if element.hasValue("root") {
            domains += 1
        }
    }

    /// A time, or an end of a range of times.
    mutating func addTime(_ element: borrowing XMLElement) {
        guard element.hasValue("value") else {
            // An end that is open, or a width, is no bound.
            if element.isNamed("low") || element.isNamed("high") || element.isNamed("width") {
                hasBounds = true
            }
            return
        }
        let day = element.withValue(of: "value") { dayNumber($0) }
        if element.isNamed("low") {
            hasBounds = true
            low = day
        } else if element.isNamed("high") {
            hasBounds = true
            high = day
        } else if element.isNamed("width") {
            hasBounds = true
        } else if day == nil {
            ranges += 1
        } else {
            dates += 1
        }
    }

    mutating func addFamily(_ bytes: Span<UInt8>) {
        for index in bytes.indices {
            let byte = bytes[index]
            // Letters, and first bytes of what ASCII has not; wildcards are none.
            let isLetter = (lowered(byte) >= 0x61 && lowered(byte) <= 0x7A) || byte >= 0xC0
            if isLetter, letters < 1000 { letters += 1 }
            if byte > 0x20 { isAny = true }
        }
    }

    mutating func endFamily() {
        familyMin = familyMin < 0 ? letters : min(familyMin, letters)
        letters = 0
    }

    /// Judges the criterion at hand by its worst value.
    mutating func endCriterion() {
        if domains > 0 {
            hasDomain = true
        } else if identifiers > 0 {
            hasIdentifier = true
        }
        if hasBounds {
            if let low, let high, high >= low, high - low <= Self.rangeDaysMax {
                dates += 1
            } else {
                ranges += 1
            }
        }
        if ranges > 0 {
            hasRange = true
        } else if dates > 0 {
            hasDate = true
        }
        if identifiers + domains + ranges + dates > 0 { isAny = true }
        familyLength = max(familyLength, familyMin)
        (identifiers, domains, dates, ranges, hasBounds) = (0, 0, 0, 0, false)
        (low, high, letters, familyMin) = (nil, nil, 0, -1)
    }

    /// Why the query is too vague, if it is.
    var vagueness: Vagueness? {
        guard isAny else { return .noCriterion }
        if hasIdentifier || hasDate { return nil }
        if hasRange { return .birthDateRange }
        if hasDomain { return .domainOnly }
        if familyLength >= 0, familyLength <= 2 { return .shortName }
        return .noIdentifierNorBirthDate
    }
}

/// The number of the day in `YYYYMMDD…`; nil when it is no full date.
private func dayNumber(_ time: Span<UInt8>) -> Int? {
    let range = withoutBlanks(time)
    guard range.count >= 8 else { return nil }
    var digits = 0
    for index in range.lowerBound..<(range.lowerBound + 8) {
        guard time[index] >= 0x30, time[index] <= 0x39 else { return nil }
        digits = digits * 10 + Int(time[index] - 0x30)
    }
    let (month, day) = (digits / 100 % 100, digits % 100)
    guard (1...12).contains(month), (1...31).contains(day) else { return nil }
    // Months count from March, so that the leap day is a year's last.
    let year = digits / 10000 - (month <= 2 ? 1 : 0)
    let shifted = month <= 2 ? month + 9 : month - 3
    return year * 365 + year / 4 - year / 100 + year / 400 + (shifted * 153 + 2) / 5 + day
}
