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
        slots: Int = 1024, boot: UInt64 = 1, up: UInt64 = 1_000, wall: UInt64 = 1_000_000_000
    ) throws -> LimitTable {
        try LimitTable.open(
            stateFolder: path, slots: slots,
            reading: ClockReading(
                boot: BootID(high: 0, low: boot), sinceBootMilliseconds: up, wallMilliseconds: wall)
        )
    }
}

extension LimitTable {
    func who(_ id: String) -> ProfessionalKey { professional(Array(id.utf8).span) }
}
