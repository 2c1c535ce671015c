// JournalTests.swift: what was acknowledged is there after every reopening, whatever fails.

import Foundation
import Testing

@testable import Neutralization

private let monday = time("2026-11-16T12:00:00Z")
private let nextYear = time("2027-11-16T12:00:00Z")

private func neutralize(_ id: String, until: UnixSeconds? = nil) throws -> Command {
    Command(
        .neutralize(until: until), try Subject(id), at: monday, reason: "stolen card: 50 % sûr\n",
        ticket: "INC-42", by: "uid 0")
}

private func reinstate(_ id: String, over: UInt64 = 7) throws -> Command {
    Command(.reinstate(over: over), try Subject(id), at: monday, reason: "", by: "root")
}

private func settle(_ id: String) throws -> Command {
    Command(.settle, try Subject(id), at: monday, reason: "list-changed", by: "herse")
}

/// A disk whose n-th call fails, and which may keep or lose what was written without a sync.
final class FailingDisk {
    /// What a crash now leaves at least.
    var durable: [UInt8] = []
    /// What a reader sees, and what a crash may leave at most.
    var cached: [UInt8] = []
    var staged: [UInt8] = []
    var calls = 0
    var failAt = Int.max
    /// Whether what failed took effect all the same.
    var failedIsKept = false

    /// What the disk holds after a crash, or after one that lost everything not synced.
    func crash(losingUnsynced: Bool) {
        if losingUnsynced { cached = durable } else { durable = cached }
        staged = []
        failAt = .max
    }

    fileprivate func call(_ name: String, _ effect: () -> Void) throws(SystemFailure) {
        calls += 1
        let fails = calls >= failAt && calls < failAt + 1
        if !fails || failedIsKept { effect() }
        if fails { throw SystemFailure(name, "disk", errno: EIO) }
    }
}

struct FailingFile: JournalFile {
    let disk: FailingDisk

    mutating func read() throws(SystemFailure) -> [UInt8] {
        try disk.call("read") {}
        return disk.cached
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) throws(SystemFailure) {
        // A failed write leaves a part of it behind.
        let whole = disk.cached.prefix(offset) + bytes
        disk.cached = Array(whole.prefix(offset + bytes.count / 2))
        try disk.call("write") { disk.cached = Array(whole) }
    }

    mutating func sync() throws(SystemFailure) {
        try disk.call("fdatasync") { disk.durable = disk.cached }
    }

    mutating func truncate(to length: Int) throws(SystemFailure) {
        try disk.call("ftruncate") { disk.cached = Array(disk.cached.prefix(length)) }
    }

    mutating func stage(_ bytes: [UInt8]) throws(SystemFailure) {
        try disk.call("stage") { disk.staged = bytes }
    }

    mutating func adoptStaged() throws(SystemFailure) {
        try disk.call("rename") {
            disk.cached = disk.staged
            disk.durable = disk.staged
        }
    }
}

private func open(_ disk: FailingDisk) throws(JournalError) -> Journal<FailingFile> {
    try Journal.open(FailingFile(disk: disk), now: monday)
}

/// What a reopening finds.
private func opening(_ disk: FailingDisk) throws(JournalError) -> JournalOpening {
    let journal = try open(disk)
    return journal.opening
}

@Suite struct `A journal` {
    @Test func `gives back the last order about each subject`() throws {
        let disk = FailingDisk()
        var journal = try open(disk)
        let isEmpty = journal.opening.commands.isEmpty
        #expect(isEmpty)
        let orders = try [
            neutralize("A"), neutralize("B", until: nextYear), reinstate("C"),
            neutralize("certificate:sha256:" + String(repeating: "0a", count: 32)),
            neutralize("network:2001:db8::/32"), neutralize("structure:10B0152872"),
            neutralize("serial:00:11:20@Autorité  de l'an=1"), reinstate("A"), reinstate("D"),
            settle("D"),
        ]
        for order in orders { try journal.append(order) }
        let reopened = try opening(disk)
        #expect(reopened.commands == Array(orders[1...7]))
        #expect(reopened.tornBytes == 0)
    }

