// LimitClockTests.swift: the limit clock over steps of the wall clock, reboots and crashes.

import Testing

@testable import Limits

private let boot = BootID(high: 1, low: 1)
private let otherBoot = BootID(high: 2, low: 2)

private func reading(_ boot: BootID, up: UInt64, wall: UInt64) -> ClockReading {
    ClockReading(boot: boot, sinceBootMilliseconds: up, wallMilliseconds: wall)
}

@Suite struct `The limit clock` {
    @Test func `starts at the wall clock`() {
        let clock = LimitClock(nil, reading: reading(boot, up: 5_000, wall: 1_000_000))
        #expect(clock.time(sinceBootMilliseconds: 5_000).milliseconds == 1_000_000)
        #expect(clock.time(sinceBootMilliseconds: 6_500).milliseconds == 1_001_500)
    }

    @Test func `starts without a wall clock`() {
        let clock = LimitClock(nil, reading: reading(boot, up: 5_000, wall: 0))
        #expect(clock.time(sinceBootMilliseconds: 5_000).milliseconds == 5_000)
    }

    // What the wall clock shows at a restart within one boot never counts.
    @Test(arguments: [0, 1_000, 1_010_000, 4_000_000_000_000] as [UInt64])
    func `goes on within a boot whatever the wall clock shows`(wall: UInt64) {
        var memory = LimitClock(nil, reading: reading(boot, up: 5_000, wall: 1_000_000)).memory
        memory.mark = 1_009_000
        let clock = LimitClock(memory, reading: reading(boot, up: 15_000, wall: wall))
        #expect(clock.time(sinceBootMilliseconds: 15_000).milliseconds == 1_010_000)
    }

    // (wall clock after the boot, limit time then); the mark stands at 1,009,000.
    @Test(
        arguments: [
            (1_100_000, 1_100_000), (1_009_000, 1_009_000), (900_000, 1_009_000), (0, 1_009_000),
        ] as [(UInt64, UInt64)])
    func `goes on after a boot from the later of wall clock and mark`(wall: UInt64, time: UInt64) {
        let memory = ClockMemory(boot: boot, origin: 995_000, mark: 1_009_000)
        let clock = LimitClock(memory, reading: reading(otherBoot, up: 20_000, wall: wall))
        #expect(clock.time(sinceBootMilliseconds: 20_000).milliseconds == time)
        #expect(clock.time(sinceBootMilliseconds: 21_000).milliseconds == time + 1_000)
    }

    @Test func `does not go back when killed while it remembers a boot`() {
        let memory = ClockMemory(boot: BootID(high: 0, low: 0), origin: 3, mark: 1_009_000)
        let clock = LimitClock(memory, reading: reading(boot, up: 20_000, wall: 1_005_000))
        #expect(clock.time(sinceBootMilliseconds: 20_000).milliseconds == 1_009_000)
    }

    @Test func `survives any damage to what it remembers`() {
        let extremes: [UInt64] = [0, 1, 1 << 52, .max]
        for origin in extremes {
            for mark in extremes {
                for wall in extremes {
                    for up in extremes {
                        let memory = ClockMemory(boot: boot, origin: origin, mark: mark)
                        for now in [boot, otherBoot] {
                            let clock = LimitClock(
                                memory, reading: reading(now, up: up, wall: wall))
                            let first = clock.time(sinceBootMilliseconds: up)
                            let later = clock.time(sinceBootMilliseconds: .max)
                            #expect(first <= later)
                        }
                    }
                }
            }
        }
    }

    @Test func `never goes back over random restarts and boots`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        var memory: ClockMemory?
        var latest: UInt64 = 0
        var currentBoot: UInt64 = 1
        var up: UInt64 = 1_000
        for _ in 0..<2_000 {
            if random.next() % 5 == 0 {
                currentBoot += 1
                up = random.next() % 100_000
            }
            let wall = random.next() % 10_000_000_000
            let clock = LimitClock(
                memory, reading: reading(BootID(high: 0, low: currentBoot), up: up, wall: wall))
            for _ in 0..<3 {
                let time = clock.time(sinceBootMilliseconds: up).milliseconds
                #expect(time >= latest, "seed \(seed)")
                latest = time
                up += random.next() % 5_000
            }
            memory = clock.memory
            memory?.mark = latest
        }
    }
}

@Suite struct `The clocks of the machine` {
    @Test func `are read, and stand later than this was written`() throws {
        let first = try ClockReading.ofSystem()
        let second = try ClockReading.ofSystem()
        #expect(first.boot == second.boot)
        #expect(first.sinceBootMilliseconds <= second.sinceBootMilliseconds)
        #expect(first.sinceBootMilliseconds > 0)
        #expect(first.wallMilliseconds > 1_760_000_000_000)
    }

    @Test(arguments: [
        ("00000000-0000-0001-0000-00000000000a\n", BootID(high: 1, low: 10)), ("", nil),
        ("0000000000000001000000000000000", nil), ("x0000000-0000-0001-0000-00000000000a", nil),
        ("00000000-0000-0001-0000-00000000000ab", nil),
    ])
    func `name a boot in 32 digits`(text: String, boot: BootID?) {
        #expect(BootID(Array(text.utf8).span) == boot)
    }
}

/// A small seeded generator, so that a failing run can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
