// BreachReporting.swift: the dossier of a breach, made step by step, with its progress told.

import Dossier
import Foundation
import RecordReading
import Transparency

/// Reads, counts, names and tells.
struct BreachReporting {
    private let reader: RecordReader
    private let reckoning: Reckoning
    private let folder: DossierFolder
    private let console: Console
    private var pass = RecordReader.Pass()
    /// Whether all of the record was read that is to be told of.
    private var isWhole = false

    /// Entries between two looks at the clock.
    private static let entriesOfLook = 50_000
    /// Seconds between two lines of progress.
    private static let secondsOfProgress = 5.0

    init(
        _ reader: RecordReader, _ scope: DossierScope, _ folder: DossierFolder, _ console: Console
    ) {
        self.reader = reader
        self.folder = folder
        self.console = console
        reckoning = Reckoning(scope, sink: folder)
    }

    /// Reads the record from the usual days on to its end.
    mutating func count() throws(Failure) {
        let reckoning = reckoning
        let console = console
        let progress = Progress()
        pass = try passing { () throws(RecordReadingError) in
            try reader.read(since: reckoning.scope.usualFrom) { entry in
                let goesOn = reckoning.take(entry)
                if reckoning.entries % Self.entriesOfLook == 0,
                    progress.isDue(every: Self.secondsOfProgress)
                {
                    console.talk(
                        "read \(counted(reckoning.entries, "entry")), to "
                            + Moment(milliseconds: reckoning.reached).stamp)
                }
                return goesOn
            }
        }
        reckoning.end()
        guard !reckoning.isTooLarge else {
            throw Failure(
                "more than \(Reckoning.patientsMax) patients were shown: too many for one dossier",
                hint: "make one for each account, or for shorter periods")
        }
    }

    /// Names patients whom the record knows by a keyed hash.
    func name(by resolver: PersonResolver, _ file: String) throws(Failure) {
        let reckoning = reckoning
        let usable = try resolver.read(file) { candidates in
            let keys = Set(candidates.flatMap(\.keys))
            for key in keys {
                for candidate in candidates {
                    guard reckoning.name(key, candidate.identifier) else { break }
                }
            }
        }
        if usable == 0 {
            console.talk(
                "--resolve: \(printable(file)): no line names a patient: write SYSTEM|VALUE, an INS "
                    + "or Patient/ID")
        }
    }

    /// Writes the files.
    mutating func tell(_ order: DossierOrder, languages: [Language]) {
        var order = order
        order.languages = languages
        order.unreadableLines = pass.unreadable
        order.brokenSegments = pass.broken
        order.purged = pass.purged
        reckoning.write(order, to: folder)
        if reckoning.isEmpty {
            let scope = reckoning.scope
            console.talk(
                "nobody was shown from \(Moment(milliseconds: scope.from).stamp) to "
                    + "\(Moment(milliseconds: scope.to).stamp): check the identifiers and the period "
                    + "(the dossier says so)")
        }
        isWhole = herse.tell(pass, on: console)
    }

    /// How the command ends.
    var outcome: Outcome { reckoning.isEmpty || !isWhole ? .refused : .done }

    func result(_ integrity: Integrity, folder: String, sums: String) -> BreachResult {
        BreachResult(reckoning, integrity, pass.purged, folder: folder, sums: sums)
    }

    /// When the last line of progress was told.
    private final class Progress {
        private var last = Date()

        func isDue(every seconds: Double) -> Bool {
            let now = Date()
            guard now.timeIntervalSince(last) >= seconds else { return false }
            last = now
            return true
        }
    }
}

/// Gives what `write` gives, and says for the operator why it could not.
func written<Value: ~Copyable>(
    _ write: () throws(DossierError) -> Value
) throws(Failure) -> Value {
    do throws(DossierError) {
        return try write()
    } catch {
        throw Failure(error.message, hint: error.hint)
    }
}

extension Integrity {
    /// What a verification came to.
    init(_ found: Verification) {
        let isPartly = !found.untold.isEmpty || found.size == 0
        self.init(!found.isIntact ? .failed : isPartly ? .partly : .verified)
        origin = found.origin
        if found.size > 0 {
            size = found.size
            root = Data(found.root.bytes).base64EncodedString()
        }
        checkpoint = found.checkpoint ?? ""
        for flaw in found.flaws {
            let place = flaw.segment.map { "segment \($0): " } ?? ""
            problems.append(
                place + (flaw.entry.map { "entry \($0): " } ?? "") + flaw.what)
        }
        problems += found.untold.map { "segment \($0): nothing signs it" }
        if found.unsigned > 0 {
            problems.append("\(counted(found.unsigned, "entry")) after the newest checkpoint")
        }
        problems += found.notes
    }
}

/// What the command prints of a dossier.
struct BreachResult: Encodable {
    let folder: String
    let patients: Int
    let unnamed: Int
    let assumed: Int
    let accesses: Int
    let shown: Int
    let accounts: Int
    let structures: Int
    let first: String?
    let last: String?
    /// Whether the record was what the gate signed.
    let intact: Bool
    /// Entries of the period that were purged.
    let purged: UInt64
    let sums: String

    init(
        _ reckoning: Reckoning, _ integrity: Integrity, _ purged: PurgedEntries?, folder: String,
        sums: String
    ) {
        let figures = reckoning.figures
        intact = integrity.verdict != .failed
        self.purged = purged.map { $0.ends - $0.begins } ?? 0
        self.folder = folder
        self.sums = sums
        patients = reckoning.patientCount
        unnamed = reckoning.unnamedCount
        assumed = figures.assumed
        accesses = figures.accesses
        shown = figures.shown
        accounts = figures.accounts
        structures = figures.structures
        first = figures.first.map { Moment(milliseconds: $0).stamp }
        last = figures.last.map { Moment(milliseconds: $0).stamp }
    }

    var text: String {
        var lines = ["\(folder): \(counted(patients, "patient")) shown in \(accesses) accesses"]
        if let first, let last { lines.append("from \(first) to \(last)") }
        if assumed > 0 { lines.append("at most \(counted(assumed, "patient")) more, unknown") }
        if unnamed > 0 {
            lines.append(
                "\(counted(unnamed, "patient")) known by a keyed hash only (see --resolve)")
        }
        lines.append("\(counted(accounts, "account")), \(counted(structures, "structure"))")
        lines.append("SHA-256 of SHA256SUMS: \(sums)")
        return lines.joined(separator: "\n")
    }
}
