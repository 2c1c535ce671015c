// DirectoryFiles.swift: the professionals' directory, read again only when its files have changed.

internal import CSystem
package import Directory
internal import Glibc
package import Policy

/// The directory in memory, and the files it is from.
package final class LoadedDirectory: Sendable {
    package let directory: Directory
    fileprivate let stamps: [FileStamp]
    /// Seconds since 1970 at which the newest of its files was written.
    package let changed: Int64

    fileprivate init(_ directory: Directory, _ stamps: [FileStamp]) {
        self.directory = directory
        self.stamps = stamps
        changed = stamps.map(\.seconds).max() ?? 0
    }
}

/// What tells that a file is still the one that was read.
private struct FileStamp: Equatable, Sendable {
    var path: String
    var inode: UInt64
    var size: Int64
    var seconds: Int64
    var nanoseconds: Int64

    /// Nil when there is no such file.
    init?(_ path: String) {
        var status = stat()
        // Safe because the structure is a local.
        guard unsafe stat(path, &status) == 0 else { return nil }
        self.path = path
        inode = UInt64(status.st_ino)
        size = Int64(status.st_size)
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
    }
}

/// Reads the directory's files, unless they are those that `former` was read from.
///
/// - Parameters:
///   - rule: Which files.
///   - former: What was read before.
/// - Returns: nothing when a file cannot be believed; every problem at its line, or at `rule` when
///   there are more than are told one by one.
package func loadDirectory(
    _ rule: DirectoryRule, after former: LoadedDirectory? = nil
) -> (directory: LoadedDirectory?, diagnostics: [Diagnostic]) {
    // Before anything is read: a file replaced meanwhile makes the next reload read it again.
    let stamps = rule.files.compactMap { FileStamp($0.path) }
    if let former, former.stamps == stamps, stamps.count == rule.files.count {
        return (former, [])
    }
    let load = loadDirectory(rule.files.map(\.path))
    var diagnostics = load.problems.map { problem in
        Diagnostic(
            SourceLocation(file: problem.file, line: max(1, problem.line), column: 1),
            problem.fault.isFatal ? .error : .warning, problem.fault.message,
            hint: problem.fault.hint)
    }
    if load.problemCount > load.problems.count {
        diagnostics.append(
            Diagnostic(
                rule.place, .warning,
                "the directory has \(load.problemCount - load.problems.count) more bad lines"))
    }
    return (load.directory.map { LoadedDirectory($0, stamps) }, diagnostics)
}
