// RecordLogTests.swift: lines of many workers, committed together, each told what became of it.

import Foundation
import Synchronization
import Testing

@testable import Record

private func writer(_ entries: [String]) -> LineWriter {
    let writer = LineWriter()
    for entry in entries { writer.raw(Array((entry + "\n").utf8)) }
    return writer
}

extension RecordLog {
    fileprivate func submit(_ entries: [String], through: UInt64, worker: Int) -> Bool {
        submit(writer(entries), through: through, worker: worker)
    }

    fileprivate func outcomes(_ worker: Int) -> [RecordOutcome] {
        var outcomes: [RecordOutcome] = []
        takeOutcomes(worker: worker, into: &outcomes)
        return outcomes
    }
}

@Suite struct `The record` {
    let log: RecordLog
    let disk = FailingDisk()

    init() throws {
        log = try RecordLog(directory: "disk", durability: .beforeDelivery, workers: 3)
    }

    @Test func `commits the lines of all workers with one sync`() {
        var chain = disk.chain
        var batches: [[UInt8]] = [[], [], [], []]
        #expect(log.submit([entry(1)], through: 1, worker: 0))
        #expect(log.submit([entry(2)], through: 1, worker: 2))
        #expect(log.submit([entry(3), entry(4)], through: 3, worker: 2))
        log.commit(&chain, &batches, at: calm)
        #expect(disk.syncs == 1)
        #expect(disk.lines == [entry(1), entry(2), entry(3), entry(4)])
        #expect(log.outcomes(0) == [RecordOutcome(through: 1, isRecorded: true)])
        #expect(log.outcomes(1) == [])
        #expect(log.outcomes(2) == [RecordOutcome(through: 3, isRecorded: true)])
        #expect(log.outcomes(2) == [])
        // Nothing new: nothing is written, nobody is told.
        log.commit(&chain, &batches, at: calm)
        #expect(disk.syncs == 1)
        #expect(log.outcomes(0) == [])
    }

    @Test func `refuses workers' lines while there is no room, and takes the gate's own`() {
        let writer = LineWriter()
        log.refuse("no room")
        #expect(log.isRefusing && log.refusalReason == "no room")
        writer.raw("{}\n")
        let isTaken = log.submit(writer, through: 1, worker: 0)
        let isOwnTaken = log.submit(writer, through: 1, worker: log.ownLane)
        #expect(!isTaken && isOwnTaken)
        log.allow()
        writer.raw("{}\n")
        let isTakenAgain = log.submit(writer, through: 1, worker: 0)
        #expect(isTakenAgain)
        #expect(!log.isRefusing && log.refusalReason == nil)
    }

