// BirthDates.swift: how many days the birth dates of a search span.

/// What the `birthdate` parameters of one search leave: repeated ones all hold, and of those with
/// commas any alternative does.
struct BirthDates: Sendable {
    /// Days that a search may span: one month.
    static let daysMax = 31

    /// Whether there is any.
    private(set) var isGiven = false
    /// First and last day, counted from 1 March of the year 0.
    private var low = Int.min
    private var high = Int.max
    /// Days of the alternatives of the narrowest parameter that has some.
    private var alternativeDays = Int.max

    /// Whether a month or less is left.
    var isNarrow: Bool {
        guard isGiven else { return false }
        if alternativeDays <= Self.daysMax { return true }
        guard low > Int.min, high < Int.max else { return false }
        return high - low < Self.daysMax
    }

    /// Takes a value of `birthdate`.
    mutating func add(_ value: Span<UInt8>) {
        isGiven = true
        var alternatives = Alternatives()
        var days = 0
        var last: Days?
        while let range = alternatives.next(value) {
            let span = Days(value.extracting(range))
            last = span
            let count = span.count
            days = days > Self.daysMax || count > Self.daysMax ? Int.max : days + count
        }
        guard alternatives.count == 1, let last else {
            alternativeDays = min(alternativeDays, days)
            return
        }
        low = max(low, last.low)
        high = min(high, last.high)
    }
}

/// The days that one date stands for, with its prefix.
private struct Days {
    var low = Int.min
    var high = Int.max

    /// Days between both ends; the most there is when one is open.
    var count: Int {
        guard low > Int.min, high < Int.max else { return Int.max }
        return max(high - low + 1, 0)
    }

    /// Reads `[eq|ge|gt|le|lt|…]YYYY[-MM[-DD[T…]]]`; what is no date narrows nothing.
    init(_ text: Span<UInt8>) {
        let text = text.extracting(withoutBlanks(text, 0..<text.count))
        let prefixLength = text.count > 1 && isSmallLetter(text[0]) ? 2 : 0
        guard let date = Date(text.extracting(prefixLength..<text.count)) else { return }
        guard prefixLength == 2 else {
            if date.isFull { (low, high) = (date.first, date.last) }
            return
        }
        switch (text[0], text[1]) {
        case (UInt8(ascii: "e"), UInt8(ascii: "q")):
            if date.isFull { (low, high) = (date.first, date.last) }
        case (UInt8(ascii: "g"), UInt8(ascii: "e")), (UInt8(ascii: "g"), UInt8(ascii: "t")),
            (UInt8(ascii: "s"), UInt8(ascii: "a")):
            low = date.first
        case (UInt8(ascii: "l"), UInt8(ascii: "e")), (UInt8(ascii: "l"), UInt8(ascii: "t")),
            (UInt8(ascii: "e"), UInt8(ascii: "b")):
            high = date.last
        // `ne` excludes, `ap` spans years.
        default: return
        }
    }
}

/// A date of FHIR: a year, a month or a day.
private struct Date {
    let first: Int
    let last: Int
    let isFull: Bool

    init?(_ text: Span<UInt8>) {
        guard let year = number(text, 0, 4) else { return nil }
        guard text.count > 4 else {
            (first, last, isFull) = (dayNumber(year, 1, 1), dayNumber(year, 12, 31), false)
            return
        }
        guard text[4] == UInt8(ascii: "-"), let month = number(text, 5, 2),
            (1...12).contains(month)
        else { return nil }
        guard text.count > 7 else {
            (first, last, isFull) = (dayNumber(year, month, 1), dayNumber(year, month, 31), false)
            return
        }
        guard text[7] == UInt8(ascii: "-"), let day = number(text, 8, 2), (1...31).contains(day)
        else { return nil }
        guard text.count == 10 || text[10] == UInt8(ascii: "T") else { return nil }
        first = dayNumber(year, month, day)
        last = first
        isFull = true
    }
}

/// Days since 1 March of the year 0 in the Gregorian calendar; a day too many is one of the next
/// month.
private func dayNumber(_ year: Int, _ month: Int, _ day: Int) -> Int {
    // Years that begin in March end in their leap day.
    let year = month > 2 ? year : year - 1
    let month = month > 2 ? month - 3 : month + 9
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day
}

private func number(_ text: Span<UInt8>, _ start: Int, _ length: Int) -> Int? {
    guard text.count >= start + length else { return nil }
    var value = 0
    for index in start..<(start + length) {
        let digit = text[index] &- UInt8(ascii: "0")
        guard digit < 10 else { return nil }
        value = value * 10 + Int(digit)
    }
    return value
}

private func isSmallLetter(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
}
