// ExportFile.swift: what an export is written to: a file or a folder that is there when it is whole.

internal import CSystem
internal import Glibc

/// Where an export goes.
package enum ExportPlace: Equatable, Sendable {
    case standardOutput
    /// One file, which appears when all is in it.
    case file(String)
    /// A folder with one file for each document, likewise.
    case folder(String)
}

/// One export being written; what is not finished leaves nothing behind.
final class ExportFile {
    private let place: ExportPlace
    private let isForced: Bool
    private let draft: String
    private var descriptor: Int32 = -1
    private var buffer: [UInt8] = []
    private var documents = 0
    private var isFinished = false

    /// Bytes that are written at once.
    private static let bufferSize = 1 << 18

    init(_ place: ExportPlace, isForced: Bool) throws(ExportError) {
        self.place = place
        self.isForced = isForced
        switch place {
        case .standardOutput:
            draft = ""
            descriptor = dup(1)
            guard descriptor >= 0 else { throw ExportError("standard output: cannot be written") }
        case .file(let path):
            draft = "\(path).\(getpid()).new"
            try Self.mustBeFree(path, isForced)
            descriptor = try Self.create(draft)
        case .folder(let path):
            draft = "\(trimmed(path)).\(getpid()).new"
            try Self.mustBeFree(trimmed(path), isForced)
            // Safe because the path outlives the call.
            guard unsafe mkdir(draft, 0o700) == 0 else { throw Self.problem(path) }
        }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        guard !isFinished, !draft.isEmpty else { return }
        remove(draft)
    }

    /// Whether each document is a file of its own.
    var isFolder: Bool {
        if case .folder = place { return true }
        return false
    }

    func write(_ bytes: [UInt8]) throws(ExportError) {
        buffer += bytes
        if buffer.count >= Self.bufferSize { try flush() }
    }

    /// Writes a document into a file of its own, `00000001.xml` and so on.
    func writeDocument(_ bytes: [UInt8], ending: String) throws(ExportError) {
        documents += 1
        let digits = String(documents)
        let name = String(repeating: "0", count: max(0, 8 - digits.utf8.count)) + digits
        let path = "\(draft)/\(name).\(ending)"
        let file = try Self.create(path)
        defer { close(file) }
        guard writeWhole(file, bytes) else { throw Self.problem(path) }
    }

    /// Puts the whole in its place.
    func finish() throws(ExportError) {
        switch place {
        case .standardOutput: try flush()
        case .file(let path):
            try flush()
            // Safe because both paths outlive the call.
            guard fsync(descriptor) == 0, unsafe rename(draft, path) == 0 else {
                throw Self.problem(path)
            }
            syncFolder(of: path)
        case .folder(let path):
            let path = trimmed(path)
            let former = "\(path).\(getpid()).old"
            // Safe because every path outlives its call.
            let moved = unsafe isForced ? rename(path, former) : -1
            let hasFormer = moved == 0
            guard unsafe rename(draft, path) == 0 else {
                let problem = Self.problem(path)
                if hasFormer { _ = unsafe rename(former, path) }
                throw problem
            }
            if hasFormer { remove(former) }
            syncFolder(of: path)
        }
        isFinished = true
    }

    private func flush() throws(ExportError) {
        guard writeWhole(descriptor, buffer) else {
            switch place {
            case .standardOutput:
                throw ExportError("standard output: cannot be written: \(systemText(errno))")
            case .file(let path), .folder(let path): throw Self.problem(path)
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }

    private static func mustBeFree(_ path: String, _ isForced: Bool) throws(ExportError) {
        var status = stat()
        // Safe because path and result outlive the call.
        guard unsafe lstat(path, &status) == 0 else { return }
        let kind = status.st_mode & S_IFMT
        // What takes its name would take a device's place: root has one `/dev/null`.
        guard [S_IFREG, S_IFDIR, S_IFLNK].contains(kind) else {
            throw ExportError(
                "\(path): is no ordinary file", hint: "write to standard output, with -o -")
        }
        if isForced { return }
        throw ExportError(
            "\(path): is there already", hint: "choose another place, or replace it by --force")
    }

    private static func create(_ path: String) throws(ExportError) -> Int32 {
        // Safe because the path outlives the call.
        let file = unsafe herse_open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw problem(path) }
        return file
    }

    private static func problem(_ path: String) -> ExportError {
        ExportError("\(path): cannot be written: \(systemText(errno))")
    }
}

private func trimmed(_ path: String) -> String {
    var path = path
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    return path
}
