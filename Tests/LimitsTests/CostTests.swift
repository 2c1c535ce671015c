// CostTests.swift: what a charge costs; printed, not asserted.

import Testing

@testable import Limits

@Suite struct `The cost of a charge` {
    /// `swift test -c release --filter 'cost of a charge'` for the figures.
    @Test func `is printed for three windows`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable(slots: 1 << 16)
        let windows = [60, 3600, 86400].map {
            LimitWindow(count: .requests, limit: 1_000_000_000, spanSeconds: $0)
        }
        let set = try table.prepare(name: "standard", windows: windows)
        let clock = ContinuousClock()
        for professionals in [1, 1_000, 15_000] {
            let keys = (0..<professionals).map { table.who("8\(10_000_000_000 + $0)") }
            let charges = 30_000
            var allowed = 0
            var index = 0
            func charge(_ event: Int) {
                let now = LimitTime(milliseconds: 1_000_000_000 + UInt64(event / 100))
                if table.charge(keys[index], set, now: now).decision == .allowed { allowed += 1 }
                index = index + 1 < professionals ? index + 1 : 0
            }
            for event in 0..<professionals { charge(event) }
            let time = clock.measure { for event in 0..<charges { charge(event) } }
            #expect(allowed == charges + professionals)
            print("charge of 3 windows, \(professionals) professionals: \(time / charges)")
        }
    }
}
