// JournalFaultTests.swift: every call to the disk fails, and the machine stops, at every point.
//
// The oracle is a set of worlds: what the journal may say. An order that was acknowledged is in
// all of them, one that was refused in none; one of which it is unknown doubles them. Whatever
// happens, a reopening must find one of them, order for order.

import Glibc
import Testing

@testable import Neutralization

private let monday = time("2026-11-16T12:00:00Z")
private let nextYear = time("2027-11-16T12:00:00Z")

/// What happens to one call.
private enum Fault: Hashable, CustomStringConvertible {
    /// An error, and nothing of the call took effect.
    case failedAndLost
    /// An error, though all of it took effect.
    case failedButKept
    /// An error, and so many of its bytes are there.
    case failedAfter(bytes: Int)
    /// The process is killed, or the machine stops, after so many of its bytes.
    case stoppedAfter(bytes: Int)

    var description: String {
        switch self {
        case .failedAndLost: "failed and lost"
        case .failedButKept: "failed but kept"
        case .failedAfter(let bytes): "failed after \(bytes) bytes"
        case .stoppedAfter(let bytes): "stopped after \(bytes) bytes"
        }
    }
}

/// What a crash makes of bytes that were written and not synced.
private enum Crash: CaseIterable {
    /// Only the process died: the kernel still has them.
    case ofTheProcess
    case losingAll
    /// The length of the file reached the disk, half of its new bytes did not and read as zero.
    case losingHalf
    /// What was written reached the disk by itself, and a later cut that was not synced did not.
    case losingCuts
}

/// A disk that follows a script of faults, by the number of the call.
private final class ScriptedDisk {
    var durable: [UInt8] = []
    var cached: [UInt8] = []
    private var staged: [UInt8] = []
    /// What the file would hold had nothing been cut off since the last sync, if anything was.
    private var uncut: [UInt8]?
    private(set) var calls = 0
    /// Bytes of each call so far, 0 for one that writes nothing.
    private(set) var sizes: [Int] = []
    var faults: [Int: Fault] = [:]
    private(set) var isStopped = false

    func crash(_ crash: Crash) {
        switch crash {
        case .ofTheProcess: break
        case .losingAll: cached = durable
        case .losingCuts: cached = uncut ?? cached
        case .losingHalf:
            let common = min(cached.count, durable.count)
            let kept = common + (cached.count - common) / 2
            for index in kept..<max(kept, cached.count) { cached[index] = 0 }
        }
        durable = cached
        uncut = nil
        staged = []
        isStopped = false
    }

    /// Takes the next call of `size` bytes; `effect` is told how many of them take effect.
    func call(
        _ name: String, size: Int = 0, _ effect: (_ bytes: Int) -> Void
    ) throws(SystemFailure) {
        guard !isStopped else { throw SystemFailure(name, "disk", errno: ESHUTDOWN) }
        calls += 1
        sizes.append(size)
        switch faults[calls] {
        case nil:
            effect(size)
            return
        case .failedAndLost: effect(-1)
        case .failedButKept: effect(size)
        case .failedAfter(let bytes): effect(bytes)
        case .stoppedAfter(let bytes):
            effect(bytes)
            isStopped = true
        }
        throw SystemFailure(name, "disk", errno: EIO)
    }

    func write(_ bytes: [UInt8], at offset: Int) throws(SystemFailure) {
        try call("write", size: bytes.count) { count in
            guard count > 0 else { return }
            func written(_ file: [UInt8]) -> [UInt8] {
                Array(file.prefix(offset) + bytes.prefix(count) + file.dropFirst(offset + count))
            }
            cached = written(cached)
            uncut = uncut.map(written)
        }
    }

    func sync() throws(SystemFailure) {
        try call("fdatasync") { count in
            guard count >= 0 else { return }
            durable = cached
            uncut = nil
        }
    }

    func truncate(to length: Int) throws(SystemFailure) {
        try call("ftruncate") { count in
            guard count >= 0 else { return }
            uncut = uncut ?? cached
            cached = Array(cached.prefix(length))
        }
    }

    func stage(_ bytes: [UInt8]) throws(SystemFailure) {
        try call("stage", size: bytes.count) { staged = Array(bytes.prefix(max(0, $0))) }
    }

    func adoptStaged() throws(SystemFailure) {
        try call("rename") { count in
            guard count >= 0 else { return }
            cached = staged
            durable = staged
            uncut = nil
        }
    }
}

private struct ScriptedFile: JournalFile {
    let disk: ScriptedDisk

    mutating func read() throws(SystemFailure) -> [UInt8] {
        try disk.call("read") { _ in }
        return disk.cached
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) throws(SystemFailure) {
        try disk.write(bytes, at: offset)
    }

