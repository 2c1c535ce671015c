// RecordLog.swift: the record's one writer: takes lines from all workers, commits them together.
//
// A worker hands over what a batch of events produced and goes on; the answers of those
// exchanges leave when the writer says that their lines are on disk.

internal import CSystem
internal import Glibc
internal import Synchronization

/// When a line counts as recorded.
package enum Durability: Sendable, Equatable {
    /// On disk before any byte of the answer leaves.
    case beforeDelivery
    /// Committed every 100 ms; answers do not wait for it.
    case grouped
    /// Left to the system.
    case none
}

/// What became of a worker's lines up to a sequence number.
package struct RecordOutcome: Sendable, Equatable {
    package let through: UInt64
    package let isRecorded: Bool

    package init(through: UInt64, isRecorded: Bool) {
        self.through = through
        self.isRecorded = isRecorded
    }
}

/// The record of one gate: a thread, and one lane for each worker.
package final class RecordLog: Sendable {
    private struct Lane {
        var staged: [UInt8] = []
        var spare: [UInt8] = []
        var through: UInt64 = 0
        var outcomes: [RecordOutcome] = []
        var wake: (@Sendable () -> Void)?
    }

    private struct Health {
        var problem: RecordError?
        var failedCommits: UInt64 = 0
        var isStopped = false
    }

    private let lanes: [LaneBox]
    private let health = Mutex(Health())
    private let stopping = Atomic<Bool>(false)
    private let bell: Int32
    package let durability: Durability
    /// Whether only auditors can read what is written: patients may then be named.
    package let isSealed: Bool

    /// Bytes that may wait in one lane: past it lines are refused, and with them their answers.
    package static let laneBytesMax = 32 * 1024 * 1024
    /// Bytes after which the next segment begins.
    package static let segmentBytesMax: Int = 256 * 1024 * 1024
    private static let groupedNanoseconds: UInt64 = 100_000_000
    /// Bytes of one commit from which on many answers wait together, about a dozen.
    private static let crowdBytes = 4096
    /// Nanoseconds from one commit to the next while many wait: a commit costs the processor as
    /// much as three requests, whether it is for one line or for sixty.
    private static let crowdNanoseconds: UInt64 = 1_000_000

    /// A lane behind its own lock, so that workers never wait for one another.
    private final class LaneBox: Sendable {
        let lane = Mutex(Lane())
    }

    /// Makes the lanes of `workers` workers; `directory` is where the record is kept.
    package init(
        directory: String, durability: Durability, workers: Int, isSealed: Bool = false
    ) throws(RecordError) {
        self.durability = durability
        self.isSealed = isSealed
        lanes = (0..<workers).map { _ in LaneBox() }
        bell = eventfd(0, Int32(EFD_CLOEXEC))
        guard bell >= 0 else { throw .cannotOpen(path: directory, code: errno) }
    }

    deinit { close(bell) }

    /// Where a worker is told that outcomes wait for it.
    package func attach(worker: Int, wake: @escaping @Sendable () -> Void) {
        lanes[worker].lane.withLock { $0.wake = wake }
    }

    /// Hands over the lines of `writer`, the last of which has number `through`; false, and
    /// nothing taken, when the lane is full.
    package func submit(
        _ writer: borrowing LineWriter, through: UInt64, worker: Int
    ) -> Bool {
        let (accepted, ring) = lanes[worker].lane.withLock { lane -> (Bool, Bool) in
            let wasEmpty = lane.staged.isEmpty
            if wasEmpty, lane.staged.capacity == 0 { swap(&lane.staged, &lane.spare) }
            guard lane.staged.count + writer.count <= Self.laneBytesMax else {
                return (false, false)
            }
            writer.append(to: &lane.staged)
            lane.through = through
            return (true, wasEmpty)
        }
        if accepted { writer.removeAll() }
        if ring { wakeWriter() }
        return accepted
    }

    /// Takes the outcomes that wait for `worker`, in order.
    package func takeOutcomes(worker: Int, into outcomes: inout [RecordOutcome]) {
        lanes[worker].lane.withLock { lane in
            outcomes.append(contentsOf: lane.outcomes)
            lane.outcomes.removeAll(keepingCapacity: true)
        }
    }

    /// What is wrong with the record now, if anything, and how many commits failed so far.
    package var problem: RecordError? { health.withLock { $0.problem } }
    package var failedCommits: UInt64 { health.withLock { $0.failedCommits } }

    /// Asks the writer to commit what it has and end.
    package func stop() {
        stopping.store(true, ordering: .releasing)
        wakeWriter()
    }

    /// Whether the writer has ended.
    package var isStopped: Bool { health.withLock { $0.isStopped } }

    private func wakeWriter() {
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local.
        _ = unsafe Glibc.write(bell, &one, 8)
    }

    /// The writer's life; called once, on its own thread.
    package func run<Folder>(segment first: consuming SegmentChain<Folder>) {
        var segments = first
        var batches: [[UInt8]] = Array(repeating: [], count: lanes.count)
        // Whether many answers waited for the last commit, and when it ended.
        var crowd = false
        var committedAt: UInt64 = 0
        while true {
            var count: UInt64 = 0
            // Safe because eight bytes are read into a local.
            _ = unsafe Glibc.read(bell, &count, 8)
            let isLast = stopping.load(ordering: .acquiring)
            if durability == .grouped, !isLast { wait(Self.groupedNanoseconds) }
            if crowd, !isLast {
                let passed = herse_clock(CLOCK_MONOTONIC) - committedAt
                if passed < Self.crowdNanoseconds { wait(Self.crowdNanoseconds - passed) }
            }
            crowd = commit(&segments, &batches) >= Self.crowdBytes
            committedAt = herse_clock(CLOCK_MONOTONIC)
            if isLast { break }
        }
        segments.close()
        health.withLock { $0.isStopped = true }
    }

    private func wait(_ nanoseconds: UInt64) {
        // At most a tenth of a second: it fits the field.
        var request = timespec(tv_sec: 0, tv_nsec: Int(clamping: nanoseconds))
        // Safe because nanosleep reads a local and writes nothing.
        _ = unsafe nanosleep(&request, nil)
    }

    /// Commits what all lanes hold and returns how many bytes that was; `batches` is empty arrays,
    /// one a lane, before and after.
    @discardableResult
    func commit<Folder>(
        _ segments: inout SegmentChain<Folder>, _ batches: inout [[UInt8]]
    ) -> Int {
        var through = [UInt64](repeating: 0, count: lanes.count)
        for index in lanes.indices {
            lanes[index].lane.withLock { lane in
                swap(&batches[index], &lane.staged)
                through[index] = lane.through
            }
        }
        let total = batches.reduce(0) { $0 + $1.count }
        guard total > 0 else { return 0 }
        var problem: RecordError?
        do throws(RecordError) {
            try segments.commit(batches, durable: durability != .none)
        } catch {
            problem = error
        }
        health.withLock { health in
            health.problem = problem
            if problem != nil { health.failedCommits += 1 }
        }
        for index in lanes.indices where !batches[index].isEmpty {
            let outcome = RecordOutcome(through: through[index], isRecorded: problem == nil)
            batches[index].removeAll(keepingCapacity: true)
            let wake = lanes[index].lane.withLock { lane in
                lane.outcomes.append(outcome)
                if lane.spare.isEmpty { swap(&lane.spare, &batches[index]) }
                return lane.wake
            }
            wake?()
        }
        return total
    }
}
