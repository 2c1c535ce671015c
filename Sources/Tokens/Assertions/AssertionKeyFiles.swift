// AssertionKeyFiles.swift: private keys in a folder, each in a file that is there whole or not at
// all.

internal import COpenSSL
internal import Glibc

/// Why the keys of assertions cannot be kept, for people.
package struct AssertionKeyError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or folder.
    package let path: String
    package let problem: String
    package let hint: String

    package var description: String { "\(path): \(problem) (\(hint))" }
}

/// The folder with the files `assertion-SECONDS.pem`, named by when a key begins to sign.
struct AssertionKeyFiles: Sendable {
    let folder: String

    /// Files that are read: two or three are needed.
    static let filesMax = 64
    private static let bytesMax = 4096

    func path(beginsAt: Int64) -> String { "\(folder)/assertion-\(beginsAt).pem" }

    /// Makes the folder when there is none, and clears what a stop left half done.
    func prepare() throws(AssertionKeyError) {
        // Safe because the name outlives the call, here and below.
        if unsafe mkdir(folder, 0o700) == 0 {
            guard sync(folder + "/..") else { throw failure(folder, "the folder cannot be made") }
        } else if errno != EEXIST {
            throw failure(folder, "the folder cannot be made")
        }
        var status = stat()
        // Safe because the result lives on the stack for the call.
        guard unsafe lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw AssertionKeyError(
                path: folder, problem: "not a folder", hint: "move what is there away")
        }
        guard status.st_mode & 0o022 == 0 else {
            throw AssertionKeyError(
                path: folder, problem: "others may write to the folder", hint: "chmod 700")
        }
        for beginsAt in try list(".pem.new") { unsafe unlink(path(beginsAt: beginsAt) + ".new") }
    }

    /// When each key that is there begins, in order.
    func list() throws(AssertionKeyError) -> [Int64] { try list(".pem") }

    private func list(_ ending: String) throws(AssertionKeyError) -> [Int64] {
        guard let handle = unsafe opendir(folder) else {
            throw failure(folder, "the folder cannot be read")
        }
        defer { unsafe closedir(handle) }
        var found: [Int64] = []
        while let entry = unsafe readdir(handle) {
            // Safe because the name ends with a zero within the entry, which stays until the next.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    unsafe String(cString: name)
                }
            }
            guard name.hasPrefix("assertion-"), name.hasSuffix(ending) else { continue }
            let digits = name.dropFirst("assertion-".count).dropLast(ending.count)
            // Only names that this file writes: digits, and none too many.
            guard let seconds = Int64(digits), (0...Claims.secondsMax).contains(seconds),
                String(seconds) == digits
            else { continue }
            found.append(seconds)
            guard found.count <= Self.filesMax else {
                throw AssertionKeyError(
                    path: folder, problem: "more than \(Self.filesMax) keys",
                    hint: "keep the newest two")
            }
        }
        return found.sorted()
    }

    func read(beginsAt: Int64) throws(AssertionKeyError) -> SigningKey {
        let path = path(beginsAt: beginsAt)
        // Safe because the name outlives the call.
        let file = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard file >= 0 else { throw failure(path, "the key cannot be read") }
        defer { close(file) }
        var status = stat()
        // Safe because the result lives on the stack for the call.
        guard unsafe fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw AssertionKeyError(path: path, problem: "not a file", hint: "move it away")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw AssertionKeyError(
                path: path, problem: "others may read this private key",
                hint: "chmod 600, and delete it if somebody may have")
        }
        var pem = [UInt8](repeating: 0, count: Self.bytesMax)
        defer { unsafe OPENSSL_cleanse(&pem, pem.count) }
        // Safe because no more is read than there is room for.
        let count = unsafe Glibc.read(file, &pem, pem.count)
        guard count > 0, count < pem.count, let key = SigningKey.read(pem: pem) else {
            throw AssertionKeyError(
                path: path, problem: "no private key on P-256",
                hint: "move it away, and another is made")
        }
        return key
    }

    /// Writes a key under another name, and gives it its own once it is safe on the disk.
    func write(_ key: SigningKey, beginsAt: Int64) throws(AssertionKeyError) {
        let path = path(beginsAt: beginsAt)
        let fresh = path + ".new"
        guard var pem = key.pem() else {
            throw AssertionKeyError(
                path: path, problem: "the key cannot be written as PEM", hint: "restart the gate")
        }
        defer { unsafe OPENSSL_cleanse(&pem, pem.count) }
        // One may be left by a process that was stopped.
        // Safe because both names outlive the calls that take them, here and below.
        unsafe unlink(fresh)
        let file = unsafe open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure(path, "the key cannot be made") }
        // Safe because the bytes outlive the call.
        let written = unsafe Glibc.write(file, pem, pem.count)
        let isSafe = written == pem.count && fsync(file) == 0
        let problem = errno
        close(file)
        guard isSafe, unsafe rename(fresh, path) == 0, sync(folder) else {
            let reason = isSafe ? errno : problem
            unsafe unlink(fresh)
            throw AssertionKeyError(
                path: path, problem: "the key cannot be written: \(words(reason))",
                hint: "look at the disk")
        }
    }

    private func sync(_ folder: String) -> Bool {
        // Safe because the name outlives the call.
        let handle = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else { return false }
        defer { close(handle) }
        return fsync(handle) == 0
    }

    /// Safe because the name outlives the call.
    func remove(beginsAt: Int64) { unsafe unlink(path(beginsAt: beginsAt)) }

    private func failure(_ path: String, _ problem: String) -> AssertionKeyError {
        AssertionKeyError(
            path: path, problem: "\(problem): \(words(errno))",
            hint: "the gate's user must own the state folder")
    }
}

private func words(_ code: Int32) -> String {
    // Safe because the text is copied before another call can change it.
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text).lowercased()
}
