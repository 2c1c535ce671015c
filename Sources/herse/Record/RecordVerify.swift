// RecordVerify.swift: herse record verify: whether the record is what the gate wrote.

import ArgumentParser
import Foundation
import RecordReading
import Transparency

struct RecordVerifyCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove that the record was not touched, or say where.",
        discussion: """
            Reads every entry, derives every hash anew and holds it against the gate's checkpoints: \
            an entry that was changed, left out or put elsewhere, a segment that is missing or was \
            replaced, a checkpoint that was forged, an end that was cut off. Needs no gate and \
            changes nothing; the record may be written meanwhile. With an auditor's key it also \
            opens every entry. Purged segments are taken by the proof they left.

            Without --key the record's own key is believed: whoever owned the gate could have \
            signed another record. Compare the key that is shown with the one written down at the \
            first start, or give that with --key; and give what a witness kept with --witness, \
            which alone tells whether the last entries are there.

            Exits 0 when the record is intact, 1 when it is not, or when there is nothing to prove \
            it by. Segments of a gate before 0.2 are signed by nothing, and one whose head was taken \
            away looks the same: --unsigned-through takes those up to a number as they are.

            Examples:
              herse record verify
              herse record verify --witness /mnt/vault/herse.checkpoints
              herse record verify --record copy/record --key gate.pub --json
            """)

    @OptionGroup var source: RecordOptions

    @Option(
        help: ArgumentHelp(
            "The gate's public key, NAME+HASH+KEY, or a file that holds it; may be given several "
                + "times after the key was changed.", valueName: "key"))
    var key: [String] = []

    @Option(
        help: ArgumentHelp(
            "Checkpoints that a witness kept, one or many in a file.", valueName: "file"),
        completion: .file())
    var witness: [String] = []

    @Option(
        help: ArgumentHelp(
            "The last segment that a gate before 0.2 wrote, which nothing signs.",
            valueName: "segment"))
    var unsignedThrough: Int?

    @OptionGroup var output: OutputOption

    func validate() throws {
        if let number = unsignedThrough, number < 0 {
            throw ValidationError("--unsigned-through: is no segment's number")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let keys = try verifierKeys(key)
        var witnessed: [WitnessedCheckpoint] = []
        for file in witness { witnessed += try witnessedCheckpoints(file, console) }
        let auditorKeys = try source.auditorKeys()
        let verifier = try passing { () throws(RecordReadingError) in
            try RecordVerifier(
                folder: source.folder, auditorKeys: auditorKeys, keys: keys, witnessed: witnessed,
                unsignedThrough: unsignedThrough ?? -1)
        }
        let line = ProgressLine(console)
        let total = verifier.bytes
        var done = 0
        let found = try passing { () throws(RecordReadingError) in
            try verifier.verify { bytes in
                done += bytes
                line.update("verifying", done, of: total)
                return true
            }
        }
        line.end()
        let report = VerificationReport(found, folder: source.folder)
        console.print(output.json ? json(report) : report.text)
        return found.isIntact ? .done : .refused
    }
}

/// Reads verifier keys, each spelled or in a file.
func verifierKeys(_ texts: [String]) throws(Failure) -> [NoteVerifier] {
    var keys: [NoteVerifier] = []
    for text in texts {
        if let key = NoteVerifier(text) {
            keys.append(key)
            continue
        }
        guard FileManager.default.fileExists(atPath: text) || text.count(where: { $0 == "+" }) < 2
        else {
            throw Failure(
                "\(text): is no key of a gate (NAME+HASH+KEY), and no file has that name",
                hint: "`herse record keys` prints it")
        }
        let spelled = String(decoding: try keyFile(text), as: UTF8.self)
        let lines = spelled.split(separator: "\n").compactMap { NoteVerifier(String($0)) }
        guard !lines.isEmpty else {
            throw Failure(
                "\(text): holds no key of a gate (NAME+HASH+KEY)",
                hint: "`herse record keys` prints it")
        }
        keys += lines
    }
    return keys
}