    mutating func sync() throws(SystemFailure) { try disk.sync() }

    mutating func truncate(to length: Int) throws(SystemFailure) {
        try disk.truncate(to: length)
    }

    mutating func stage(_ bytes: [UInt8]) throws(SystemFailure) { try disk.stage(bytes) }
    mutating func adoptStaged() throws(SystemFailure) { try disk.adoptStaged() }
}

/// What a journal may say.
private struct World: Hashable {
    /// The last order about each subject, in the order they were given.
    private(set) var orders: [String] = []

    mutating func obey(_ commands: [Command]) {
        for command in commands {
            let subject = "\(command.subject)"
            orders.removeAll { $0.hasPrefix(subject + " ") }
            if command.verb != .settle { orders.append(shown(command)) }
        }
    }

    static func found(_ commands: [Command]) -> World {
        var world = World()
        world.orders = commands.map(shown)
        return world
    }

    private static func shown(_ command: Command) -> String {
        "\(command.subject) \(command.verb) \(command.reason) \(command.ticket ?? "-")"
    }

    private func shown(_ command: Command) -> String { Self.shown(command) }
}

/// Some orders at once, or that the journal is opened anew.
private enum Step {
    case order([Command])
    case reopen
}

/// A life of a journal: every way to write, twice, and the growth that makes it rewrite itself.
private func scriptedLife() throws -> [Step] {
    func order(
        _ verb: Command.Verb, _ id: String, _ reason: String = "vol de carte n°\n7",
        ticket: String? = nil
    ) throws -> Command {
        Command(verb, try Subject(id), at: monday, reason: reason, ticket: ticket, by: "root")
    }
    return try [
        .order([order(.neutralize(until: nil), "1", "stolen", ticket: "INC-42")]),
        .order([order(.neutralize(until: nextYear), "12")]),
        .order([
            order(.neutralize(until: nil), "network:2001:db8::/32", "scan"),
            order(.neutralize(until: nil), "structure:10B0152872", "closed"),
            order(.reinstate(over: 9), "1", "found again"),
        ]),
        .order([order(.neutralize(until: nil), "123", "x")]),
        .order([order(.reinstate(over: 77), "12", "was wrong")]),
        .order([order(.settle, "12", "list-changed")]),
        .reopen,
        // The slack of this life's journals is small: these make it rewrite itself.
        .order([order(.neutralize(until: nil), "123", "again")]),
        .order([order(.neutralize(until: nil), "123", "and again")]),
        .order([order(.neutralize(until: nil), "1", "lost once more")]),
        .order([order(.settle, "structure:10B0152872"), order(.settle, "1")]),
        .reopen,
        .order([order(.neutralize(until: nextYear), "1234", "last")]),
    ]
}

/// Lives through a script; after every crash the journal is opened anew and the script goes on.
private struct Life {
    let disk: ScriptedDisk
    let crash: Crash
    /// Lines beyond which it rewrites itself are few: growth happens within one life.
    static let slackLines: UInt64 = 0

    private(set) var worlds: Set<World> = [World()]
    private(set) var refused = 0

    init(_ disk: ScriptedDisk, _ crash: Crash) {
        self.disk = disk
        self.crash = crash
    }

    mutating func live(_ steps: [Step], _ comment: Comment) {
        var rest = steps[...]
        // Every round that does not end the life has met one of the faults.
        for _ in 0...disk.faults.count {
            if open(&rest, comment) { break }
            disk.crash(crash)
        }
        disk.crash(crash)
        disk.faults = [:]
        do {
            let journal = try Journal.open(
                ScriptedFile(disk: disk), now: monday, slackLines: Self.slackLines)
            #expect(worlds.contains(.found(journal.opening.commands)), comment)
        } catch { Issue.record("does not open: \(error.message(file: "j")); \(comment)") }
        #expect(rest.isEmpty, comment)
    }

    /// Opens the journal and goes on; whether the script's end was reached.
    private mutating func open(_ rest: inout ArraySlice<Step>, _ comment: Comment) -> Bool {
        while true {
            var journal: Journal<ScriptedFile>
            do {
                journal = try Journal.open(
                    ScriptedFile(disk: disk), now: monday, slackLines: Self.slackLines)
            } catch {
                // A disk that fails is no damage: nothing may tell the operator to cut the file.
                if case .damaged = error {
                    Issue.record("\(error.message(file: "j")); \(comment)")
                }
                return false
            }
            let found = World.found(journal.opening.commands)
            #expect(worlds.contains(found), comment)
            worlds = [found]
            var wantsReopening = false
            while !wantsReopening, let step = rest.first {
                rest.removeFirst()
                switch step {
                case .reopen: wantsReopening = true
                case .order(let commands): if !give(commands, to: &journal) { return false }
                }
            }
            if !wantsReopening { return true }
        }
    }

