// Journal.swift: every order, on stable storage before it is acknowledged.
//
// INVARIANT: an order whose `append` returned is there after every later open. One whose `append`
// threw `notWritten` is not; of one that threw `broken` it is unknown: the caller says so and the
// operator repeats it.
//
// One order is appended in place; several at once, and a journal that has outgrown what it says,
// are written to a new file that takes the old one's name: all or nothing, and bounded growth.

/// Why the journal cannot be used, or an order was not kept.
package enum JournalError: Error, Equatable {
    /// Another process holds the lock of this state folder.
    case inUse(SystemFailure)
    case system(SystemFailure)
    /// The file is damaged at this byte, and not in the way a crash leaves it.
    case damaged(offset: Int, fault: JournalDamage)
    /// A reason, ticket or name is too long to keep.
    case textTooLong
    /// An order could not be written; the journal is as it was before.
    case notWritten(SystemFailure)
    /// It is unknown what reached the disk; nothing more is accepted until the journal is reopened.
    case broken(SystemFailure)
}

/// What is wrong with a journal that a crash cannot have left so.
package enum JournalDamage: Equatable, Sendable {
    /// Not a journal, or one of another version of Herse.
    case header
    /// A line that is no line of a journal.
    case line
    case checksum
    /// A line is missing or stands twice.
    case number(expected: UInt64)
    /// A whole line that this version does not understand.
    case content
}

/// What was found when a journal was opened.
package struct JournalOpening: Sendable {
    /// The last order about each subject, in the order they were given.
    package let commands: [Command]
    /// Bytes of an order that a crash cut short, and that were dropped; it was not acknowledged.
    package let tornBytes: Int
}

/// The one writer of the journal.
package struct Journal<File: JournalFile & ~Copyable>: ~Copyable {
    private var file: File
    private var length: Int
    private var lines: UInt64
    private var live: LiveCommands
    private var brokenBy: SystemFailure?

    /// Lines a journal may have beyond four for each subject it speaks of.
    private let slackLines: UInt64

    /// What `open` found; orders appended since are not in it.
    package let opening: JournalOpening

    /// Reads the journal, cuts off what a crash left unfinished, and makes it ready to append.
    package static func open(
        _ file: consuming File, now: UnixSeconds, slackLines: UInt64 = 1024
    ) throws(JournalError) -> Journal {
        var file = file
        let (replay, size) = try replayed(&file)
        var journal = Journal(file, replay, size: size, slackLines: slackLines)
        if replay.length == 0 {
            try journal.rewrite(now: now)
            return journal
        }
        if !replay.endsInLineFeed { try journal.endLastLine() }
        if replay.length < size { try journal.cutTail() }
        // A full disk must not keep a gate from starting with an order that is already kept.
        if journal.isOvergrown {
            do { try journal.rewrite(now: now) } catch .notWritten {}
        }
        return journal
    }

    private init(
        _ file: consuming File, _ replay: JournalReplay, size: Int, slackLines: UInt64
    ) {
        self.file = file
        self.slackLines = slackLines
        live = replay.live
        lines = replay.lines
        length = replay.length
        brokenBy = nil
        opening = JournalOpening(commands: live.inOrder, tornBytes: size - replay.length)
    }

    package var isBroken: Bool { brokenBy != nil }

    /// The file, to open it again.
    consuming func reopening() -> File { file }

    /// Returns once `command` is on stable storage.
    package mutating func append(_ command: Command) throws(JournalError) {
        try append([command])
    }

    /// Returns once all of `commands` are on stable storage; a crash keeps all of them or none.
    package mutating func append(_ commands: [Command]) throws(JournalError) {
        if let brokenBy { throw .broken(brokenBy) }
        guard let first = commands.first else { return }
        for command in commands where !command.isKeepable { throw .textTooLong }
        guard commands.count == 1, !isOvergrown else {
            let before = live
            for command in commands { live.obey(command) }
            do { try rewrite(now: first.at) } catch {
                live = before
                // A disk without room for a second copy may have some for one more line.
                guard case .notWritten = error, commands.count == 1 else { throw error }
                try appendInPlace(first)
                live.obey(first)
            }
            return
        }
        try appendInPlace(first)
        live.obey(first)
    }

    private var isOvergrown: Bool { lines > 4 * UInt64(live.count) + slackLines }

    private mutating func appendInPlace(_ command: Command) throws(JournalError) {
        let line = journalLine(command, number: lines + 1)
        do {
            try file.write(line, at: length)
        } catch {
            // What was written of it is taken back, and that durably: the next order is written
            // over the same bytes, and a power cut that kept some of either would leave what
            // looks like damage. If the machine stops before, the next open finds a torn last
            // line and drops it.
            do {
                try file.truncate(to: length)
                try file.sync()
            } catch {
                brokenBy = error
                throw .broken(error)
            }
            throw .notWritten(error)
        }
        do {
            try file.sync()
        } catch {
            // After a failed sync the kernel may have dropped the pages and marked them clean: a
            // second sync that succeeds would prove nothing.
            brokenBy = error
            try? file.truncate(to: length)
            throw .broken(error)
        }
        length += line.count
        lines += 1
    }

    /// Ends a last line of which only the end is missing; the order is whole.
    private mutating func endLastLine() throws(JournalError) {
        do {
            try file.write([0x0A], at: length)
            try file.sync()
        } catch { throw .system(error) }
        length += 1
    }

    /// Drops what a crash left of an order that was never acknowledged.
    private mutating func cutTail() throws(JournalError) {
        do {
            try file.truncate(to: length)
            try file.sync()
        } catch { throw .system(error) }
    }

    /// Writes the last order about each subject to a new file that takes the old one's name.
    private mutating func rewrite(now: UnixSeconds) throws(JournalError) {
        live.forget(now: now)
        var bytes = Array(journalHeader.utf8)
        var number: UInt64 = 0
        for command in live.inOrder {
            number += 1
            bytes += journalLine(command, number: number)
        }
        do { try file.stage(bytes) } catch { throw .notWritten(error) }
        do { try file.adoptStaged() } catch {
            brokenBy = error
            throw .broken(error)
        }
        length = bytes.count
        lines = number
    }
}

