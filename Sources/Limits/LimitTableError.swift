// LimitTableError.swift: why the table of counts cannot be used, in words for the operator.

import Glibc

/// Why the table of counts cannot be opened; the gate then does not start.
package enum LimitTableError: Error, Equatable {
    case system(call: String, path: String, errno: Int32)
    /// Another process holds the lock of this state folder.
    case inUse(path: String)
    case noSpace(path: String, bytes: Int)
    case notATable(path: String)
    case otherVersion(path: String, version: UInt32)
    case damagedHeader(path: String)
    case wrongLength(path: String, expected: Int, found: Int)
    case slotsOutOfRange(Int)
}

extension LimitTableError {
    /// What is wrong, for a person.
    package var message: String {
        switch self {
        case .system(let call, let path, let errno):
            // Safe because strerror answers a string for every number, copied at once.
            "\(path): \(call): "
                + (unsafe strerror(errno).map { unsafe String(cString: $0) } ?? "error \(errno)")
        case .inUse(let path): "\(path): another gate is using this state folder"
        case .noSpace(let path, let bytes): "\(path): no room on the disk for \(bytes) bytes"
        case .notATable(let path): "\(path): not a table of limits"
        case .otherVersion(let path, let version):
            "\(path): a table of limits of version \(version), not \(TableHeader.version)"
        case .damagedHeader(let path): "\(path): damaged header"
        case .wrongLength(let path, let expected, let found):
            "\(path): \(found) bytes long instead of \(expected)"
        case .slotsOutOfRange(let slots):
            "\(slots) slots: from \(TableHeader.slotsMin) to \(TableHeader.slotsMax) are allowed"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .system: "the state folder must be readable and writable by the gate alone"
        case .inUse: "stop the other `herse serve`, or give this one its own `state`"
        case .noSpace: "free space, or put `state` on a larger disk"
        case .notATable, .damagedHeader, .wrongLength:
            "move the file away: a new one is made, and every limit starts from nothing"
        case .otherVersion: "start the version of herse that wrote it, or move the file away"
        case .slotsOutOfRange: "a slot holds one professional's count in one window"
        }
    }
}
