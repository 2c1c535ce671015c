// DirectoryLoading.swift: from files to a directory, or to why there is none.
//
// No column of the extracts says that somebody has left: whoever stops is no longer in the next
// edition. So two editions of one extract, `NAME_YYYYMMDDHHMM.txt` both, are compared: the newest
// says who is there, and who is only in an older one has left. Files without a date in their name
// are all of today.

import CSystem
import Glibc

/// What came of loading.
package struct DirectoryLoad: Sendable {
    /// Nil when a file cannot be believed.
    package let directory: Directory?
    /// The first hundred, in the order of the files and their lines.
    package let problems: [DirectoryProblem]
    /// All of them.
    package let problemCount: Int

    package static let problemsMax = 100
}

/// Reads the directory's files; blocks for some seconds.
package func loadDirectory(_ paths: [String]) -> DirectoryLoad {
    var loading = Loading(names: paths)
    for (index, path) in paths.enumerated() {
        loading.read(index) { (loading, reader) throws(DirectoryFault) in
            try loading.readFile(path, &reader)
        }
    }
    return loading.finish()
}

/// Reads texts as if they were files.
package func readDirectory(_ texts: [(name: String, bytes: [UInt8])]) -> DirectoryLoad {
    var loading = Loading(names: texts.map(\.name))
    for (index, text) in texts.enumerated() {
        loading.read(index) { (loading, reader) throws(DirectoryFault) in
            let bytes = text.bytes
            _ = try loading.read(bytes.span, isLast: true, &reader)
        }
    }
    return loading.finish()
}

private struct Loading {
    /// Bytes read at once.
    static let blockSize = 4 << 20

    let names: [String]
    let editions: [Edition]
    var builder = DirectoryBuilder()
    var problems: [DirectoryProblem] = []
    var problemCount = 0
    var isBelieved = true
    /// Lines of each file.
    var lines: [Int]

    init(names: [String]) {
        self.names = names
        editions = names.map { Edition($0) }
        lines = [Int](repeating: 0, count: names.count)
    }

    mutating func read(
        _ file: Int,
        _ body: (inout Loading, inout DirectoryReader) throws(DirectoryFault) -> Void
    ) {
        let isCurrent = !editions.contains { editions[file].isOlder(than: $0) }
        var reader = DirectoryReader(file: file, isCurrent: isCurrent)
        do throws(DirectoryFault) {
            try body(&self, &reader)
        } catch {
            note(file, line: reader.line, error)
        }
        lines[file] = reader.line
    }

    mutating func note(_ file: Int, line: Int, _ fault: DirectoryFault) {
        problemCount += 1
        if fault.isFatal { isBelieved = false }
        // What is fatal is told even when a hundred lines were bad before.
        guard problems.count < DirectoryLoad.problemsMax || fault.isFatal else { return }
        problems.append(DirectoryProblem(file: names[file], line: line, fault: fault))
    }

    mutating func read(
        _ bytes: Span<UInt8>, isLast: Bool, _ reader: inout DirectoryReader
    ) throws(DirectoryFault) -> Int {
        var noted: [(Int, DirectoryFault)] = []
        var dropped = 0
        defer {
            for (line, fault) in noted { note(reader.file, line: line, fault) }
            problemCount += dropped
        }
        return try reader.read(bytes, isLast: isLast, into: &builder) { line, fault in
            if noted.count < DirectoryLoad.problemsMax {
                noted.append((line, fault))
            } else {
                dropped += 1
            }
        }
    }

    mutating func readFile(
        _ path: String, _ reader: inout DirectoryReader
    ) throws(DirectoryFault) {
        // Not blocked by a FIFO put there by mistake. Safe because the path outlives the call.
        let number = unsafe herse_open(path, O_RDONLY | O_NONBLOCK, 0)
        guard number >= 0 else { throw .unreadable(errno) }
        defer { close(number) }
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(number, &status) == 0 else { throw .unreadable(errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(EINVAL) }
        guard status.st_size <= DirectoryReader.fileMax else { throw .tooLarge }
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        var (kept, total) = (0, 0)
        while true {
            let room = kept
            // Safe because what is read lies between `room` and the end of the block.
            let got = unsafe block.withUnsafeMutableBytes { bytes in
                unsafe Glibc.read(
                    number, bytes.baseAddress.map { unsafe $0 + room }, bytes.count - room)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .unreadable(errno) }
            total += got
            guard total <= DirectoryReader.fileMax else { throw .tooLarge }
            let filled = kept + got
            let done = try read(block.span.extracting(0..<filled), isLast: got == 0, &reader)
            guard got > 0 else { return }
            // A line that fills a block is longer than any may be, and was passed over.
            kept = filled - done
            for index in 0..<kept { block[index] = block[done + index] }
        }
    }

    consuming func finish() -> DirectoryLoad {
        judgeSizes()
        var refused: [(Int, Int)] = []
        builder.joinPairs { refused.append(($0, $1)) }
        for (file, line) in refused { note(file, line: line, .otherCorrespondence) }
        let (problems, count, isBelieved) = (problems, problemCount, isBelieved)
        return DirectoryLoad(
            directory: isBelieved ? Directory(builder) : nil, problems: problems,
            problemCount: count)
    }

    /// Whoever is missing from half a file has not left.
    private mutating func judgeSizes() {
        for file in names.indices {
            let older = names.indices.filter { editions[$0].isOlder(than: editions[file]) }
            guard let before = older.map({ lines[$0] }).max(), lines[file] * 2 < before else {
                continue
            }
            note(file, line: 0, .shrunk(lines: lines[file], before: before))
        }
    }
}

/// Which extract a file is, and of when, by its name.
private struct Edition {
    let stem: String
    /// Digits of the date; nil when there is none.
    let stamp: String?

    init(_ path: String) {
        let name = path.split(separator: "/").last ?? ""
        let bare = name.split(separator: ".", omittingEmptySubsequences: false).first ?? name
        let stamp = bare.split(separator: "_", omittingEmptySubsequences: false).last ?? ""
        let isDate =
            [8, 12, 14].contains(stamp.utf8.count)
            && stamp.utf8.allSatisfy { (0x30...0x39).contains($0) }
        self.stamp = isDate ? String(stamp) : nil
        stem = isDate ? String(bare.dropLast(stamp.count)) : String(name)
    }

    func isOlder(than other: Edition) -> Bool {
        guard stem == other.stem, let stamp, let newer = other.stamp else { return false }
        return stamp.utf8.lexicographicallyPrecedes(newer.utf8)
    }
}
