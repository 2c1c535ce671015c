// LineLayout.swift: where the lines of a segment are, and when they were written.
//
// The place of every sixteenth line is kept, which takes two bits a line, and is read with those
// that follow it: one reading all the same. Times are kept of 256 lines together.

/// Where lines are.
struct LineLayout: Sendable {
    static let blockLines = 16
    static let groupLines = 256

    /// Where the first line of each block begins.
    private var places: [Int] = []
    /// The earliest and the latest time of each group's entries, in milliseconds since 1970; nil
    /// where there is none.
    private var times: [ClosedRange<UInt64>?] = []

    init() {}

    // MARK: Making it

    /// Notes line `line`, the next one, which begins at `place`; `time` is its entry's.
    mutating func append(_ line: Int, at place: Int, time: UInt64?) {
        if line % Self.blockLines == 0 { places.append(place) }
        if line % Self.groupLines == 0 { times.append(nil) }
        guard let time, let group = times.indices.last else { return }
        let known = times[group] ?? time...time
        times[group] = min(known.lowerBound, time)...max(known.upperBound, time)
    }

    /// Places and times in few bytes.
    var packed: (places: [UInt8], times: [UInt8]) {
        var packed: (places: [UInt8], times: [UInt8]) = ([], [])
        var before = 0
        for place in places {
            RecordIndex.append(UInt64(place - before), to: &packed.places)
            before = place
        }
        for span in times {
            // 0 says that there is none.
            RecordIndex.append(
                span.map { $0.upperBound - $0.lowerBound + 1 } ?? 0, to: &packed.times)
            if let span { RecordIndex.append(span.lowerBound, to: &packed.times) }
        }
        return packed
    }

    // MARK: Using it

    /// Nil when it is not that of so many lines in so many bytes.
    init?(places packed: Span<UInt8>, times packedTimes: Span<UInt8>, lines: Int, bytes: Int) {
        var at = 0
        var place: UInt64 = 0
        places.reserveCapacity(lines / Self.blockLines + 1)
        while at < packed.count {
            guard let distance = takeNumber(packed, &at), distance <= UInt64(bytes),
                places.isEmpty || distance > 0
            else { return nil }
            place += distance
            guard place < UInt64(bytes) else { return nil }
            places.append(Int(place))
        }
        at = 0
        while at < packedTimes.count {
            guard let length = takeNumber(packedTimes, &at) else { return nil }
            guard length > 0 else {
                times.append(nil)
                continue
            }
            guard let first = takeNumber(packedTimes, &at),
                case (let last, false) = first.addingReportingOverflow(length - 1)
            else { return nil }
            times.append(first...last)
        }
        guard places.count == (lines + Self.blockLines - 1) / Self.blockLines,
            times.count == (lines + Self.groupLines - 1) / Self.groupLines
        else { return nil }
    }

    var groups: Range<Int> { times.indices }

    /// Whether lines of a group may have been written from `since` on and before `until`.
    func mayBe(_ group: Int, since: UInt64, until: UInt64) -> Bool {
        times[group].map { $0.upperBound >= since && $0.lowerBound < until } ?? false
    }

    /// Where the lines of a block are, in a segment whose lines end at `end`.
    func range(ofBlock block: Int, end: Int) -> Range<Int> {
        places[block]..<(block + 1 < places.count ? places[block + 1] : end)
    }

    /// Where those of a group are.
    func range(ofGroup group: Int, end: Int) -> Range<Int> {
        let blocks = Self.groupLines / Self.blockLines
        let next = (group + 1) * blocks
        return places[group * blocks]..<(next < places.count ? places[next] : end)
    }
}
