// RecordKeeper.swift: looks after the record beside its writer: witnesses, retention, ceilings.
//
// One thread, which may wait for a disk; whoever is shown a checkpoint gets a thread of their own
// for as long as that takes. Others see reports and leave orders.

internal import CSystem
internal import Glibc
package import Reactor
package import Record
package import Sealing
internal import Synchronization
package import Transparency

/// How the record is, beside what its writer says.
package struct KeeperReport: Equatable, Sendable {
    package var segments = 0
    /// Bytes of its folder, and those free on the file system; nil when they cannot be told.
    package var use: DiskUse?
    package var level = DiskCeiling.Level.fine
    /// When the oldest entry that is left was written, RFC 3339.
    package var oldest: String?
    /// Entries of the newest checkpoint, and when it was first seen, in seconds since 1970.
    package var checkpoint: (size: UInt64, at: UInt64)?
    package var witnesses: [WitnessReport] = []
    /// Why the files are not the record that was written.
    package var contradiction: String?
    /// What else went wrong, the last time.
    package var problem: String?

    package init() {}

    package static func == (one: KeeperReport, other: KeeperReport) -> Bool {
        one.segments == other.segments && one.use == other.use && one.level == other.level
            && one.oldest == other.oldest && one.checkpoint?.size == other.checkpoint?.size
            && one.checkpoint?.at == other.checkpoint?.at && one.witnesses == other.witnesses
            && one.contradiction == other.contradiction && one.problem == other.problem
    }
}

/// Looks after one record; any thread may ask and order.
package final class RecordKeeper: Sendable {
    private struct Inbox {
        var settings = KeeperSettings()
        var isNew = false
        var orders: [(PurgeOrder, @Sendable (PurgeResult) -> Void)] = []
        var lines: [(fields: [UInt8], told: @Sendable (Bool) -> Void)] = []
        var verdicts: [(WitnessErrand, WitnessVerdict)] = []
        var isEnding = false
        var hasEnded = false
    }

    private let inbox = Mutex(Inbox())
    private let said = Mutex(KeeperReport())
    private let bell: Int32
    let log: RecordLog
    let folder: String
    let state: String
    let signer: NoteSigner
    let pen: RecordPen
    let say: @Sendable (String) -> Void

    /// Milliseconds between two looks at the writer, and at the disk.
    private static let turn: UInt64 = 500
    /// Milliseconds a gate that stops waits for its witnesses.
    private static let farewell: UInt64 = 5_000

    /// Looks after the record that `log` writes below `state`.
    ///
    /// `say` writes a line to the gate's log.
    package init(
        _ log: RecordLog, state: String, signer: NoteSigner,
        say: @escaping @Sendable (String) -> Void
    ) throws(SystemError) {
        bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard bell >= 0, let pen = RecordPen(log) else { throw SystemError("eventfd") }
        self.log = log
        self.pen = pen
        self.state = state
        folder = state + "/record"
        self.signer = signer
        self.say = say
    }

    deinit { close(bell) }

    private func ring() {
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local.
        _ = unsafe Glibc.write(bell, &one, 8)
    }

    // MARK: For others

    /// The record's name in checkpoints.
    package var origin: String { signer.verifier.name }

    /// What the record is written under when these may read it.
    package func terms(for auditors: [AuditorPublicKey]) -> RecordTerms {
        RecordTerms(signer: signer, auditors: auditors)
    }

    /// How the record is; what the last look found.
    package var report: KeeperReport { said.withLock { $0 } }

    /// Obeys these from now on.
    package func use(_ settings: KeeperSettings) {
        inbox.withLock { inbox in
            inbox.settings = settings
            inbox.isNew = true
        }
        ring()
    }

    /// Purges, or says what would be; `told` is called once, on the keeper's thread or, when that
    /// has ended, on this one.
    package func purge(_ order: PurgeOrder, told: @escaping @Sendable (PurgeResult) -> Void) {
        let isTaken = inbox.withLock { inbox in
            if !inbox.hasEnded { inbox.orders.append((order, told)) }
            return !inbox.hasEnded
        }
        if isTaken { ring() } else { told(PurgeResult(problem: "the gate is stopping")) }
    }

    /// Writes an entry of the gate's own, even where disclosures are refused for want of room;
    /// `told` hears once whether it is on disk.
    package func write(_ fields: [UInt8], told: @escaping @Sendable (Bool) -> Void) {
        let isTaken = inbox.withLock { inbox in
            if !inbox.hasEnded { inbox.lines.append((fields, told)) }
            return !inbox.hasEnded
        }
        if isTaken { ring() } else { told(false) }
    }

    /// The record's writer has ended: shows what is left to the witnesses, and ends too.
    package func end() {
        inbox.withLock { $0.isEnding = true }
        ring()
    }

    // MARK: Its thread

    /// The keeper's life; called once, on a thread of its own.
    package func run() {
        herse_yield_to_others()
        var work = KeeperWork(self)
        while true {
            let (settings, mail, isEnding) = inbox.withLock {
                inbox -> (KeeperSettings?, Inbox, Bool) in
                let mail = inbox
                inbox.isNew = false
                inbox.orders = []
                inbox.lines = []
                inbox.verdicts = []
                return (mail.isNew ? mail.settings : nil, mail, mail.isEnding)
            }
            if let settings {
                work.use(settings)
                publish(work.report)
            }
            for (errand, verdict) in mail.verdicts { work.settle(errand, verdict) }
            for line in mail.lines { line.told(work.write(line.fields)) }
            for (order, told) in mail.orders { told(work.purge(order)) }
            work.look(isLast: isEnding)
            publish(work.report)
            if isEnding, work.hasEnded(after: Self.farewell) { break }
            wait(isEnding ? 20 : Self.turn)
        }
        let left = inbox.withLock { inbox in
            inbox.hasEnded = true
            return inbox
        }
        for line in left.lines { line.told(false) }
        for order in left.orders { order.1(PurgeResult(problem: "the gate is stopping")) }
    }

    private func publish(_ report: KeeperReport) { said.withLock { $0 = report } }

    private func wait(_ milliseconds: UInt64) {
        var event = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
        var count: UInt64 = 0
        // Safe because one descriptor is given and eight bytes are read, into locals.
        if unsafe poll(&event, 1, Int32(clamping: milliseconds)) > 0 {
            _ = unsafe read(bell, &count, 8)
        }
    }

    /// Shows a checkpoint to a witness, on a thread of its own.
    func carry(_ errand: WitnessErrand) {
        do throws(SystemError) {
            try startThread(name: "herse-witness") { [self] in leave(errand, show(errand)) }
        } catch {
            leave(errand, .failed("\(error.call): \(error.message.lowercased())"))
        }
    }

    private func leave(_ errand: WitnessErrand, _ verdict: WitnessVerdict) {
        inbox.withLock { $0.verdicts.append((errand, verdict)) }
        ring()
    }
}

/// Milliseconds of a clock that never goes back.
func monotonic() -> UInt64 { herse_clock(CLOCK_MONOTONIC) / 1_000_000 }

/// Milliseconds since 1970.
func wallMilliseconds() -> UInt64 { herse_clock(CLOCK_REALTIME) / 1_000_000 }