    @Test func `can be read by a person`() throws {
        let disk = FailingDisk()
        var journal = try open(disk)
        try journal.append(try neutralize("A", until: nextYear))
        let lines = String(decoding: disk.durable, as: UTF8.self).split(separator: "\n")
        #expect(lines[0] == "herse neutralization journal 1")
        #expect(
            lines[1].dropFirst(14)
                == "1 neutralize account:A at=2026-11-16T12:00:00Z until=2027-11-16T12:00:00Z "
                + "by=uid%200 reason=stolen%20card:%2050%20%25%20s%c3%bbr%0a ticket=INC-42")
    }

    @Test func `refuses texts that are too long, and keeps the longest`() throws {
        let disk = FailingDisk()
        var journal = try open(disk)
        let long = String(repeating: "é", count: 256)
        let subject = try Subject(
            "serial:" + String(repeating: "1f", count: 64) + "@"
                + String(repeating: "é", count: 127))
        let order = Command(
            .neutralize(until: nil), subject, at: monday, reason: long, ticket: long, by: long)
        try journal.append(order)
        #expect(disk.durable.count < journalLineMax + journalHeader.utf8.count)
        let longer = Command(
            .neutralize(until: nil), subject, at: monday, reason: long + "x", by: "root")
        do {
            try journal.append(longer)
            Issue.record("kept")
        } catch { #expect(error == .textTooLong) }
        #expect(try opening(disk).commands == [order])
        #expect(journalLine(order, number: .max).count <= journalLineMax)
    }

    @Test func `does not outgrow what it says`() throws {
        let disk = FailingDisk()
        var journal = try open(disk)
        for _ in 0..<5_000 {
            try journal.append(try neutralize("A"))
            try journal.append(try reinstate("A", over: 0))
        }
        #expect(disk.durable.count < 1_200 * 160)
        try journal.append(try neutralize("B"))
        #expect(try opening(disk).commands.map(\.subject.description).contains("account:B"))
    }

    @Test func `keeps many orders at once, all or none`() throws {
        let disk = FailingDisk()
        var journal = try open(disk)
        try journal.append(try neutralize("Z"))
        let orders = try (0..<500).map { try neutralize("\($0)") }
        try journal.append(orders)
        #expect(try opening(disk).commands.count == 501)
        #expect(disk.staged.isEmpty == false)
    }

    @Test func `forgets a neutralization only long after its end`() throws {
        let disk = FailingDisk()
        var journal = try open(disk)
        try journal.append(try neutralize("A", until: UnixSeconds(monday.value + 1)))
        try journal.append([try neutralize("B"), try neutralize("C")])
        #expect(try opening(disk).commands.count == 3)
        let later = UnixSeconds(monday.value + 31 * 86400)
        let late = Command(
            .neutralize(until: nil), try Subject("D"), at: later, reason: "", by: "")
        try journal.append([late, late])
        let left = try opening(disk).commands.map(\.subject.description)
        #expect(left == ["account:B", "account:C", "account:D"])
    }
}

@Suite struct `A journal on a failing disk` {
    /// One script of orders, in which the n-th call to the disk fails.
    ///
    /// What failed is kept or lost, and the machine then crashes, keeping or losing what was not
    /// synced. Whatever was acknowledged must be there.
    @Test(arguments: [false, true], [false, true])
    func `has what it acknowledged, and only what was asked`(
        failedIsKept: Bool, losingUnsynced: Bool
    ) throws {
        var failures = 0
        for failAt in 1..<60 {
            let disk = FailingDisk()
            disk.failAt = failAt
            disk.failedIsKept = failedIsKept
            var acknowledged: [String] = []
            var asked: Set<String> = []
            for run in 0..<3 {
                failures += try script(disk, run, &asked, &acknowledged)
                disk.crash(losingUnsynced: losingUnsynced)
            }
            let kept = try opening(disk).commands.map(\.subject.description)
            for id in acknowledged {
                #expect(kept.contains("account:" + id.uppercased()), "call \(failAt) failed")
            }
            #expect(Set(kept).isSubset(of: asked.map { "account:" + $0.uppercased() }))
        }
        #expect(failures > 10)
    }