    @Test func `says what failed, and only that`() {
        var chain = disk.chain
        var batches: [[UInt8]] = [[], [], [], []]
        #expect(log.submit([entry(1)], through: 1, worker: 0))
        log.commit(&chain, &batches, at: calm)
        let next = disk.calls + 2  // the write, then the sync
        disk.state.withLock { $0.failAt = next...next }
        #expect(log.submit([entry(2)], through: 2, worker: 0))
        #expect(log.submit([entry(3)], through: 1, worker: 1))
        log.commit(&chain, &batches, at: calm)
        #expect(log.problem == .cannotSync(code: 5))
        #expect(log.failedCommits == 1)
        #expect(log.submit([entry(4)], through: 3, worker: 0))
        log.commit(&chain, &batches, at: calm)
        #expect(log.problem == nil)
        #expect(log.failedCommits == 1)
        #expect(
            log.outcomes(0) == [
                RecordOutcome(through: 1, isRecorded: true),
                RecordOutcome(through: 2, isRecorded: false),
                RecordOutcome(through: 3, isRecorded: true),
            ])
        #expect(log.outcomes(1) == [RecordOutcome(through: 1, isRecorded: false)])
        #expect(disk.segmentCount == 2)
        #expect(disk.openCount == 1)
    }

    @Test func `tells once what fails, and when it is written again`() throws {
        let told = Mutex<[String]>([])
        let log = try RecordLog(directory: "disk", durability: .beforeDelivery, workers: 3) {
            line in told.withLock { $0.append(line) }
        }
        var chain = disk.chain
        var batches: [[UInt8]] = [[], [], [], []]
        func commit(_ number: Int) {
            #expect(log.submit([entry(number)], through: UInt64(number), worker: 0))
            log.commit(&chain, &batches, at: calm)
        }
        commit(1)
        #expect(told.withLock { $0 } == [])
        // The write and what ends the segment; then the next segment, twice.
        disk.state.withLock { $0.failAt = $0.calls + 1...$0.calls + 4 }
        for number in 2...4 { commit(number) }
        let failing = told.withLock { $0 }
        #expect(failing.count == 2)
        #expect(failing.first?.hasPrefix("the record cannot be written: ") == true)
        #expect(failing.last?.hasPrefix("the record `disk` cannot be opened: ") == true)
        disk.state.withLock { $0.failAt = nil }
        for number in 5...6 { commit(number) }
        #expect(
            told.withLock { $0.dropFirst(2) } == [
                "written again, in segment 2; failed commits before that: 3"
            ])
        // That the disk failed is remembered though all is well.
        #expect(log.problem == nil && log.recentTrouble == .cannotOpen(path: "disk", code: 5))
    }

    @Test func `does not call a full disk a broken one`() {
        var chain = disk.chain
        var batches: [[UInt8]] = [[], [], [], []]
        disk.state.withLock { $0.room = 100 }
        #expect(log.submit([entry(1)], through: 1, worker: 0))
        log.commit(&chain, &batches, at: calm)
        #expect(log.problem == .cannotWrite(code: 28) && log.recentTrouble == nil)
    }

    @Test func `refuses lines when a lane is full, and takes none of them`() {
        var chain = disk.chain
        var batches: [[UInt8]] = [[], [], [], []]
        let wide = entry(1, width: RecordLog.laneBytesMax / 2)
        #expect(log.submit([wide], through: 1, worker: 0))
        #expect(log.submit([entry(2, width: RecordLog.laneBytesMax / 4)], through: 2, worker: 0))
        let refused = writer([wide])
        let first = log.submit(refused, through: 3, worker: 0)
        #expect(!first)
        let left = refused.bytes.count
        #expect(left == wide.utf8.count + 1)
        // The lanes of others, and what still fits, are not touched by it.
        #expect(log.submit([entry(4)], through: 1, worker: 1))
        #expect(log.submit([entry(5)], through: 4, worker: 0))
        log.commit(&chain, &batches, at: calm)
        #expect(log.outcomes(0) == [RecordOutcome(through: 4, isRecorded: true)])
        #expect(disk.lines.count == 4)
        let second = log.submit(refused, through: 5, worker: 0)
        #expect(second)
        let isEmpty = refused.isEmpty
        #expect(isEmpty)
    }

    @Test func `is told to stop, commits what it has and closes`() throws {
        let scratch = try Scratch()
        let segment = try Segment.last(in: scratch.path, someTerms())
        #expect(log.submit([entry(1)], through: 1, worker: 1))
        log.stop()
        log.run(segment: segment)
        #expect(log.isStopped)
        #expect(entryLines(try scratch.read("000001.jsonl")) == [entry(1)])
        #expect(log.outcomes(1) == [RecordOutcome(through: 1, isRecorded: true)])
    }

    @Test(arguments: [Durability.beforeDelivery, .none])
    func `serves workers on their own threads, each line once and in their order`(
        durability: Durability
    ) throws {
        let workers = 4
        let turns = 200
        let log = try RecordLog(directory: "disk", durability: durability, workers: workers)
        let disk = FailingDisk()
        // One commit in the midst fails: its lines are said to be lost, and no others.
        disk.state.withLock { $0.failAt = 40...40 }
        let chain = disk.chain(segmentBytesMax: 4000)
        let ended = DispatchSemaphore(value: 0)
        Thread {
            log.run(segment: chain)
            ended.signal()
        }.start()
        let acknowledged = Mutex<[Int: [String]]>([:])
        for worker in 0..<workers {
            Thread {
                let bell = DispatchSemaphore(value: 0)
                log.attach(worker: worker) { bell.signal() }
                var recorded: [String] = []
                for turn in 1...turns {
                    let line = entry(worker * 10_000 + turn)
                    _ = log.submit([line], through: UInt64(turn), worker: worker)
                    var outcomes: [RecordOutcome] = []
                    while outcomes.isEmpty {
                        bell.wait()
                        log.takeOutcomes(worker: worker, into: &outcomes)
                    }
                    if outcomes == [RecordOutcome(through: UInt64(turn), isRecorded: true)] {
                        recorded.append(line)
                    }
                }
                acknowledged.withLock { $0[worker] = recorded }
                ended.signal()
            }.start()
        }
        for _ in 0..<workers { ended.wait() }
        log.stop()
        ended.wait()

        let lines = disk.lines
        #expect(Set(lines).count == lines.count)
        #expect(log.failedCommits == 1)
        for worker in 0..<workers {
            let recorded = acknowledged.withLock { $0[worker] ?? [] }
            #expect(recorded.count >= turns - 1)
            let kept = Set(recorded)
            #expect(lines.filter { kept.contains($0) } == recorded)
        }
        #expect(disk.broken == [])
        #expect(disk.openCount == 0)
    }
}
