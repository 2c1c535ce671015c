// RecordReads.swift: that somebody reads the record is itself in the record.
//
// Whoever reads it says so first: to the running gate, or, when none runs, in a file that the gate
// takes over.

internal import CSystem
internal import Foundation
internal import Glibc
internal import Neutralization
internal import Policy
internal import Record

/// What the record is read for, before anything of it is shown.
package struct RecordReadNotice: Codable, Sendable, Equatable {
    /// The command, such as `search` or `who-saw`.
    package var what: String
    /// What narrows it, such as `professional:899700218896` or `since`; a patient by keyed hash at
    /// most, `patient:` and sixteen digits.
    package var filters: [String]

    /// Bytes of `what`, filters, and bytes of each.
    package static let whatMax = 64
    package static let filtersMax = 16
    package static let filterMax = 128

    /// What does not fit is shortened, so that nobody is kept from reading by a long option.
    package init(what: String, filters: [String] = []) {
        self.what = Self.plain(what, max: Self.whatMax)
        var kept = filters.filter { !$0.isEmpty }.map { Self.plain($0, max: Self.filterMax) }
        if kept.count > Self.filtersMax {
            let rest = kept.count - Self.filtersMax + 1
            kept = kept.prefix(Self.filtersMax - 1) + ["and \(rest) more"]
        }
        self.filters = kept
    }

    /// Printable ASCII, with `?` for whatever is none and `...` for what is too long.
    private static func plain(_ text: String, max: Int) -> String {
        let bytes = text.utf8.map { $0 >= 0x20 && $0 < 0x7F ? $0 : 0x3F }
        guard bytes.count > max else { return String(decoding: bytes, as: UTF8.self) }
        return String(decoding: bytes.prefix(max - 3), as: UTF8.self) + "..."
    }

    /// Whether it may stand in the record.
    var isSound: Bool {
        isPlain(what, max: Self.whatMax) && filters.count <= Self.filtersMax
            && filters.allSatisfy { isPlain($0, max: Self.filterMax) }
    }

    private func isPlain(_ text: String, max: Int) -> Bool {
        !text.isEmpty && text.utf8.count <= max
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    }
}

extension ControlPlane {
    /// Writes that the record is read; what asks may go on once that is safe.
    func recordIsRead(_ notice: RecordReadNotice, by: String) async -> ControlAnswer {
        guard notice.isSound else {
            return .refused(["what the record is read for makes no sense"])
        }
        let act = AdministrativeAct(reading: notice, by: by, at: nil)
        guard !isEnding, let worker = workers.first, await worker.record([act]) else {
            return .refused([
                "that the record is read could not be recorded, so it is not read (see "
                    + "`herse status`)"
            ])
        }
        return .noted
    }

    /// Takes over what was read while no gate ran; looks again later when that could not be.
    func takePendingReads() async {
        guard !isTakingReads, !isEnding, let worker = workers.first else { return }
        isTakingReads = true
        defer { isTakingReads = false }
        guard let reads = PendingReads.held(in: generation.configuration.state) else { return }
        guard await worker.record(reads.acts) else {
            return log.say(
                "reads of the record while no gate ran could not be recorded yet",
                kind: "pending reads")
        }
        if !reads.acts.isEmpty {
            log.say("\(reads.acts.count) reads of the record while no gate ran are recorded")
        }
        if !reads.forget() {
            log.say("\(reads.path): cannot be removed", kind: "pending reads")
        }
    }
}

/// A reading of the record that no gate has heard of yet.
private struct PendingRead: Codable {
    var at: String
    var by: String
    var notice: RecordReadNotice
}

/// Why a reading could not be put down for the gate.
package struct PendingReadError: Error, Equatable, Sendable {
    /// Place and problem.
    package let message: String
    package let hint: String
}