    /// Opens the journal and gives it five orders; counts what failed.
    private func script(
        _ disk: FailingDisk, _ run: Int, _ asked: inout Set<String>,
        _ acknowledged: inout [String]
    ) throws -> Int {
        guard var journal = try? open(disk) else { return 1 }
        var failures = 0
        for number in 0..<4 {
            let ids = number == 2 ? ["\(run)x", "\(run)y"] : ["\(run)/\(number)"]
            asked.formUnion(ids)
            let error = failure(of: try ids.map { try neutralize($0) }, &journal)
            let isBroken = journal.isBroken
            switch error {
            case nil:
                acknowledged += ids
                #expect(!isBroken)
            case .notWritten:
                failures += 1
                #expect(!isBroken)
            case .broken:
                failures += 1
                #expect(isBroken)
            default:
                Issue.record("\(String(describing: error))")
            }
            if isBroken {
                // Nothing more is taken until it is reopened.
                #expect(failure(of: [try neutralize("more")], &journal) == error)
            }
        }
        return failures
    }

    private func failure(
        of commands: [Command], _ journal: inout Journal<FailingFile>
    ) -> JournalError? {
        do { try journal.append(commands) } catch { return error }
        return nil
    }
}

@Suite struct `A damaged journal` {
    private func written() throws -> (disk: FailingDisk, ends: [Int]) {
        let disk = FailingDisk()
        var journal = try open(disk)
        var ends = [disk.durable.count]
        for id in ["A", "B", "C"] {
            try journal.append(try neutralize(id))
            ends.append(disk.durable.count)
        }
        return (disk, ends)
    }

    @Test func `cut short anywhere in its last line keeps the others and says so`() throws {
        let (disk, ends) = try written()
        let whole = disk.durable
        for length in ends[2] + 1..<ends[3] - 1 {
            disk.cached = Array(whole.prefix(length))
            let found = try opening(disk)
            #expect(found.commands.map(\.subject.description) == ["account:A", "account:B"])
            #expect(found.tornBytes == length - ends[2])
            #expect(disk.durable == Array(whole.prefix(ends[2])))
        }
    }

    @Test func `without only its last line feed is whole, and goes on`() throws {
        let (disk, ends) = try written()
        disk.cached = Array(disk.durable.prefix(ends[3] - 1))
        var journal = try open(disk)
        let found = journal.opening.commands.count
        #expect(found == 3)
        try journal.append(try neutralize("D"))
        #expect(try opening(disk).commands.count == 4)
    }

    @Test func `whose last bytes never reached the disk is torn`() throws {
        let (disk, ends) = try written()
        for index in ends[2] + 20..<ends[3] { disk.cached[index] = 0 }
        #expect(try opening(disk).commands.count == 2)
    }

    @Test func `cut short in its header was never used`() throws {
        for length in 0..<journalHeader.utf8.count {
            let disk = FailingDisk()
            disk.cached = Array(journalHeader.utf8.prefix(length))
            #expect(try opening(disk).commands.isEmpty)
            #expect(disk.durable == Array(journalHeader.utf8))
        }
    }

    @Test func `with any bit of any whole line wrong is refused, or torn at its very end`() throws {
        let (disk, ends) = try written()
        let whole = disk.durable
        for index in 0..<whole.count {
            for bit in 0..<8 {
                disk.cached = whole
                disk.cached[index] ^= 1 << UInt8(bit)
                do {
                    let found = try opening(disk)
                    // Only the last line can pass for torn: without its line feed, or with a zero.
                    let isTorn = found.commands.count == 2 && index >= ends[2]
                    let isWhole = found.commands.count == 3 && index == whole.count - 1
                    #expect(isTorn || isWhole, "byte \(index), bit \(bit)")
                } catch {
                    guard case .damaged(let offset, _) = error else {
                        Issue.record("\(error)")
                        return
                    }
                    #expect(offset == ([0] + ends).last { $0 <= index })
                    #expect(error.message(file: "j").hasPrefix("j:\(offset): "))
                    #expect(!error.hint.isEmpty)
                }
            }
        }
    }