extension Journal: Sendable where File: Sendable & ~Copyable {}

extension Journal where File == DiskJournalFile {
    /// Opens the journal of a state folder and takes its lock.
    package static func open(
        stateFolder: String, now: UnixSeconds
    ) throws(JournalError) -> Journal<DiskJournalFile> {
        let file: DiskJournalFile
        do { file = try DiskJournalFile(stateFolder: stateFolder) } catch {
            throw error.call == "flock" ? .inUse(error) : .system(error)
        }
        return try open(file, now: now)
    }
}

extension Command {
    var isKeepable: Bool {
        reason.utf8.count <= Self.textMax && by.utf8.count <= Self.textMax
            && (ticket?.utf8.count ?? 0) <= Self.textMax
    }
}

/// The last order about each subject.
struct LiveCommands {
    private var bySubject: [Subject: (order: UInt64, command: Command)] = [:]
    private var given: UInt64 = 0

    var count: Int { bySubject.count }

    var inOrder: [Command] {
        bySubject.values.sorted { $0.order < $1.order }.map(\.command)
    }

    mutating func obey(_ command: Command) {
        given += 1
        bySubject[command.subject] = command.verb == .settle ? nil : (given, command)
    }

    mutating func forget(now: UnixSeconds) {
        bySubject = bySubject.filter { !$0.value.command.isForgettable(at: now) }
    }
}

/// What a journal says, and its size in bytes.
private func replayed<File: JournalFile & ~Copyable>(
    _ file: inout File
) throws(JournalError) -> (JournalReplay, size: Int) {
    let bytes: [UInt8]
    do { bytes = try file.read() } catch { throw .system(error) }
    return (try JournalReplay(bytes), bytes.count)
}

/// What the bytes of a journal say.
private struct JournalReplay {
    var live = LiveCommands()
    var lines: UInt64 = 0
    /// Bytes that are header and whole lines.
    var length = 0
    var endsInLineFeed = true

    init(_ bytes: [UInt8]) throws(JournalError) {
        let header = Array(journalHeader.utf8)
        if bytes.count < header.count,
            header.starts(with: bytes) || !bytes.contains(where: { $0 != 0 })
        {
            return  // Made, and cut short before its first order.
        }
        guard bytes.starts(with: header) else { throw .damaged(offset: 0, fault: .header) }
        length = header.count
        while length < bytes.count {
            var end = length
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            let line = bytes.span.extracting(length..<end)
            do {
                live.obey(try readJournalLine(line, number: lines + 1))
            } catch {
                if isTorn(bytes, from: length, fault: error) { return }
                throw .damaged(offset: length, fault: JournalDamage(error))
            }
            lines += 1
            endsInLineFeed = end < bytes.count
            length = min(end + 1, bytes.count)
        }
    }

    /// Whether a crash leaves such an end.
    ///
    /// It does leave one line without its line feed, or with bytes that never reached the disk
    /// and read as zero. A whole last line with a wrong checksum is rot: to
    /// drop it could restore someone who was cut off.
    private func isTorn(_ bytes: [UInt8], from start: Int, fault: JournalLineFault) -> Bool {
        let rest = bytes[start...]
        guard rest.count <= journalLineMax else { return false }
        guard let lineFeed = rest.firstIndex(of: 0x0A) else { return true }
        return lineFeed == bytes.count - 1 && rest.contains(0)
    }
}

extension JournalDamage {
    fileprivate init(_ fault: JournalLineFault) {
        switch fault {
        case .noFrame: self = .line
        case .checksum: self = .checksum
        case .number(let expected): self = .number(expected: expected)
        case .content: self = .content
        }
    }
}

extension JournalError {
    /// What is wrong, for a person; `file` is the journal's path.
    package func message(file: String) -> String {
        switch self {
        case .inUse: "\(file): another gate is using this state folder"
        case .system(let failure): failure.description
        case .damaged(let offset, .header):
            "\(file):\(offset): not a neutralization journal, or one of another version"
        case .damaged(let offset, .line): "\(file):\(offset): damaged: not a line of the journal"
        case .damaged(let offset, .checksum): "\(file):\(offset): damaged: checksum does not match"
        case .damaged(let offset, .number(let expected)):
            "\(file):\(offset): damaged: line number \(expected) is missing"
        case .damaged(let offset, .content):
            "\(file):\(offset): a line that this version does not understand"
        case .textTooLong:
            "reason, ticket or name is longer than \(Command.textMax) bytes"
        case .notWritten(let failure): "not kept, nothing changed: \(failure)"
        case .broken(let failure): "not known to be kept: \(failure)"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .inUse: "stop the other `herse serve`, or give this one its own `state`"
        case .system: "the state folder must be readable and writable by the gate alone"
        case .damaged(_, .content), .damaged(_, .header):
            "start the version of herse that wrote it, or restore the file from a copy"
        case .damaged(let offset, _):
            "restore the file from a copy; or, to go on with what comes before, copy it, cut it "
                + "with `truncate -s \(offset)`, and neutralize again whoever the copy names later"
        case .textTooLong: "shorten it"
        case .notWritten: "free space on the disk, then repeat the command"
        case .broken: "look at the disk, restart the gate, then repeat the command"
        }
    }
}
