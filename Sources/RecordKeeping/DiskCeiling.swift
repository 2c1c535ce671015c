// DiskCeiling.swift: how much room the record takes, how much there is, and what that means.

internal import Foundation
internal import Glibc

/// What a disk was found to hold.
package struct DiskUse: Equatable, Sendable {
    /// Bytes that the record's folder takes.
    package var bytes: Int
    /// Bytes that are free to the gate on its file system.
    package var free: Int

    package init(bytes: Int, free: Int) {
        self.bytes = bytes
        self.free = free
    }

    /// Looks at a folder and all in it; nil when it cannot be.
    package init?(of folder: String) {
        var room = statvfs()
        // Safe because the structure is a local.
        guard unsafe statvfs(folder, &room) == 0 else { return nil }
        free = Int(clamping: UInt64(room.f_bavail) * UInt64(room.f_frsize))
        var bytes = 0
        let names = (try? FileManager.default.subpathsOfDirectory(atPath: folder)) ?? []
        for name in names {
            var status = stat()
            guard unsafe lstat(folder + "/" + name, &status) == 0 else { continue }
            // What it takes, which is not its length: segments are filled ahead.
            bytes += Int(status.st_blocks) * 512
        }
        self.bytes = bytes
    }
}

/// How far the record may grow.
package struct DiskCeiling: Equatable, Sendable {
    /// Bytes of the record's folder; nil for as many as there are.
    package var bytesMax: Int?
    /// Bytes to be left free on the file system.
    package var freeMin: Int

    package init(bytesMax: Int? = nil, freeMin: Int = 0) {
        self.bytesMax = bytesMax
        self.freeMin = freeMin
    }

    /// What room there is.
    package enum Level: Equatable, Sendable {
        case fine
        /// Somebody has to see to it soon: 80 % of `bytesMax`, or less than twice `freeMin`.
        case low(String)
        case full(String)
    }

    /// How near `use` is; what was full stays so until there is a little more room than just
    /// enough, so that answers do not come and go with every line.
    package func level(_ use: DiskUse, wasFull: Bool = false) -> Level {
        let percent = wasFull ? 1 : 0
        if let bytesMax, use.bytes >= bytesMax - bytesMax / 100 * percent {
            return .full(
                "\(size(use.bytes)) of the \(size(bytesMax)) that it may take are taken")
        }
        if use.free < freeMin + freeMin / 100 * percent {
            return .full("\(size(use.free)) are free, and \(size(freeMin)) are to be left")
        }
        if let bytesMax, use.bytes >= bytesMax / 5 * 4 {
            return .low(
                "\(size(use.bytes)) of the \(size(bytesMax)) that it may take are taken")
        }
        if use.free < 2 * freeMin {
            return .low("\(size(use.free)) are free, and \(size(freeMin)) are to be left")
        }
        return .fine
    }

    /// Whether enough was purged: below 90 % of the ceiling, and more than a tenth above what is
    /// to be left free.
    package func isRelieved(_ use: DiskUse) -> Bool {
        if let bytesMax, use.bytes >= bytesMax / 10 * 9 { return false }
        return use.free >= freeMin + freeMin / 10
    }
}

extension DiskCeiling {
    /// Whether giving back so many bytes would be enough.
    ///
    /// Where it is not, something else fills the disk: purging would cost the record and gain
    /// nothing.
    package func isRelieved(_ use: DiskUse, without bytes: Int) -> Bool {
        isRelieved(DiskUse(bytes: max(0, use.bytes - bytes), free: use.free + bytes))
    }
}

/// Bytes for people: `1.5 GiB`.
package func size(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024 {
            return unit == "B" ? "\(bytes) B" : String(format: "%.1f \(unit)", value)
        }
        value /= 1024
    }
    return String(format: "%.1f TiB", value)
}
