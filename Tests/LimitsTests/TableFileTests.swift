// TableFileTests.swift: the table over restarts, crashes, and every file that is not a table.

import Foundation
import Testing

@testable import Limits

private let start: UInt64 = 1_000_000_000

private let window = LimitWindow(count: .requests, limit: 5, spanSeconds: 60)

@Suite struct `A table file` {
    @Test func `keeps counts over a restart, and a table that is there keeps its size`() throws {
        let scratch = try Scratch()
        do {
            let table = try scratch.openTable(slots: 2048)
            let set = try table.prepare(name: "standard", windows: [window])
            for _ in 0..<4 {
                _ = table.charge(table.who("A"), set, now: LimitTime(milliseconds: start))
            }
        }
        let table = try scratch.openTable(slots: 4096, up: 3_000, wall: 0)
        #expect(table.slots == 2048)
        #expect(table.clock.time(sinceBootMilliseconds: 3_000).milliseconds == start + 2_000)
        let set = try table.prepare(name: "standard", windows: [window])
        let now = LimitTime(milliseconds: start + 2_000)
        #expect(table.usage(table.who("A"), set, now: now)[0].used == 4)
    }

    @Test func `keeps counts when the process is killed`() async throws {
        let scratch = try Scratch()
        let path = scratch.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let reading = ClockReading(
                boot: BootID(high: 0, low: 1), sinceBootMilliseconds: 1_000,
                wallMilliseconds: 1_000_000_000)
            let table = try LimitTable.open(stateFolder: path, slots: 1024, reading: reading)
            let window = LimitWindow(count: .requests, limit: 5, spanSeconds: 60)
            let set = try table.prepare(name: "standard", windows: [window])
            for _ in 0..<5 {
                let now = LimitTime(milliseconds: 1_000_007_000)
                _ = table.charge(table.who("A"), set, now: now)
            }
            kill(getpid(), SIGKILL)
        }
        // After a boot with a clock that has lost the date, too.
        let table = try scratch.openTable(boot: 2, up: 10, wall: 0)
        let now = table.clock.time(sinceBootMilliseconds: 10)
        #expect(now.milliseconds == start + 7_000)
        let set = try table.prepare(name: "standard", windows: [window])
        #expect(table.charge(table.who("A"), set, now: now).decision != .allowed)
    }

    @Test func `takes back slots that a killed run had claimed`() throws {
        let scratch = try Scratch()
        _ = try scratch.openTable(slots: 1024)
        let file = try FileHandle(forUpdating: scratch.url("limits.table"))
        for number in 0..<1024 {
            try file.seek(toOffset: UInt64(4096 + number * 128 + 24))
            // Claimed by run 1, the one above.
            try file.write(contentsOf: Data([2, 1, 0, 0]))
        }
        let table = try scratch.openTable(slots: 1024)
        let set = try table.prepare(name: "standard", windows: [window])
        let now = LimitTime(milliseconds: start)
        for number in 0..<400 {
            #expect(table.charge(table.who("\(number)"), set, now: now).decision == .allowed)
        }
        for number in 0..<400 {
            #expect(table.usage(table.who("\(number)"), set, now: now)[0].used == 1)
        }
    }

    @Test func `survives slots full of anything`() throws {
        let scratch = try Scratch()
        _ = try scratch.openTable(slots: 1024)
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<20 {
            let file = try FileHandle(forUpdating: scratch.url("limits.table"))
            try file.seek(toOffset: 48)
            let bytes = (0..<(4096 - 48 + 1024 * 128)).map { _ in UInt8(random.next() & 0xFF) }
            try file.write(contentsOf: Data(bytes))
            let table = try scratch.openTable(slots: 1024)
            let set = try table.prepare(name: "standard", windows: [window])
            for number in 0..<200 {
                let now = LimitTime(milliseconds: random.next())
                _ = table.charge(table.who("\(number % 20)"), set, now: now)
                _ = table.usage(table.who("\(number)"), set, now: now)
            }
        }
    }

    @Test func `never shows an identifier`() throws {
        let scratch = try Scratch()
        do {
            let table = try scratch.openTable()
            let set = try table.prepare(name: "standard", windows: [window])
            let now = LimitTime(milliseconds: start)
            _ = table.charge(table.who("899700218896"), set, now: now)
        }
        let bytes = try Data(contentsOf: scratch.url("limits.table"))
        #expect(bytes.range(of: Data("99700218896".utf8)) == nil)
    }

    @Test func `belongs to one gate at a time`() throws {
        let scratch = try Scratch()
        let table = try scratch.openTable()
        #expect(throws: LimitTableError.inUse(path: scratch.path)) { try scratch.openTable() }
        _ = table.slots
    }

    @Test func `is readable by its owner only`() throws {
        let scratch = try Scratch()
        _ = try scratch.openTable()
        let path = scratch.path + "/limits.table"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
    }
}

@Suite struct `A file that is no table` {
    // (what is done to a good table, what is then said)
    @Test(arguments: [
        ("empty", "not a table of limits"), ("text", "not a table of limits"),
        ("version", "version 2, not 1"), ("check", "damaged header"), ("slots", "damaged header"),
        ("short", "bytes long instead of"), ("long", "bytes long instead of"),
        ("folder", "limits.table"),
    ])
    func `is refused with what is wrong and what to do`(damage: String, message: String) throws {
        let scratch = try Scratch()
        _ = try scratch.openTable()
        let url = scratch.url("limits.table")
        var bytes = try Data(contentsOf: url)
        switch damage {
        case "empty": bytes = Data()
        case "text": bytes = Data("account 899700218896\n".utf8) + bytes.dropFirst(21)
        case "version": bytes[8] = 2
        case "check": bytes[30] ^= 1
        case "slots": bytes[17] ^= 1
        case "short": bytes.removeLast()
        case "long": bytes.append(0)
        default: break
        }
        try FileManager.default.removeItem(at: url)
        if damage == "folder" {
            try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        } else {
            try bytes.write(to: url)
        }
        do {
            _ = try scratch.openTable()
            Issue.record("opened")
        } catch let error as LimitTableError {
            #expect(error.message.contains(message))
            #expect(!error.hint.isEmpty)
        }
    }

    @Test func `and a folder that is missing or too many slots are refused`() throws {
        let scratch = try Scratch()
        #expect(throws: LimitTableError.slotsOutOfRange(1)) { try scratch.openTable(slots: 1) }
        #expect(throws: LimitTableError.slotsOutOfRange(1 << 27)) {
            try scratch.openTable(slots: 1 << 27)
        }
        let missing = scratch.path + "/none"
        #expect(throws: LimitTableError.system(call: "open", path: missing, errno: ENOENT)) {
            try LimitTable.open(
                stateFolder: missing,
                reading: ClockReading(
                    boot: BootID(high: 0, low: 1), sinceBootMilliseconds: 1, wallMilliseconds: 1))
        }
    }

    @Test func `is not left behind when there is no room for it`() async throws {
        let scratch = try Scratch()
        let path = scratch.path
        await #expect(processExitsWith: .success) { [path = path as String] in
            // A limit on the size of files stands for a full disk; its signal is ignored.
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            guard unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0 else { exit(2) }
            let reading = ClockReading(
                boot: BootID(high: 0, low: 1), sinceBootMilliseconds: 1, wallMilliseconds: 1)
            do {
                _ = try LimitTable.open(stateFolder: path, slots: 1024, reading: reading)
                exit(3)
            } catch {
                guard case LimitTableError.noSpace = error else { exit(4) }
            }
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(left == ["limits.lock"])
    }
}