    @Test func `with a line missing, twice or out of order is refused`() throws {
        let (disk, ends) = try written()
        let whole = disk.durable
        let lines = (0..<3).map { Array(whole[ends[$0]..<ends[$0 + 1]]) }
        let header = Array(whole[..<ends[0]])
        for order in [[1, 2], [0, 2], [0, 0], [1, 0]] {
            disk.cached = header + order.flatMap { lines[$0] }
            do {
                _ = try open(disk)
                Issue.record("opened \(order)")
            } catch {
                guard case .damaged(_, .number) = error else {
                    Issue.record("\(error)")
                    return
                }
            }
        }
    }

    @Test(arguments: [
        "herse neutralization journal 2\n", "account 899700218896\n", "\n", "x",
    ])
    func `of another kind or version is refused`(text: String) {
        let disk = FailingDisk()
        disk.cached = Array(text.utf8)
        do {
            _ = try open(disk)
            Issue.record("opened")
        } catch { #expect(error == .damaged(offset: 0, fault: .header)) }
    }

    @Test func `survives any bytes after its header`() {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<5_000 {
            let disk = FailingDisk()
            let noise = (0..<random.next() % 60).map { _ in UInt8(random.next() & 0x7F) }
            disk.cached = Array(journalHeader.utf8) + noise
            if let found = try? opening(disk) { #expect(found.commands.isEmpty) }
        }
    }

    @Test(arguments: [
        "1 banish account:A at=2026-11-16T12:00:00Z by=x reason=y",
        "1 neutralize account:A at=2026-11-16T12:00:00Z by=x reason=y until=tomorrow",
        "1 neutralize account:A at=2026-11-16T12:00:00Z by=x reason=y colour=red",
        "1 neutralize account:A at=2026-11-16T12:00:00Z by=x reason=y reason=z",
        "1 neutralize sessions:A at=2026-11-16T12:00:00Z by=x reason=y",
        "1 neutralize account:A by=x reason=y", "1 neutralize account:A",
        "1 reinstate account:A at=2026-11-16T12:00:00Z by=x reason=y", "1  ",
        "1 settle account:A at=2026-11-16T12:00:00Z by=%4 reason=y",
        "1 settle account:A at=2026-11-16T12:00:00Z by=%ff reason=y",
    ])
    func `with a whole line it does not understand is refused`(content: String) {
        let length = String(content.utf8.count)
        let covered = String(repeating: "0", count: 4 - length.utf8.count) + length + " " + content
        let checksum = String(crc32c(Array(covered.utf8).span), radix: 16)
        let padded = String(repeating: "0", count: 8 - checksum.utf8.count) + checksum
        let line = Array("\(padded) \(covered)".utf8)
        #expect(throws: JournalLineFault.content) { try readJournalLine(line.span, number: 1) }
    }
}

@Suite struct `A journal on a real disk` {
    @Test func `is kept, locked, private and compacted`() throws {
        let folder = try Scratch()
        do {
            var journal = try Journal.open(stateFolder: folder.path, now: monday)
            try journal.append(try neutralize("A"))
            do {
                _ = try Journal.open(stateFolder: folder.path, now: monday)
                Issue.record("opened twice")
            } catch {
                guard case .inUse = error else {
                    Issue.record("\(error)")
                    return
                }
            }
            try journal.append([try neutralize("B"), try neutralize("C")])
            try journal.append(try reinstate("A"))
        }
        let path = folder.path + "/neutralization.journal"
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let torn = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try torn.seekToEnd()
        try torn.write(contentsOf: Data("0123".utf8))
        try torn.close()
        var journal = try Journal.open(stateFolder: folder.path, now: monday)
        let found = journal.opening
        #expect(found.tornBytes == 4)
        let named = found.commands.map(\.subject.description)
        #expect(named == ["account:B", "account:C", "account:A"])
        try journal.append(try neutralize("D"))
        let left = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(left == ["neutralization.journal", "neutralization.lock"])
    }

    @Test func `in a folder that is missing or closed is one clear error`() {
        do {
            _ = try Journal.open(stateFolder: "/nonexistent", now: monday)
            Issue.record("opened")
        } catch {
            #expect(error.message(file: "j").hasPrefix("/nonexistent: open: No such file"))
        }
    }
}
