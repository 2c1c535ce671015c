// SlowAttackTests.swift: thieves who take their time, and practitioners who do their work.

import Testing

@testable import Limits

private let start: UInt64 = 1_000_000_000_000
private let dayLength: UInt64 = 86_400_000

private func at(day: Int, minute: Int) -> LimitTime {
    LimitTime(milliseconds: start + UInt64(day) * dayLength + UInt64(minute) * 60_000)
}

/// The windows of patients that a policy begins with.
private let windows = [
    patients(40, per: 3_600), patients(100, per: 86_400), patients(600, per: 30 * 86_400),
    patients(1_200, per: 90 * 86_400),
]

@Suite struct `The windows of 30 and 90 days` {
    let scratch: Scratch
    let table: LimitTable
    let set: LimitSet

    init() throws {
        scratch = try Scratch()
        table = try scratch.openTable(slots: 4096)
        set = try table.prepare(name: "standard", windows: windows)
    }

    /// Ten accounts, each 30 patients a day whom it never saw, for 180 days: 54,000 in all.
    @Test func `stop ten accounts that take thirty patients a day`() {
        var taken = 0
        var stoppedOn: [Int] = []
        for account in 0..<10 {
            let who = table.who("thief \(account)")
            var first: Int?
            for day in 0..<180 {
                for number in 0..<30 {
                    let person = mixed(UInt64(account * 10_000 + day * 30 + number))
                    let now = at(day: day, minute: 480 + number * 20)
                    guard table.show([person], to: who, set, now: now).decision == .allowed else {
                        // He leaves it for the day.
                        first = first ?? day
                        break
                    }
                    taken += 1
                }
            }
            stoppedOn.append(first ?? .max)
        }
        #expect(stoppedOn.allSatisfy { $0 == 20 }, "600 are reached after 20 days")
        #expect(taken <= 10 * 2 * 1_200, "twice 90 days' worth each")
    }

    /// 22 consultations a day on five days a week, 30 at most; 1,040 patients, each seen 5.3 times
    /// a year, some far more often than others; now and then somebody new.
    @Test func `never stop two hundred practitioners`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        var most = [UInt64](repeating: 0, count: windows.count)
        for practitioner in 0..<200 {
            let who = table.who("GP \(practitioner)")
            for day in 0..<180 where day % 7 < 5 {
                // 44 tosses of a coin: 22 ± 3.3.
                let consultations = (0..<44).reduce(into: 0) { sum, _ in
                    sum += Int(random.next() & 1)
                }
                var now = at(day: day, minute: 480)
                for half in 0..<2 {
                    now = at(day: day, minute: 480 + half * 300)
                    let answer = (0..<(min(consultations, 30) + half) / 2).map { _ in
                        patient(of: practitioner, &random)
                    }
                    let outcome = table.show(Array(Set(answer)), to: who, set, now: now)
                    #expect(outcome.decision == .allowed, "seed \(seed), day \(day)")
                }
                if day % 10 == 4 || day > 175 {
                    for usage in table.usage(who, set, now: now) {
                        most[usage.window] = max(most[usage.window], usage.used)
                    }
                }
            }
        }
        print("most patients of a practitioner per 1h, 1d, 30d, 90d: \(most)")
        // Half as much again is left, so that epidemics and several lookups of strangers pass.
        #expect(most[2] * 5 / 4 <= 600 && most[3] * 5 / 4 <= 1_200)
        #expect(most[3] > 600, "they do work")
    }

    /// A third of the patients make half of the consultations; one in fifty is new.
    private func patient(of practitioner: Int, _ random: inout SplitMix) -> UInt64 {
        let draw = random.next() % 100
        let base = UInt64(practitioner) << 32
        if draw < 2 { return mixed(base | 1 << 24 | random.next() % (1 << 24)) }
        let range: Range<UInt64> = draw < 51 ? 0..<347 : 347..<1_040
        return mixed(base | range.lowerBound + random.next() % UInt64(range.count))
    }
}
