// StateFile.swift: making and opening the mapped files of the state folder.

import CSystem
import Glibc

/// An open descriptor, closed when it goes out of scope.
struct TableDescriptor: ~Copyable {
    let number: Int32
    deinit { if number >= 0 { close(number) } }
}

/// What a file that is not there yet begins with.
struct NewStateFile {
    let length: Int
    let words: [UInt64]
}

func openTableFile(
    _ folder: Int32, _ name: String, _ flags: Int32, shown: String
) throws(LimitTableError) -> TableDescriptor {
    // Safe because the name outlives the call.
    let number = unsafe herse_open_at(folder, name, flags, 0o600)
    guard number >= 0 else { throw .system(call: "open", path: shown, errno: errno) }
    return TableDescriptor(number: number)
}

/// Opens a file of the state folder; one that is not there is made under another name and given
/// its own only when it is whole, so that a crash or a full disk leaves none rather than half a one.
func openStateFile(
    _ folder: Int32, _ name: String, _ path: String,
    new: () throws(LimitTableError) -> NewStateFile
) throws(LimitTableError) -> TableDescriptor {
    // Safe because the name outlives the call.
    let number = unsafe herse_open_at(folder, name, O_RDWR | O_NOFOLLOW, 0)
    if number >= 0 { return TableDescriptor(number: number) }
    guard errno == ENOENT else { throw .system(call: "open", path: path, errno: errno) }
    let freshName = name + ".new"
    let file = try openTableFile(
        folder, freshName, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, shown: path)
    do throws(LimitTableError) {
        try fill(file.number, path, try new())
        // Safe because both names outlive the call.
        guard unsafe renameat(folder, freshName, folder, name) == 0, fsync(folder) == 0 else {
            throw .system(call: "rename", path: path, errno: errno)
        }
    } catch {
        // Safe because the name outlives the call.
        _ = unsafe unlinkat(folder, freshName, 0)
        throw error
    }
    return file
}

private func fill(
    _ file: Int32, _ path: String, _ new: NewStateFile
) throws(LimitTableError) {
    try allocate(file, path, 0..<new.length)
    let words = new.words
    let written = unsafe words.withUnsafeBytes { bytes in
        // Safe because the bytes outlive the call.
        unsafe pwrite(file, bytes.baseAddress, bytes.count, 0)
    }
    guard written == words.count * 8, fsync(file) == 0 else {
        throw .system(call: "write", path: path, errno: errno)
    }
}

/// Allocates every block of a range: a shared mapping over a hole, on a disk that is full later,
/// would end the process with SIGBUS at the first professional who lands there.
func allocate(_ file: Int32, _ path: String, _ range: Range<Int>) throws(LimitTableError) {
    let allocated = posix_fallocate(file, off_t(range.lowerBound), off_t(range.count))
    if allocated == ENOSPC || allocated == EFBIG {
        throw .noSpace(path: path, bytes: range.upperBound)
    }
    guard allocated == 0 else {
        throw .system(call: "posix_fallocate", path: path, errno: allocated)
    }
}

/// The first words of a file, and its length.
func readStateFile(
    _ file: Int32, _ path: String, words count: Int
) throws(LimitTableError) -> (words: [UInt64], size: Int) {
    var status = stat()
    // Safe because status lives on the stack for the call.
    guard unsafe fstat(file, &status) == 0 else {
        throw .system(call: "stat", path: path, errno: errno)
    }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .notATable(path: path) }
    var words = [UInt64](repeating: 0, count: count)
    let got = unsafe words.withUnsafeMutableBytes { bytes in
        // Safe because the bytes outlive the call.
        unsafe pread(file, bytes.baseAddress, bytes.count, 0)
    }
    guard got == count * 8 else { throw .notATable(path: path) }
    return (words, Int(status.st_size))
}
