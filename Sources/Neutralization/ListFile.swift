// ListFile.swift: the list on disk, and how much it can be relied on.

import CSystem
import Glibc

/// How much a list can be relied on; the four are never confused.
package enum ListStanding: Equatable, Sendable {
    /// Read, with entries, and not older than the operator allows.
    case fresh
    /// Last changed longer ago than the operator allows: whoever writes it may have stopped.
    case stale(ageSeconds: Int64)
    /// Read, and it names nobody.
    case empty
    /// No list has been read: nobody can say who is on it.
    case unknown
}

/// A list as it was read.
package struct LoadedList: Sendable {
    package let entries: NeutralizedSet
    /// When the file was last changed.
    package let changed: UnixSeconds

    /// `staleAfter` is in seconds; `nil` when the list is written by hand and never stale.
    package func standing(now: UnixSeconds, staleAfter: Int64?) -> ListStanding {
        let age = now.value.subtractingReportingOverflow(changed.value)
        if let staleAfter, !age.overflow, age.partialValue > staleAfter {
            return .stale(ageSeconds: age.partialValue)
        }
        return entries.isEmpty ? .empty : .fresh
    }
}

/// Why a list could not be loaded; the one in force stays.
package enum ListFileError: Error, Equatable {
    /// Missing, unreadable, or no plain file: the list is unknown, which is not empty.
    case unreadable(SystemFailure)
    case bad(ListError)
}

/// Reads the list file at `path`.
package func loadList(path: String) throws(ListFileError) -> LoadedList {
    let bytes: [UInt8]
    let changed: UnixSeconds
    do { (bytes, changed) = try readFile(path) } catch { throw .unreadable(error) }
    do {
        return LoadedList(entries: try parseList(bytes.span), changed: changed)
    } catch { throw .bad(error) }
}

private func readFile(_ path: String) throws(SystemFailure) -> ([UInt8], UnixSeconds) {
    // Not blocked by a FIFO put there by mistake. Safe because the path outlives the call.
    let number = unsafe herse_open(path, O_RDONLY | O_NONBLOCK, 0)
    let file = Descriptor(number: number)
    guard file.number >= 0 else { throw SystemFailure("open", path, errno: errno) }
    var status = stat()
    // Safe because status lives on the stack for the call.
    guard unsafe fstat(file.number, &status) == 0 else {
        throw SystemFailure("stat", path, errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw SystemFailure("open", path, errno: EINVAL)
    }
    guard status.st_size <= ListLimits.bytesMax else {
        throw SystemFailure("read", path, errno: EFBIG)
    }
    let bytes = try readAll(file.number, count: Int(status.st_size), path: path)
    return (bytes, UnixSeconds(Int64(status.st_mtim.tv_sec)))
}

/// The first `count` bytes of a file, or fewer if it ends before.
func readAll(_ descriptor: Int32, count: Int, path: String) throws(SystemFailure) -> [UInt8] {
    var failed: Int32 = 0
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { room, filled in
        filled = 0
        while filled < count, let base = room.baseAddress {
            // Safe because filled stays below count, the room that was asked for.
            let got = unsafe pread(descriptor, base + filled, count - filled, off_t(filled))
            if got < 0, errno == EINTR { continue }
            if got < 0 { failed = errno }
            if got <= 0 { break }
            filled += got
        }
    }
    guard failed == 0 else { throw SystemFailure("read", path, errno: failed) }
    return bytes
}