/// Reads the notes of a file, one after another; each begins where the signatures before it end.
///
/// A witness whose disk was full or lost power has part of one among them.
private func witnessedCheckpoints(
    _ file: String, _ console: Console
) throws(Failure) -> [WitnessedCheckpoint] {
    guard let data = FileManager.default.contents(atPath: file) else {
        throw Failure("\(file): cannot be read", hint: "is it there, and yours to read?")
    }
    var found: [WitnessedCheckpoint] = []
    var note = ""
    var isSigned = false
    var torn = 0
    func take() {
        guard !note.isEmpty else { return }
        // What a torn note left stands before the next, which is no longer than a note may be.
        var rest = Substring(note.utf8.suffix(SignedNote.lengthMax))
        while !rest.isEmpty {
            if let read = SignedNote(String(rest)),
                let one = WitnessedCheckpoint(source: file, note: read)
            {
                found.append(one)
                break
            }
            rest = rest.drop { $0 != "\n" }.dropFirst()
        }
        if rest.count < note.count { torn += 1 }
        note = ""
        isSigned = false
    }
    for line in String(decoding: data, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
    {
        let signs = line.hasPrefix("— ")
        if isSigned, !signs { take() }
        if note.isEmpty, line.isEmpty { continue }
        note += line + "\n"
        isSigned = signs
    }
    take()
    guard !found.isEmpty else {
        throw Failure(
            "\(file): holds no checkpoint",
            hint: "give what a witness of `record: {witnesses: …}` kept")
    }
    if torn > 0 {
        console.talk("\(file): \(torn) of its notes are torn, and left out: was its disk full?")
    }
    return found
}

/// What `herse record verify` says.
struct VerificationReport: Encodable {
    struct Flaw: Encodable {
        let segment: Int?
        let entry: UInt64?
        let what: String
    }

    struct Purged: Encodable {
        let segment: Int
        let first: UInt64
        let ends: UInt64
        let purgedAt: String
        let reason: String
    }

    let folder: String
    let intact: Bool
    let origin: String
    let key: String?
    let entries: UInt64
    let root: String
    let segments: Int
    let bytes: Int
    let checkpoints: Int
    let checkpoint: String?
    let unsigned: UInt64
    let sealed: UInt64
    let opened: UInt64
    let purged: [Purged]
    let unprotectedSegments: [Int]
    let firstBadEntry: UInt64?
    let flaws: [Flaw]
    let notes: [String]

    init(_ found: Verification, folder: String) {
        self.folder = folder
        intact = found.isIntact
        origin = found.origin
        key = found.key?.text
        entries = found.size
        root = found.root.base64
        segments = found.segments
        bytes = found.bytes
        checkpoints = found.checkpoints
        checkpoint = found.checkpoint
        unsigned = found.unsigned
        sealed = found.sealed
        opened = found.opened
        purged = found.purged.map {
            Purged(
                segment: $0.segment, first: $0.entries.lowerBound, ends: $0.entries.upperBound,
                purgedAt: $0.purgedAt, reason: $0.reason)
        }
        unprotectedSegments = found.untold
        firstBadEntry = found.flaws.compactMap(\.entry).min()
        flaws = found.flaws.map { Flaw(segment: $0.segment, entry: $0.entry, what: $0.what) }
        notes = found.notes
    }

    var text: String {
        var lines = ["record       \(folder)"]
        func add(_ name: String, _ value: String) {
            let padding = String(repeating: " ", count: max(1, 13 - name.count))
            lines.append(name + padding + printable(value))
        }
        if let key {
            add("origin", origin)
            add("signed by", key)
        }
        add("entries", "\(entries) in \(counted(segments, "segment")), \(bytes) bytes")
        if key != nil { add("root", root) }
        if checkpoints > 0 {
            add("checkpoints", "\(checkpoints); \(counted(unsigned, "entry")) after the last")
        }
        if sealed > 0 { add("sealed", "\(sealed), of which \(opened) were opened") }
        for one in purged {
            add(
                "purged",
                "segment \(one.segment), entries \(one.first) to \(one.ends - min(1, one.ends)), "
                    + "\(one.purgedAt): \(one.reason)")
        }
        if !unprotectedSegments.isEmpty {
            add(
                "unsigned",
                "segments " + unprotectedSegments.map(String.init).joined(separator: ", ")
                    + ", which have no head")
        }
        for note in notes { add("note", note) }
        for flaw in flaws {
            add("FLAW", (flaw.segment.map { "segment \($0): " } ?? "") + flaw.what)
        }
        if intact {
            lines.append(
                unprotectedSegments.isEmpty
                    ? "intact" : "intact, but for the segments that nothing signs")
        } else {
            let first = firstBadEntry.map { "; the first bad entry is \($0)" } ?? ""
            lines.append("NOT INTACT: \(counted(flaws.count, "flaw"))\(first)")
        }
        return lines.joined(separator: "\n")
    }
}
