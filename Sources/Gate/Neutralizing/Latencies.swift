// Latencies.swift: how long neutralizations took, all of them, in a few kilobytes.
//
// Log-linear buckets as HdrHistogram has them: 32 for each doubling, so that a percentile is
// within 1/32 of the truth; nothing is allocated to note a time, and nothing is ever forgotten.

/// Times since the gate began, in microseconds.
struct Latencies: Sendable {
    /// Buckets of one doubling, as a power of two.
    private static let fineness = 5
    /// Times from 2³² µs on, 71 minutes, count in the last bucket.
    private static let doublings = 32

    private(set) var count: UInt64 = 0
    private(set) var sum: UInt64 = 0
    private(set) var longest: UInt64 = 0
    private var buckets = [UInt64](
        repeating: 0, count: (doublings - fineness + 1) << fineness)

    mutating func note(microseconds: UInt64) {
        buckets[Self.bucket(of: microseconds)] &+= 1
        count &+= 1
        sum &+= microseconds
        longest = max(longest, microseconds)
    }

    /// The time within which `fraction` of all were done: the end of its bucket, and never more
    /// than the longest; 0 when there were none.
    func quantile(_ fraction: Double) -> UInt64 {
        let wanted = min(count, max(1, UInt64((fraction * Double(count)).rounded(.up))))
        var seen: UInt64 = 0
        for (index, one) in buckets.enumerated() where one > 0 {
            seen &+= one
            if seen >= wanted { return min(longest, Self.end(of: index) - 1) }
        }
        return longest
    }

    /// How many took less than 2^`exponent` µs; exact, since buckets end there.
    func count(below exponent: Int) -> UInt64 {
        guard exponent < Self.doublings else { return count }
        return buckets.prefix(Self.bucket(of: 1 << UInt64(exponent))).reduce(0, &+)
    }

    /// Where a time is counted: below 32 µs each has its own bucket.
    static func bucket(of microseconds: UInt64) -> Int {
        let fine = UInt64(1) << UInt64(fineness)
        guard microseconds >= fine else { return Int(microseconds) }
        let value = min(microseconds, (1 << UInt64(doublings)) - 1)
        let shift = UInt64(63 - value.leadingZeroBitCount - fineness)
        return Int((shift << UInt64(fineness)) + (value >> shift))
    }

    /// The first time beyond a bucket.
    private static func end(of bucket: Int) -> UInt64 {
        let shift = max(0, (bucket >> fineness) - 1)
        let within = UInt64(bucket - (shift << fineness))
        return (within + 1) << UInt64(shift)
    }
}

/// How long neutralizations took, as `herse status` shows it.
package struct LatencyReport: Codable, Sendable, Equatable {
    package var count: UInt64 = 0
    package var p50Milliseconds: Double = 0
    package var p99Milliseconds: Double = 0
    package var maxMilliseconds: Double = 0
    package var sumMilliseconds: Double = 0
    /// How many took less than 2⁸ µs, 2⁹ µs and so on, up to 2²² µs (4 s).
    package var below: [UInt64] = []

    /// Exponents of the bounds of `below`.
    package static let exponents = 8...22

    package init() {}

    init(_ latencies: Latencies) {
        func milliseconds(_ microseconds: UInt64) -> Double { Double(microseconds) / 1000 }
        count = latencies.count
        p50Milliseconds = milliseconds(latencies.quantile(0.5))
        p99Milliseconds = milliseconds(latencies.quantile(0.99))
        maxMilliseconds = milliseconds(latencies.longest)
        sumMilliseconds = milliseconds(latencies.sum)
        below = Self.exponents.map { latencies.count(below: $0) }
    }
}

/// Neutralizations since the gate began, from an order's arrival to its last cut in every worker.
package struct NeutralizationTimes: Codable, Sendable, Equatable {
    /// With the disk.
    package var whole = LatencyReport()
    /// Without it: what the gate itself took.
    package var inside = LatencyReport()

    package init() {}

    init(whole: Latencies, inside: Latencies) {
        self.whole = LatencyReport(whole)
        self.inside = LatencyReport(inside)
    }
}
