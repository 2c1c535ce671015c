// FeedCursor.swift: how far a feed has come, kept in a file that a crash cannot tear.

internal import CSystem
internal import Glibc
package import RecordReading

/// What a receiver has accepted, up to the line before which it stands.
package struct FeedCursor: Equatable, Sendable {
    /// The record's name.
    package var origin: String
    /// Who is fed.
    package var target: String
    package var place: RecordPlace

    package init(origin: String, target: String, place: RecordPlace) {
        self.origin = origin
        self.target = target
        self.place = place
    }

    private static let mark = "herse feed cursor v1"
    /// Bytes of a cursor that is read.
    static let bytesMax = 8192

    /// The file's whole text.
    package var text: String {
        "\(Self.mark)\norigin \(origin)\nto \(target)\n"
            + "next \(place.segment) \(place.offset) \(place.number)\n"
    }

    /// Reads a cursor: four lines and nothing else, as `text` writes them; nil for all other bytes.
    package init?(text bytes: Span<UInt8>) {
        guard bytes.count <= Self.bytesMax else { return nil }
        var copy: [UInt8] = []
        for index in bytes.indices { copy.append(bytes[index]) }
        guard let text = String(validating: copy, as: UTF8.self), text.utf8.last == 0x0A else {
            return nil
        }
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 5, lines[4].isEmpty, lines[0] == Self.mark,
            lines[1].hasPrefix("origin "), lines[2].hasPrefix("to "), lines[3].hasPrefix("next ")
        else { return nil }
        let numbers = lines[3].dropFirst(5).split(
            separator: " ", omittingEmptySubsequences: false)
        guard numbers.count == 3, let segment = Int(numbers[0]), let offset = Int(numbers[1]),
            let number = UInt64(numbers[2]), segment >= 1, offset >= 0
        else { return nil }
        origin = String(lines[1].dropFirst(7))
        target = String(lines[2].dropFirst(3))
        place = RecordPlace(segment: segment, offset: offset, number: number)
        // `+7` and `007` are numbers, too, but not as they are written here.
        guard self.text.utf8.elementsEqual(text.utf8) else { return nil }
    }
}

/// The file of a cursor, held by one feed at a time.
final class FeedCursorFile {
    let path: String
    private let lock: Int32

    /// Takes the file; nobody else feeds by it until this object is gone.
    init(_ path: String) throws(ExportError) {
        self.path = path
        // Safe because the path outlives the call.
        lock = unsafe herse_open(path + ".lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            throw ExportError(
                "\(path).lock: cannot be made: \(systemText(errno))",
                hint: "the cursor's folder must be there, and this user's to write to")
        }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            throw ExportError(
                "\(path): another feed works with this cursor",
                hint: "wait for it to end, or give each destination a cursor of its own")
        }
    }

    deinit { if lock >= 0 { close(lock) } }

    /// What is there; nil before the first time.
    func read() throws(ExportError) -> FeedCursor? {
        // Safe because the path outlives the call.
        let file = unsafe herse_open(path, O_RDONLY | O_NOFOLLOW, 0)
        if file < 0, errno == ENOENT { return nil }
        guard file >= 0 else { throw ExportError("\(path): cannot be read: \(systemText(errno))") }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: FeedCursor.bytesMax + 1)
        let count = unsafe bytes.withUnsafeMutableBytes { room in
            // Safe because at most the room's own bytes are written.
            unsafe Glibc.read(file, room.baseAddress, room.count)
        }
        guard count >= 0, let cursor = FeedCursor(text: bytes.span.extracting(0..<count)) else {
            throw ExportError(
                "\(path): is no cursor of a feed",
                hint: "name another file, or remove it to feed the whole record again")
        }
        return cursor
    }

    /// Replaces what is there, whole or not at all, and waits until the disk has it.
    func write(_ cursor: FeedCursor) throws(ExportError) {
        let draft = path + ".new"
        // Safe because both paths outlive the calls.
        let file = unsafe herse_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw problem }
        let isWritten = writeWhole(file, Array(cursor.text.utf8)) && fsync(file) == 0
        let code = errno
        close(file)
        if !isWritten { errno = code }
        guard isWritten, unsafe rename(draft, path) == 0, syncFolder(of: path) else {
            throw problem
        }
    }

    private var problem: ExportError {
        ExportError(
            "\(path): cannot be written: \(systemText(errno))",
            hint: "what was accepted since is sent again by the next feed")
    }
}
