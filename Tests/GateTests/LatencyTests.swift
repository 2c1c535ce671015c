// LatencyTests.swift: times in buckets: near the truth, exact where it is promised, bounded.

import Testing

@testable import Gate

@Suite struct `Times of neutralizations` {
    @Test func `are in their bucket within one part in thirty-two`() {
        for exponent in 0..<32 {
            for offset in [0, 1, 7] as [UInt64] {
                let time = (1 << UInt64(exponent)) + offset
                var latencies = Latencies()
                latencies.note(microseconds: time)
                // A longer one, so that the longest does not hide the bucket's end.
                latencies.note(microseconds: .max)
                let shown = latencies.quantile(0.5)
                #expect(shown >= time && shown - time <= time / 32, "\(time) is shown as \(shown)")
            }
        }
    }

    @Test func `fall into buckets in order, none beyond the last`() {
        var last = -1
        for time in (0..<4096).map(UInt64.init) + (12..<64).map({ 1 << UInt64($0) }) {
            let bucket = Latencies.bucket(of: time)
            #expect(bucket >= last && bucket <= last + 32)
            last = bucket
        }
        #expect(last < (32 - 5 + 1) << 5)
        var latencies = Latencies()
        latencies.note(microseconds: .max)
        #expect(latencies.count == 1 && latencies.longest == .max)
    }

    @Test func `are counted exactly below powers of two`() {
        var latencies = Latencies()
        for time in [0, 255, 256, 511, 512, 4_194_303, 4_194_304] as [UInt64] {
            latencies.note(microseconds: time)
        }
        #expect(latencies.count(below: 8) == 2)
        #expect(latencies.count(below: 9) == 4)
        #expect(latencies.count(below: 10) == 5)
        #expect(latencies.count(below: 22) == 6)
        #expect(latencies.count(below: 64) == 7)
        #expect(latencies.sum == 255 + 256 + 511 + 512 + 4_194_303 + 4_194_304)
    }

    @Test func `have percentiles, and never more than the longest`() {
        var latencies = Latencies()
        #expect(latencies.quantile(0.99) == 0)
        for time in 1...1000 as ClosedRange<UInt64> { latencies.note(microseconds: time) }
        #expect((500...516).contains(latencies.quantile(0.5)))
        #expect((990...1000).contains(latencies.quantile(0.99)))
        #expect(latencies.quantile(1) == 1000)
        let report = LatencyReport(latencies)
        #expect(report.count == 1000 && report.maxMilliseconds == 1)
        #expect(report.below.count == LatencyReport.exponents.count)
        #expect(report.below.first == 255 && report.below.last == 1000)
    }
}
