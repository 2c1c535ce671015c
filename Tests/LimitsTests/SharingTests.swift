// SharingTests.swift: many threads at one table, a full table, and slots that change hands.

import Foundation
import Synchronization
import Testing

@testable import Limits

private let start: UInt64 = 1_000_000_000

@Suite struct `A table shared by threads` {
    @Test func `never admits more than the limit`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        let windows = [
            LimitWindow(count: .requests, limit: 1_000, spanSeconds: 60),
            LimitWindow(count: .requests, limit: 1_500, spanSeconds: 3600),
        ]
        let set = try table.prepare(name: "standard", windows: windows)
        let admitted = Atomic<Int>(0)
        // Four threads, more than the limit lets pass, time running across bucket borders.
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for event in 0..<2_000 {
                let now = LimitTime(milliseconds: start + UInt64(event * 20 + thread))
                if table.charge(table.who("A"), set, now: now).decision == .allowed {
                    admitted.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
        // 40 seconds pass in all, within every window.
        #expect(admitted.load(ordering: .relaxed) == 1_000)
        let end = LimitTime(milliseconds: start + 40_000)
        #expect(table.usage(table.who("A"), set, now: end).map(\.used) == [1_000, 1_000])
    }

    @Test func `loses no count while slots change hands`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable(slots: 1024)
        let window = LimitWindow(count: .requests, limit: 3, spanSeconds: 1)
        let set = try table.prepare(name: "standard", windows: [window])
        let tooMany = Atomic<Int>(0)
        let noRoom = Atomic<Int>(0)
        let judged = Atomic<Int>(0)
        let clock = Atomic<UInt64>(0)
        // Each thread has its professionals, and the table is far too small for all of them, so
        // that they take each other's slots all the time. One clock for all, as in the gate: a
        // thread that the system has set aside for longer than the window is not judged, since
        // its professional's counts were rightly over for the others.
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            for round in 0..<4_000 {
                let who = table.who("\(thread)/\(round)")
                let moment = clock.wrappingAdd(3, ordering: .relaxed).newValue
                let now = LimitTime(milliseconds: start + moment)
                let decisions = (0..<4).map { _ in table.charge(who, set, now: now).decision }
                if clock.load(ordering: .relaxed) - moment >= 1_000 { continue }
                judged.wrappingAdd(1, ordering: .relaxed)
                if decisions.contains(.noRoom) {
                    noRoom.wrappingAdd(1, ordering: .relaxed)
                } else if decisions.filter({ $0 == .allowed }).count != 3 {
                    tooMany.wrappingAdd(1, ordering: .relaxed)
                }
            }
        }
        #expect(judged.load(ordering: .relaxed) > 8_000)
        #expect(tooMany.load(ordering: .relaxed) == 0)
        #expect(noRoom.load(ordering: .relaxed) < 16_000 / 2)
    }
}

@Suite struct `A full table` {
    @Test func `has no room, charges nothing, and has room again when counts are over`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable(slots: 1024)
        let windows = [
            LimitWindow(count: .requests, limit: 3, spanSeconds: 10),
            LimitWindow(count: .requests, limit: 3, spanSeconds: 20),
        ]
        let set = try table.prepare(name: "standard", windows: windows)
        let now = LimitTime(milliseconds: start)
        let outcomes = (0..<2_000).map { table.charge(table.who("\($0)"), set, now: now).decision }
        let refused = outcomes.indices.filter { outcomes[$0] == .noRoom }
        #expect(refused.count >= 2_000 - 512)
        // Where slots lie depends on the table's own secret: a few come early by chance.
        #expect(refused.count { $0 < 400 } <= 8, "it fills evenly")
        for number in refused.prefix(50) {
            let used = table.usage(table.who("\(number)"), set, now: now).map(\.used)
            #expect(used == [0, 0])
        }
        let later = LimitTime(milliseconds: start + 21_000)
        for number in refused.prefix(300) {
            #expect(table.charge(table.who("\(number)"), set, now: later).decision == .allowed)
        }
    }
}
