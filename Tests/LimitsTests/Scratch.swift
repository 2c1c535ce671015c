// Scratch.swift: a state folder for one test, removed afterwards.

import Foundation

@testable import Limits

/// A folder of its own under the temporary folder, removed with this value.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "herse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func url(_ name: String) -> URL { URL(fileURLWithPath: path + "/" + name) }

    func openTable(
        slots: Int = 1024, personsBytes: Int = 1 << 26, boot: UInt64 = 1, up: UInt64 = 1_000,
        wall: UInt64 = 1_000_000_000
    ) throws -> LimitTable {
        try LimitTable.open(
            stateFolder: path, slots: slots, personsBytes: personsBytes,
            reading: ClockReading(
                boot: BootID(high: 0, low: boot), sinceBootMilliseconds: up, wallMilliseconds: wall)
        )
    }
}

extension LimitTable {
    func who(_ id: String) -> LimitSubjects {
        LimitSubjects(professional: professional(Array(id.utf8).span))
    }

    /// One request.
    func charge(_ who: LimitSubjects, _ set: LimitSet, now: LimitTime) -> LimitOutcome {
        charge(who, set, event: LimitEvent(requests: 1), now: now)
    }

    /// Shows persons known by one key each.
    func show(
        _ persons: [UInt64], to who: LimitSubjects, _ set: LimitSet,
        extras: LimitExtras = .none, now: LimitTime
    ) -> LimitOutcome {
        let starts = Array(0...persons.count)
        return charge(
            who, set, event: LimitEvent(), persons: persons.span, starts: starts.span,
            extras: extras, now: now)
    }

    /// Shows persons known by several keys.
    func show(
        keys persons: [[UInt64]], to who: LimitSubjects, _ set: LimitSet, now: LimitTime
    ) -> LimitOutcome {
        var starts = [0]
        for keys in persons { starts.append(starts[starts.count - 1] + keys.count) }
        let keys = persons.flatMap { $0 }
        return charge(
            who, set, event: LimitEvent(), persons: keys.span, starts: starts.span, now: now)
    }
}
