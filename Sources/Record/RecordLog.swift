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
        /// What of that the writer has taken to commit.
        var taken: UInt64 = 0
        var outcomes: [RecordOutcome] = []
        var wake: (@Sendable () -> Void)?
    }

    private struct Health {
        var problem: RecordError?
        var failedCommits: UInt64 = 0
        /// Those since the last that did not fail.
        var failedInTurn: UInt64 = 0
        /// The newest failure that was not for want of room, and when, on the monotonic clock.
        var trouble: (error: RecordError, at: UInt64)?
        var isStopped = false
        /// What was missing at the record's end when the gate started.
        var loss: String?
    }

    private let lanes: [LaneBox]
    /// The lane after those of the workers: what the gate says of the record itself.
    package let ownLane: Int
    private let health = Mutex(Health())
    private let stopping = Atomic<Bool>(false)
    private let refuses = Atomic<Bool>(false)
    private let refusal = Mutex<String?>(nil)
    private let nextTerms = Mutex<RecordTerms?>(nil)
    private let progressNow = Mutex(RecordProgress())
    private let bell: Int32
    private let say: @Sendable (String) -> Void
    package let durability: Durability
    /// Whether only auditors can read what is written: patients may then be named.
    package let isSealed: Bool

    /// Bytes that may wait in one lane: past it lines are refused, and with them their answers.
    package static let laneBytesMax = 32 * 1024 * 1024
    /// Bytes after which the next segment begins.
    package static let segmentBytesMax: Int = 256 * 1024 * 1024
    private static let groupedNanoseconds: UInt64 = 100_000_000
    /// Lines of one commit from which on many answers wait together.
    private static let crowdLines: UInt64 = 5
    /// Nanoseconds at most from one commit to the next while many wait, and never more than the
    /// last commit took: a commit costs the processor as much as three requests, whether it is for
    /// one line or for sixty.
    private static let crowdNanoseconds: UInt64 = 1_000_000
    /// Nanoseconds for which a failed commit is told of though later ones succeed: a disk that
    /// failed once is worth a look, and whoever asks once in a few minutes must hear of it.
    private static let troubleNanoseconds: UInt64 = 3_600_000_000_000
    /// Nanoseconds between checkpoints while there is something to sign.
    private static let signingNanoseconds: UInt64 = 1_000_000_000

    /// A lane behind its own lock, so that workers never wait for one another.
    private final class LaneBox: Sendable {
        let lane = Mutex(Lane())
    }

    /// Makes the lanes of `workers` workers; `directory` is where the record is kept, and `say` is
    /// told for the operator what fails and what is done about it.
    package init(
        directory: String, durability: Durability, workers: Int, isSealed: Bool = false,
        say: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(RecordError) {
        self.say = say
        self.durability = durability
        self.isSealed = isSealed
        ownLane = workers
        lanes = (0...workers).map { _ in LaneBox() }
        bell = eventfd(0, Int32(EFD_CLOEXEC))
        guard bell >= 0 else { throw .cannotOpen(path: directory, code: errno) }
    }

    deinit { close(bell) }

    /// Where a worker is told that outcomes wait for it.
    package func attach(worker: Int, wake: @escaping @Sendable () -> Void) {
        lanes[worker].lane.withLock { $0.wake = wake }
    }

    /// Takes no lines from workers any more, and so no answer that discloses anything leaves.
    ///
    /// What the gate says of the record itself is still taken.
    package func refuse(_ reason: String) {
        refusal.withLock { $0 = reason }
        refuses.store(true, ordering: .releasing)
    }

    /// Takes lines from workers again.
    package func allow() {
        guard isRefusing else { return }
        refuses.store(false, ordering: .releasing)
        refusal.withLock { $0 = nil }
    }

    /// Whether lines of workers are refused, and why.
    package var isRefusing: Bool { refuses.load(ordering: .acquiring) }
    package var refusalReason: String? { refusal.withLock { $0 } }

    /// Hands over the lines of `writer`, the last of which has number `through`; false, and
    /// nothing taken, when the lane is full.
    package func submit(
        _ writer: borrowing LineWriter, through: UInt64, worker: Int
    ) -> Bool {
        if isRefusing, worker != ownLane { return false }
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

    /// What failed within the last hour, if that was not for want of room.
    package var recentTrouble: RecordError? {
        let now = herse_clock(CLOCK_MONOTONIC)
        return health.withLock { health in
            guard let trouble = health.trouble, now - trouble.at < Self.troubleNanoseconds
            else { return nil }
            return trouble.error
        }
    }

    /// What was missing at the record's end when the gate started, in words for the operator.
    package var loss: String? { health.withLock { $0.loss } }

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

    /// Seals what comes next to other auditors, in a segment of its own; nothing changes for a
    /// record that is not sealed, or for no auditors.
    package func use(_ terms: RecordTerms) {
        guard isSealed, !terms.auditors.isEmpty else { return }
        nextTerms.withLock { $0 = terms }
        wakeWriter()
    }

    /// What the writer has done so far.
    package var progress: RecordProgress { progressNow.withLock { $0 } }

    /// The writer's life; called once, on its own thread.
    package func run<Folder>(segment first: consuming SegmentChain<Folder>) {
        var segments = first
        let loss = segments.loss
        health.withLock { $0.loss = loss }
        var batches: [[UInt8]] = Array(repeating: [], count: lanes.count)
        // Whether many answers waited for the last commit, when it ended and how long it took.
        var crowd = false
        var committedAt: UInt64 = 0
        var took: UInt64 = 0
        var signedAt: UInt64 = 0
        while true {
            waitForBell(segments.hasUnsigned ? signedAt + Self.signingNanoseconds : nil)
            let isLast = stopping.load(ordering: .acquiring)
            if durability == .grouped, !isLast { wait(Self.groupedNanoseconds) }
            if crowd, !isLast {
                let pause = min(Self.crowdNanoseconds, took)
                let passed = herse_clock(CLOCK_MONOTONIC) - committedAt
                if passed < pause { wait(pause - passed) }
            }
            let began = herse_clock(CLOCK_MONOTONIC)
            let isDue = began - signedAt >= Self.signingNanoseconds
            if let terms = nextTerms.withLock({ $0.take() }) {
                segments.use(terms, at: commitTime(isDue: true))
            }
            let lines = commit(&segments, &batches, at: commitTime(isDue: isDue))
            crowd = lines >= Self.crowdLines
            committedAt = herse_clock(CLOCK_MONOTONIC)
            took = committedAt - began
            if isDue { signedAt = began }
            if isLast { break }
        }
        if let problem = segments.close(at: commitTime(isDue: true)) {
            say("\(problem.message): no checkpoint signs the last entries, which are recorded")
        }
        note(segments)
        health.withLock { $0.isStopped = true }
    }

    private func commitTime(isDue: Bool) -> CommitTime {
        CommitTime(
            milliseconds: herse_clock(CLOCK_REALTIME) / 1_000_000, isCheckpointDue: isDue)
    }

    /// Returns when there is something to do, or at `deadline`.
    private func waitForBell(_ deadline: UInt64?) {
        var timeout: Int32 = -1
        if let deadline {
            let now = herse_clock(CLOCK_MONOTONIC)
            timeout = deadline > now ? Int32(clamping: (deadline - now) / 1_000_000 + 1) : 0
        }
        var watched = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
        // Safe because one structure is lent, and eight bytes are read into a local.
        guard unsafe poll(&watched, 1, timeout) == 1 else { return }
        var count: UInt64 = 0
        _ = unsafe Glibc.read(bell, &count, 8)
    }

    private func wait(_ nanoseconds: UInt64) {
        // At most a tenth of a second: it fits the field.
        var request = timespec(tv_sec: 0, tv_nsec: Int(clamping: nanoseconds))
        // Safe because nanosleep reads a local and writes nothing.
        _ = unsafe nanosleep(&request, nil)
    }

    /// Commits what all lanes hold and returns how many lines that was; `batches` is empty arrays,
    /// one a lane, before and after.
    @discardableResult
    func commit<Folder>(
        _ segments: inout SegmentChain<Folder>, _ batches: inout [[UInt8]], at time: CommitTime
    ) -> UInt64 {
        var through = [UInt64](repeating: 0, count: lanes.count)
        var lines: UInt64 = 0
        for index in lanes.indices {
            lanes[index].lane.withLock { lane in
                swap(&batches[index], &lane.staged)
                through[index] = lane.through
                lines &+= lane.through &- lane.taken
                lane.taken = lane.through
            }
        }
        let total = batches.reduce(0) { $0 + $1.count }
        guard total > 0 || (time.isCheckpointDue && segments.hasUnsigned) else { return 0 }
        var problem: RecordError?
        do throws(RecordError) {
            try segments.commit(batches, durable: durability != .none, at: time)
        } catch {
            problem = error
        }
        note(segments)
        note(problem, segments.segment)
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
        return lines
    }

    /// Keeps what became of a commit, and tells of it when that is new.
    private func note(_ problem: RecordError?, _ segment: Int?) {
        let now = herse_clock(CLOCK_MONOTONIC)
        let news = health.withLock { health -> String? in
            let before = health.problem
            health.problem = problem
            guard let problem else {
                defer { health.failedInTurn = 0 }
                guard before != nil else { return nil }
                return "written again, in segment \(segment ?? 0); failed commits before that: "
                    + "\(health.failedInTurn)"
            }
            health.failedCommits += 1
            health.failedInTurn += 1
            if !problem.isWantOfRoom { health.trouble = (problem, now) }
            guard before != problem else { return nil }
            return "\(problem.message): what was to be written does not count, and the next "
                + "goes into another segment"
        }
        if let news { say(news) }
    }

    private func note<Folder>(_ segments: borrowing SegmentChain<Folder>) {
        let (size, segment, checkpoint) = (segments.size, segments.segment, segments.checkpoint)
        progressNow.withLock { progress in
            progress.size = size
            if let segment { progress.segment = segment }
            progress.checkpoint = checkpoint
        }
    }
}

/// How far the writer has come.
package struct RecordProgress: Sendable, Equatable {
    /// Entries of the record, heads and checkpoints among them.
    package var size: UInt64 = 0
    /// The segment that was last written to; 0 before the first.
    package var segment = 0
    /// The newest checkpoint since the start, as a signed note.
    package var checkpoint: String?
}