/// `record-reads.pending` in the state folder: one line of JSON for each reading, locked while it
/// is written or taken over.
package struct PendingReads: ~Copyable {
    let acts: [AdministrativeAct]
    let path: String
    private let descriptor: Int32

    private static let name = "/record-reads.pending"
    /// Bytes of the file: some thousand readings.
    package static let bytesMax = 1 << 20

    private init(_ acts: [AdministrativeAct], path: String, descriptor: Int32) {
        self.acts = acts
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// What waits in `state`, locked until this value goes; nil when nothing does, or somebody
    /// writes to it now.
    static func held(in state: String) -> PendingReads? {
        let path = state + name
        // Safe because the path is lent for the call.
        let descriptor = unsafe herse_open(path, O_RDONLY | O_NOFOLLOW, 0)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0,
            let bytes = firstBytes(of: descriptor, bytesMax + 1)
        else {
            close(descriptor)
            return nil
        }
        return PendingReads(acts(in: bytes), path: path, descriptor: descriptor)
    }

    /// Removes the file, once what it says is safe.
    func forget() -> Bool {
        // Safe because the path is lent for the call.
        unsafe unlink(path) == 0
    }

    private static func acts(in bytes: [UInt8]) -> [AdministrativeAct] {
        var unreadable = 0
        var acts = bytes.split(separator: 0x0A).compactMap { line -> AdministrativeAct? in
            guard let read = try? JSONDecoder().decode(PendingRead.self, from: Data(line)),
                read.notice.isSound, UnixSeconds(rfc3339: read.at) != nil,
                !read.by.isEmpty, read.by.utf8.count <= RecordReadNotice.filterMax
            else {
                unreadable += 1
                return nil
            }
            return AdministrativeAct(reading: read.notice, by: read.by, at: read.at)
        }
        // Somebody read, or made it look so: that is worth a line, too.
        if unreadable > 0 {
            let notice = RecordReadNotice(what: "\(unreadable) lines that are not understood")
            acts.append(AdministrativeAct(reading: notice, by: "unknown", at: nil))
        }
        return acts
    }

    /// What a file of these bytes adds to the record: its entries from their event on.
    package static func entries(in bytes: Span<UInt8>) -> [[UInt8]] {
        acts(in: bytesOf(bytes)).map(\.fragment)
    }

    /// Puts down, on disk, that the record in `state` is read by whoever runs this.
    package static func append(
        _ notice: RecordReadNotice, state: String
    ) throws(PendingReadError) {
        let path = state + name
        let me = herse_peer(pid: getpid(), uid: getuid(), gid: getgid())
        let now = UnixSeconds(Int64(time(nil))).description
        let read = PendingRead(at: now, by: Administrator(me).name, notice: notice)
        guard notice.isSound, let line = try? JSONEncoder().encode(read) else {
            throw PendingReadError(
                message: "what the record is read for makes no sense", hint: "shorten it")
        }
        // A gate that takes the file over while this waits for the lock removes it.
        for _ in 0..<5 {
            // Safe because the path is lent for the call.
            let descriptor = unsafe herse_open(
                path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
            guard descriptor >= 0 else { throw failure(path) }
            defer { close(descriptor) }
            guard flock(descriptor, LOCK_EX) == 0 else { throw failure(path) }
            guard isStill(path, descriptor) else { continue }
            return try write(Array(line) + [0x0A], to: descriptor, path, state)
        }
        throw PendingReadError(message: "\(path): is removed again and again", hint: "try again")
    }

    private static func isStill(_ path: String, _ descriptor: Int32) -> Bool {
        var (here, there) = (stat(), stat())
        // Safe because both structures are locals.
        return unsafe fstat(descriptor, &here) == 0 && lstat(path, &there) == 0
            && here.st_ino == there.st_ino && here.st_dev == there.st_dev
    }

    private static func write(
        _ line: [UInt8], to descriptor: Int32, _ path: String, _ state: String
    ) throws(PendingReadError) {
        var (file, folder) = (stat(), stat())
        // Safe because both structures are locals.
        guard unsafe fstat(descriptor, &file) == 0, unsafe stat(state, &folder) == 0,
            file.st_mode & S_IFMT == S_IFREG
        else { throw failure(path) }
        guard Int(file.st_size) + line.count <= bytesMax else {
            throw PendingReadError(
                message: "\(path): is full", hint: "start the gate, which takes it over")
        }
        // What root puts down, the gate's own user takes over.
        if geteuid() == 0, file.st_uid != folder.st_uid {
            guard fchown(descriptor, folder.st_uid, folder.st_gid) == 0 else { throw failure(path) }
        }
        // Safe because write reads at most the array.
        let count = unsafe Glibc.write(descriptor, line, line.count)
        guard count == line.count, fsync(descriptor) == 0 else {
            let error = failure(path)
            _ = ftruncate(descriptor, file.st_size)
            throw error
        }
        let place = unsafe herse_open(state, O_RDONLY | O_DIRECTORY, 0)
        guard place >= 0 else { throw failure(state) }
        defer { close(place) }
        guard fsync(place) == 0 else { throw failure(state) }
    }

    private static func failure(_ path: String) -> PendingReadError {
        // Safe because strerror's text is copied at once.
        let text = unsafe String(cString: strerror(errno)).lowercased()
        return PendingReadError(
            message: "\(path): \(text)",
            hint: "who reads the record has to say so: start the gate, or become its user or root, "
                + "or read a copy with --record")
    }
}
