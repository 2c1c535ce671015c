// FailingDisk.swift: segments in memory, whose n-th call fails, and which a crash may lose.

import Glibc
import Synchronization
import Transparency

@testable import Record

/// What was written, what is durable, and every rule that was broken.
final class FailingDisk: Sendable {
    struct Segment {
        /// What a reader sees.
        var cached: [UInt8] = []
        /// What a crash leaves at least.
        var durable: [UInt8] = []
        /// Whether its name is gone from the folder.
        var isRemoved = false
        var isOpen = true
        var syncFailed = false
    }

    struct State {
        var segments: [Segment] = []
        var calls = 0
        var failAt: ClosedRange<Int>?
        /// Whether what failed took effect all the same.
        var failedIsKept = false
        /// Bytes that find room in all; a write beyond fails as a full disk does.
        var room = Int.max
        var syncs = 0
        var broken: [String] = []
    }

    let state = Mutex(State())

    init(failAt: ClosedRange<Int>? = nil, kept: Bool = false) {
        state.withLock {
            $0.failAt = failAt
            $0.failedIsKept = kept
        }
    }

    var chain: SegmentChain<FailingFolder> { chain(segmentBytesMax: 1 << 20) }

    func chain(
        segmentBytesMax: Int, _ terms: RecordTerms = someTerms()
    ) -> SegmentChain<FailingFolder> {
        SegmentChain(
            folder: FailingFolder(disk: self), terms: terms, segmentBytesMax: segmentBytesMax,
            stride: 1024)
    }

    var calls: Int { state.withLock { $0.calls } }
    var syncs: Int { state.withLock { $0.syncs } }
    var broken: [String] { state.withLock { $0.broken } }
    var openCount: Int { state.withLock { $0.segments.count { $0.isOpen } } }
    var segmentCount: Int { state.withLock { $0.segments.count } }

    /// What a reader finds in all segments now, as lines, without heads and checkpoints.
    var lines: [String] {
        state.withLock { state in
            state.segments.filter { !$0.isRemoved }.flatMap { entryLines($0.cached) }
        }
    }

    /// What each segment may hold after a crash: of every page either what was durable or what
    /// was written since, as `pages` chooses.
    func crashed(_ pages: () -> Bool) -> [[UInt8]] {
        state.withLock { state in
            state.segments.map { segment in
                var bytes = segment.durable
                let size = max(segment.cached.count, segment.durable.count)
                for start in stride(from: 0, to: size, by: 64) where pages() {
                    let end = min(start + 64, segment.cached.count)
                    guard start < end else { continue }
                    // What lies between is there, and reads as zeros.
                    while bytes.count < end { bytes.append(0) }
                    bytes.replaceSubrange(start..<end, with: segment.cached[start..<end])
                }
                return bytes
            }
        }
    }
}

extension FailingDisk.State {
    /// Counts a call; true when it is to fail.
    mutating func call(_ index: Int, _ name: String) -> Bool {
        calls += 1
        if index < segments.count, !segments[index].isOpen { broken.append("\(name) when closed") }
        if index < segments.count, segments[index].syncFailed {
            broken.append("\(name) after a sync that failed")
        }
        return failAt?.contains(calls) ?? false
    }
}

struct FailingFolder: RecordFolder {
    let disk: FailingDisk

    func next() throws(RecordError) -> (number: Int, store: FailingStore) {
        let index = disk.state.withLock { state -> Int? in
            if state.call(.max, "next") { return nil }
            state.segments.append(FailingDisk.Segment())
            return state.segments.count - 1
        }
        guard let index else { throw .cannotOpen(path: "disk", code: EIO) }
        return (index + 1, FailingStore(disk: disk, index: index))
    }

    func remove(_ number: Int) {
        disk.state.withLock { $0.segments[number - 1].isRemoved = true }
    }

    func keep(checkpoint: String) {}
}

struct FailingStore: RecordStore {
    let disk: FailingDisk
    let index: Int

    func write(_ bytes: [UInt8], at offset: Int) throws(RecordError) {
        let code = disk.state.withLock { state -> Int32? in
            let fails = state.call(index, "write")
            var kept = bytes[...]
            // A failed write leaves a part of it behind.
            if fails, !state.failedIsKept { kept = bytes.prefix(bytes.count / 2) }
            let others =
                state.segments.reduce(0) { $0 + $1.cached.count }
                - state.segments[index].cached.count
            let isFull = others + offset + bytes.count > state.room
            if isFull { kept = bytes.prefix(max(0, state.room - others - offset)) }
            var cached = state.segments[index].cached
            if offset > cached.count { state.broken.append("a hole before \(offset)") }
            let end = min(cached.count, offset + kept.count)
            cached.replaceSubrange(min(offset, cached.count)..<max(end, offset), with: kept)
            state.segments[index].cached = cached
            return isFull ? ENOSPC : fails ? EIO : nil
        }
        if let code { throw .cannotWrite(code: code) }
    }

    func sync() throws(RecordError) {
        let fails = disk.state.withLock { state in
            let fails = state.call(index, "sync")
            state.syncs += 1
            if !fails || state.failedIsKept {
                state.segments[index].durable = state.segments[index].cached
            }
            if fails { state.segments[index].syncFailed = true }
            return fails
        }
        if fails { throw .cannotSync(code: EIO) }
    }

    func close(length: Int) -> Bool {
        disk.state.withLock { state in
            let fails = state.call(index, "close")
            state.segments[index].isOpen = false
            if fails, !state.failedIsKept { return false }
            let kept = Array(state.segments[index].cached.prefix(length))
            state.segments[index].cached = kept
            state.segments[index].durable = kept
            return !fails
        }
    }

    func abandon() {
        disk.state.withLock { $0.segments[index].isOpen = false }
    }
}

/// The lines of a segment that are not blank, whole or not.
func recordLines(_ bytes: [UInt8]) -> [String] {
    bytes.split(separator: 0x0A).map { String(decoding: $0, as: UTF8.self) }
}

/// The lines of a segment that are neither its head nor a checkpoint.
func entryLines(_ bytes: [UInt8]) -> [String] {
    recordLines(bytes).filter { line in
        !line.hasPrefix("\(SegmentHead.mark)") && !line.hasPrefix("\(CheckpointLine.mark)")
    }
}

/// A gate's key, the same in all tests, and nobody to seal to.
func someTerms() -> RecordTerms {
    guard let signer = NoteSigner(name: "herse.test", seed: Array(0..<32)) else {
        preconditionFailure("the library makes a key of any 32 bytes")
    }
    return RecordTerms(signer: signer, auditors: [])
}

/// When nothing is due.
let calm = CommitTime(milliseconds: 1_764_000_000_000)

/// When a checkpoint is.
let due = CommitTime(milliseconds: 1_764_000_000_000, isCheckpointDue: true)

/// An entry as wide as `width` bytes at least.
func entry(_ number: Int, width: Int = 0) -> String {
    "{\"n\":\(number),\"pad\":\"" + String(repeating: "x", count: max(0, width - 18)) + "\"}"
}

/// The batch of some entries.
func batch(_ entries: [String]) -> [UInt8] {
    Array(entries.map { $0 + "\n" }.joined().utf8)
}
