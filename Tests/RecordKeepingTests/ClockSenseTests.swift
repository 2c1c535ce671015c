// ClockSenseTests.swift: a clock that leaps ahead is believed a day later.

import Testing

@testable import RecordKeeping

@Suite struct `A clock` {
    private let day: UInt64 = 86_400_000
    private let now: UInt64 = 1_795_000_000_000

    @Test func `that goes on as it was is believed`() {
        var clock = ClockSense(lastKnown: now - 3_600_000, wall: now, monotonic: 500)
        for hour in 0..<50 as Range<UInt64> {
            let passed = hour * 3_600_000
            #expect(clock.look(wall: now + passed, monotonic: 500 + passed) == .plausible)
        }
        // Set back, it purges nothing that it would not have.
        #expect(clock.look(wall: now, monotonic: 500 + 51 * 3_600_000) == .plausible)
    }

    @Test func `that is a year ahead at a start is doubted for a day, and told of once`() {
        var clock = ClockSense(lastKnown: now, wall: now + 400 * day, monotonic: 0)
        #expect(
            clock.look(wall: now + 400 * day, monotonic: 0) == .leapt(days: 400, isNews: true))
        #expect(
            clock.look(wall: now + 400 * day + 1000, monotonic: 1000)
                == .leapt(days: 400, isNews: false))
        #expect(clock.look(wall: now + 401 * day, monotonic: day) == .plausible)
        #expect(clock.look(wall: now + 401 * day + 1, monotonic: day + 1) == .plausible)
    }

    @Test func `that leaps while the gate runs is doubted, and believed when it comes back`() {
        var clock = ClockSense(lastKnown: nil, wall: now, monotonic: 7)
        #expect(clock.look(wall: now, monotonic: 7) == .plausible)
        #expect(
            clock.look(wall: now + 30 * day, monotonic: 7 + 1000) == .leapt(days: 29, isNews: true))
        #expect(clock.look(wall: now + 2000, monotonic: 7 + 2000) == .plausible)
        #expect(
            clock.look(wall: now + 30 * day, monotonic: 7 + 3000) == .leapt(days: 29, isNews: true))
    }
}

@Suite struct `A disk that something else fills` {
    @Test func `is not relieved by all of the record`() {
        let ceiling = DiskCeiling(freeMin: 10 << 20)
        let use = DiskUse(bytes: 8 << 20, free: 4 << 20)
        #expect(!ceiling.isRelieved(use, without: 1 << 10))
        #expect(!ceiling.isRelieved(use, without: 6 << 20))
        #expect(ceiling.isRelieved(use, without: 7 << 20))
        let capped = DiskCeiling(bytesMax: 10 << 20, freeMin: 0)
        #expect(capped.isRelieved(DiskUse(bytes: 10 << 20, free: 0), without: 2 << 20))
        #expect(!capped.isRelieved(DiskUse(bytes: 10 << 20, free: 0), without: 1 << 20))
    }
}
