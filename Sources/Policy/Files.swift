// Files.swift: reading what an operator wrote, bounded and without surprises.

import Foundation

/// The folder a file stands in, as a prefix of paths: empty, or ending in "/".
func folder(of file: String) -> String {
    guard let slash = file.lastIndex(of: "/") else { return "" }
    return String(file[...slash])
}

/// A path named in `file`, from where the process stands.
func resolve(_ path: String, in file: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    var rest = Substring(path)
    while rest.hasPrefix("./") { rest = rest.dropFirst(2).drop { $0 == "/" } }
    return folder(of: file) + (rest.isEmpty ? "." : rest)
}

/// Whether a path names a folder, through symbolic links.
func isFolder(_ path: String) -> Bool {
    var status = stat()
    // Safe because the structure is a local.
    guard unsafe stat(path, &status) == 0 else { return false }
    return status.st_mode & S_IFMT == S_IFDIR
}

/// Why `path` cannot be read as a file; nil when it can.
func reasonUnreadable(_ path: String) -> String? {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return errorText() }
    guard status.st_mode & S_IFMT == S_IFREG else { return "not a file" }
    return unsafe access(path, R_OK) == 0 ? nil : errorText()
}

/// Whether anybody but its owner may read, write or run a file.
func isReadableByOthers(_ path: String) -> Bool {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    return status.st_mode & 0o077 != 0
}

/// The bytes of a file; of one longer than `sizeMax`, one byte more than that.
func readFile(_ path: String, sizeMax: Int) throws(Complaint) -> [UInt8] {
    // Without O_NONBLOCK a pipe named as configuration would stop a reload for good.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw Complaint("cannot be read: \(errorText())") }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
        throw Complaint("cannot be read: \(errorText())")
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw Complaint("cannot be read: not a file")
    }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= sizeMax {
        // Safe because read fills at most the piece's own bytes.
        let count = unsafe piece.withUnsafeMutableBytes {
            unsafe read(descriptor, $0.baseAddress, $0.count)
        }
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw Complaint("cannot be read: \(errorText())") }
        guard count > 0 else { break }
        bytes += piece[..<count]
    }
    return bytes
}

/// Names of the files of a folder that end in `suffix`, in byte order, hidden ones left out.
func files(of folder: String, suffix: String) throws(Complaint) -> [String] {
    do {
        return try FileManager.default.contentsOfDirectory(atPath: folder)
            .filter { $0.hasSuffix(suffix) && !$0.hasPrefix(".") }
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    } catch {
        throw Complaint("the folder cannot be read")
    }
}

private func errorText() -> String {
    switch errno {
    case ENOENT, ENOTDIR: "no such file"
    case EACCES, EPERM: "permission denied"
    case ELOOP: "too many symbolic links"
    case ENAMETOOLONG: "the name is too long"
    case EMFILE, ENFILE: "too many open files"
    case EISDIR: "not a file"
    default: "error \(errno)"
    }
}
