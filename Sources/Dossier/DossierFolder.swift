// DossierFolder.swift: the folder of a dossier, there whole or not at all.

internal import Foundation
internal import Glibc

/// Why a dossier could not be written, and what to do about it.
package struct DossierError: Error, Equatable, Sendable {
    package let message: String
    package let hint: String

    package init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }
}

/// Files in a folder beside the one they are for, which gets its name when all are written.
package final class DossierFolder: DossierSink {
    private let path: String
    private let temporary: String
    /// What is not yet in its file.
    private var waiting: [String: [UInt8]] = [:]
    private var waitingBytes = 0
    private var files: Set<String> = []
    private var folders: Set<String> = []
    private var problem: DossierError?
    private var isDone = false

    /// Bytes that wait to be written, of one file and of all.
    private static let fileWaitingMax = 1 << 18
    private static let waitingMax = 16 << 20

    package var hasFailed: Bool { problem != nil }

    /// Where the files of a dossier at `path` are until all are there.
    package static func temporary(for path: String) -> String {
        bare(path) + ".making-\(getpid())"
    }

    private static func bare(_ path: String) -> String {
        var path = path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    /// Makes a temporary folder beside `path`, which must not exist, or be empty.
    package init(_ path: String) throws(DossierError) {
        let path = Self.bare(path)
        let found = try? FileManager.default.contentsOfDirectory(atPath: path)
        if let found, !found.isEmpty {
            throw DossierError(
                "\(path): exists and is not empty", hint: "name a folder that does not exist")
        }
        if found == nil, FileManager.default.fileExists(atPath: path) {
            throw DossierError("\(path): exists and is no folder", hint: "name another")
        }
        self.path = path
        temporary = Self.temporary(for: path)
        // Safe because the name outlives the call.
        guard unsafe mkdir(temporary, 0o700) == 0 else {
            throw DossierError(
                "\(temporary): cannot be made: \(systemWords())",
                hint: "name a folder with -o in one that you may write to")
        }
    }

    deinit { if !isDone { discard() } }

    /// Removes everything; nothing is left of a dossier that could not be made.
    package func discard() {
        isDone = true
        try? FileManager.default.removeItem(atPath: temporary)
    }

    package func append(_ path: String, _ text: String) {
        let bytes = text.utf8
        waiting[path, default: []].append(contentsOf: bytes)
        waitingBytes += bytes.count
        if (waiting[path]?.count ?? 0) > Self.fileWaitingMax {
            write(path)
        } else if waitingBytes > Self.waitingMax {
            for path in waiting.keys { write(path) }
        }
    }

    private func write(_ path: String) {
        guard let bytes = waiting.removeValue(forKey: path) else { return }
        waitingBytes -= bytes.count
        guard problem == nil else { return }
        makeFolder(of: path)
        let whole = temporary + "/" + path
        // Safe because the name outlives the call.
        let file = unsafe open(whole, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { return fail(path) }
        defer { close(file) }
        files.insert(path)
        var written = 0
        while written < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { bytes in
                // Safe because what is written lies within the bytes.
                unsafe Glibc.write(
                    file, bytes.baseAddress?.advanced(by: written), bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return fail(path) }
            written += count
        }
    }

    private func makeFolder(of path: String) {
        let parts = path.split(separator: "/").dropLast()
        var folder = temporary
        for part in parts {
            folder += "/" + part
            guard folders.insert(folder).inserted else { continue }
            // Safe because the name outlives the call.
            if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST { fail(path) }
        }
    }

    private func fail(_ path: String) {
        guard problem == nil else { return }
        problem = DossierError(
            "\(self.path)/\(path): cannot be written: \(systemWords())",
            hint: "make room, or name a folder on another disk with -o")
    }

    /// Writes everything out with `SHA256SUMS` over it, and gives the folder its name; returns the
    /// SHA-256 of `SHA256SUMS`, in hexadecimal digits.
    package func finish() throws(DossierError) -> String {
        for path in waiting.keys { write(path) }
        var sums = ""
        for file in files.sorted() { sums += "\(try sum(of: file))  \(file)\n" }
        append("SHA256SUMS", sums)
        write("SHA256SUMS")
        if let problem { throw problem }
        let sum = try sum(of: "SHA256SUMS")
        // A power cut after this must not leave a folder with that name and holes in it.
        for folder in folders + [temporary] { try sync(folder) }
        // Safe because both names outlive the call; an empty folder is replaced.
        guard unsafe rename(temporary, path) == 0 else {
            throw DossierError(
                "\(path): cannot be made: \(systemWords())", hint: "name another folder with -o")
        }
        isDone = true
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        try sync(parent.isEmpty ? "/" : parent)
        return sum
    }

    private func sync(_ folder: String) throws(DossierError) {
        // Safe because the name outlives the call.
        let descriptor = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { close(descriptor) }
        guard descriptor >= 0, fsync(descriptor) == 0 else {
            throw DossierError(
                "\(folder): cannot be made durable: \(systemWords())",
                hint: "is the disk in order?")
        }
    }

    private func sum(of file: String) throws(DossierError) -> String {
        let unread = DossierError(
            "\(path)/\(file): cannot be read again", hint: "is the disk in order?")
        if let problem { throw problem }
        guard let handle = FileHandle(forReadingAtPath: temporary + "/" + file) else {
            throw unread
        }
        defer { try? handle.close() }
        let digest = Digest()
        do {
            while let data = try handle.read(upToCount: 1 << 20), !data.isEmpty {
                digest.take(Array(data))
            }
            try handle.synchronize()
        } catch {
            throw unread
        }
        return hexadecimal(digest.finish())
    }
}

/// What the system says of the call that failed last.
private func systemWords() -> String {
    let number = errno
    // Safe because strerror answers a string for every number, copied at once.
    return unsafe strerror(number).map { unsafe String(cString: $0) } ?? "error \(number)"
}
