// WitnessFile.swift: a file elsewhere that checkpoints are added to: a share, a disk that only grows.

internal import CSystem
internal import Glibc
internal import Outbound
package import Transparency

/// A file of notes, each followed by an empty line.
struct WitnessFile: Sendable {
    let path: String

    /// Bytes at its end that are looked at for the last note.
    private static let tailMax = 64 * 1024

    /// The last note in it that `key` signed for `origin`; nil when there is none.
    ///
    /// What others wrote, or what a crash cut short, is passed over.
    func last(of origin: String, by key: NoteVerifier) throws(WitnessFileError) -> String? {
        // Safe because the path outlives the call.
        let file = unsafe herse_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw WitnessFileError("\(path): cannot be read: \(systemText(errno))")
        }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        guard size >= 0 else { throw WitnessFileError("\(path): is no file") }
        var tail = [UInt8](repeating: 0, count: min(Int(size), Self.tailMax))
        // Safe because pread writes at most the array.
        let count = unsafe pread(file, &tail, tail.count, off_t(Int(size) - tail.count))
        guard count == tail.count else {
            throw WitnessFileError("\(path): cannot be read: \(systemText(errno))")
        }
        return lastNote(in: tail, of: origin, by: key)
    }

    /// Adds a note, and returns once the file system says that it is kept.
    func add(_ note: String) throws(WitnessFileError) {
        // Safe because the path outlives the call.
        let file = unsafe herse_open(path, O_RDWR | O_CREAT | O_APPEND | O_NONBLOCK, 0o600)
        guard file >= 0 else {
            throw WitnessFileError("\(path): cannot be written: \(systemText(errno))")
        }
        defer { close(file) }
        var text = note + "\n"
        if !endsWhole(file) { text = "\n\n" + text }
        // One write: what a crash cuts short is at the end, and passed over.
        guard writeAll(file, Array(text.utf8)), fsync(file) == 0 else {
            throw WitnessFileError("\(path): cannot be written: \(systemText(errno))")
        }
    }

    /// Whether nothing is cut short at the file's end.
    private func endsWhole(_ file: Int32) -> Bool {
        let size = lseek(file, 0, SEEK_END)
        guard size > 0 else { return true }
        var end: [UInt8] = [0, 0]
        // Safe because two bytes are read into an array of two.
        return unsafe size > 1 && pread(file, &end, 2, size - 2) == 2 && end == [0x0A, 0x0A]
    }
}

/// The last note in the end of a witness's file that `key` signed for `origin`; nil for none.
package func lastNote(in tail: [UInt8], of origin: String, by key: NoteVerifier) -> String? {
    let parts = parted(String(decoding: tail, as: UTF8.self))
    for index in parts.indices.dropFirst().reversed() where parts[index].hasPrefix("— ") {
        let text = parts[index - 1] + "\n\n" + parts[index] + "\n"
        guard let note = SignedNote(text), note.isSigned(by: key),
            let checkpoint = Checkpoint(note.text), checkpoint.origin == origin
        else { continue }
        return text
    }
    return nil
}

/// What stands between empty lines.
private func parted(_ text: String) -> [String] {
    var parts: [String] = []
    var lines: [Substring] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
        if line.isEmpty {
            if !lines.isEmpty { parts.append(lines.joined(separator: "\n")) }
            lines = []
        } else {
            lines.append(line)
        }
    }
    return lines.isEmpty ? parts : parts + [lines.joined(separator: "\n")]
}

/// Why a file of checkpoints cannot be used, in words for the operator.
struct WitnessFileError: Error, Equatable {
    let text: String
    init(_ text: String) { self.text = text }
}