    /// Whether the journal can be used further.
    private mutating func give(
        _ commands: [Command], to journal: inout Journal<ScriptedFile>
    ) -> Bool {
        var obeyed = worlds
        obeyed = Set(
            obeyed.map { world in
                var world = world
                world.obey(commands)
                return world
            })
        do throws(JournalError) {
            try journal.append(commands)
            worlds = obeyed
            return true
        } catch {
            refused += 1
            if disk.isStopped {
                // Nobody was told anything.
                worlds.formUnion(obeyed)
                return false
            }
            switch error {
            case .notWritten: return true
            case .broken:
                worlds.formUnion(obeyed)
                return false
            default:
                Issue.record("\(error)")
                return false
            }
        }
    }
}

@Suite struct `A journal through every fault` {
    /// How many bytes each call of a life without faults writes.
    private func sizes(_ steps: [Step]) -> [Int] {
        let disk = ScriptedDisk()
        var life = Life(disk, .ofTheProcess)
        life.live(steps, "without a fault")
        return disk.sizes
    }

    @Test func `lives the scripted life in every way there is to write`() throws {
        let sizes = sizes(try scriptedLife())
        #expect(sizes.count > 25)
        #expect(sizes.contains(0))
        #expect(sizes.filter { $0 > 0 }.count > 10)
    }

    @Test(arguments: Crash.allCases)
    fileprivate func `has what it acknowledged, and nothing it refused`(crash: Crash) throws {
        let steps = try scriptedLife()
        var refused = 0
        for (index, size) in sizes(steps).enumerated() {
            var faults: [Fault] = [.failedAndLost, .failedButKept, .stoppedAfter(bytes: -1)]
            for bytes in 0...size {
                faults += [.failedAfter(bytes: bytes), .stoppedAfter(bytes: bytes)]
            }
            for fault in faults {
                let disk = ScriptedDisk()
                disk.faults = [index + 1: fault]
                var life = Life(disk, crash)
                life.live(steps, "call \(index + 1) \(fault), then a crash \(crash)")
                refused += life.refused
            }
        }
        #expect(refused > 1000)
    }

    @Test(arguments: Crash.allCases)
    fileprivate func `has it when a second call fails soon after`(crash: Crash) throws {
        let steps = try scriptedLife()
        let kinds: [Fault] = [
            .failedAndLost, .failedButKept, .failedAfter(bytes: 40), .stoppedAfter(bytes: 60),
        ]
        for index in 1...sizes(steps).count {
            for first in kinds {
                for second in kinds {
                    for distance in 1...3 {
                        let disk = ScriptedDisk()
                        disk.faults = [index: first, index + distance: second]
                        var life = Life(disk, crash)
                        life.live(
                            steps,
                            "call \(index) \(first), \(index + distance) \(second), then \(crash)")
                    }
                }
            }
        }
    }

    @Test func `has it on a disk that fails all the time`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let steps = try scriptedLife()
        for round in 0..<300 {
            let disk = ScriptedDisk()
            for call in 1...60 where random.next() % 6 == 0 {
                let bytes = Int(random.next() % 200)
                disk.faults[call] =
                    switch random.next() % 4 {
                    case 0: .failedAndLost
                    case 1: .failedButKept
                    case 2: .failedAfter(bytes: bytes)
                    default: .stoppedAfter(bytes: bytes)
                    }
            }
            var life = Life(disk, Crash.allCases[round % Crash.allCases.count])
            life.live(steps, "seed \(seed), round \(round)")
        }
    }

    @Test func `with a full disk takes an order though there is no room to rewrite it`() throws {
        let disk = ScriptedDisk()
        var journal = try Journal.open(ScriptedFile(disk: disk), now: monday, slackLines: 0)
        let order = Command(
            .neutralize(until: nil), try Subject("A"), at: monday, reason: "x", by: "root")
        for _ in 0..<5 { try journal.append(order) }
        // Now a copy would be made; the copy fails, the line beside it does not.
        disk.faults = [disk.calls + 1: .failedAndLost]
        try journal.append(order)
        disk.crash(.losingAll)
        let found = try Journal.open(ScriptedFile(disk: disk), now: monday).opening
        #expect(found.commands == [order])
        // Several at once are all or none: without room for the copy they are refused.
        disk.faults = [disk.calls + 2: .failedAfter(bytes: 7)]
        var again = try Journal.open(ScriptedFile(disk: disk), now: monday, slackLines: 1024)
        do {
            try again.append([order, order])
            Issue.record("kept")
        } catch {
            guard case .notWritten = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
