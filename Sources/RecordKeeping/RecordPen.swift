// RecordPen.swift: writes the keeper's own entries into the record, and waits until they are there.

internal import CSystem
internal import Foundation
internal import Glibc
package import Record

/// The keeper's lane of the record; used by one thread.
package final class RecordPen: Sendable {
    private let log: RecordLog
    private let lane: Int
    private let bell: Int32

    /// Seconds an entry is waited for.
    private static let patience = 10

    /// Writes into the own lane of `log`, which nobody else does; nil without a descriptor.
    package init?(_ log: RecordLog) {
        bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        guard bell >= 0 else { return nil }
        self.log = log
        lane = log.ownLane
        let bell = self.bell
        log.attach(worker: lane) {
            var one: UInt64 = 1
            // Safe because eight bytes are written from a local.
            _ = unsafe Glibc.write(bell, &one, 8)
        }
    }

    deinit { close(bell) }

    /// What the kernel says of its clock.
    private var clockWord: String {
        switch herse_clock_is_synchronized() {
        case 1: "synchronized"
        case 0: "unsynchronized"
        default: "unknown"
        }
    }

    /// Writes an entry whose fields, each with a comma before it, are `fields`; whether it is on
    /// disk.
    ///
    /// `number` counts the entries of this pen, from 1.
    package func write(_ fields: [UInt8], number: UInt64) -> Bool {
        let writer = LineWriter()
        writer.begin()
        let now = herse_clock(CLOCK_REALTIME) / 1_000_000
        writer.raw("\"time\":\"\(rfc3339(milliseconds: now))\",\"clock\":\"\(clockWord)\"")
        writer.raw(fields)
        writer.end()
        guard log.submit(writer, through: number, worker: lane) else { return false }
        let end = herse_clock(CLOCK_MONOTONIC) / 1_000_000 + UInt64(Self.patience) * 1000
        var outcomes: [RecordOutcome] = []
        while true {
            log.takeOutcomes(worker: lane, into: &outcomes)
            if let outcome = outcomes.first(where: { $0.through >= number }) {
                return outcome.isRecorded
            }
            let moment = herse_clock(CLOCK_MONOTONIC) / 1_000_000
            guard moment < end else { return false }
            var event = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
            var count: UInt64 = 0
            // Safe because one descriptor is given and eight bytes are read, into locals.
            if unsafe poll(&event, 1, Int32(clamping: end - moment)) > 0 {
                _ = unsafe read(bell, &count, 8)
            }
        }
    }
}
