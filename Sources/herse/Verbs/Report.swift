// Report.swift: herse report: what must be told to others.

import ArgumentParser
import Dossier
import Foundation
import Gate
import Glibc
import Neutralization
import RecordReading
import Sealing

struct ReportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Make what authorities, partners and patients must be told.",
        discussion: """
            After a breach: which patients were shown to whom, when, and what of them, with the \
            proof that the record was not touched.

            Examples:
              herse report breach --professional 899700218896 -o dossier \\
                --from 2026-11-01T00:00:00Z --discovered 2026-11-28T21:04:00Z
            """,
        subcommands: [BreachCommand.self])
}

struct BreachCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "breach",
        abstract: "Make the dossier of a breach: which patients were shown to whom.",
        discussion: """
            Reads the record and makes a folder: the dossier in French and English to read and \
            print, the figures of the authority's form, every patient and every access as CSV, \
            each structure's part, a letter to each patient, and SHA256SUMS over all of it. Of \
            --professional, --certificate, --session, --structure and --network, one value of \
            each kind that is given must fit. --all-since takes everybody, for a breach whose \
            extent is unknown, and says whom to look at first; that order is an aid to reading. \
            A sealed record needs the private key of an auditor, and names its patients; an \
            unsealed one knows them by keyed hashes: --resolve names them. Accounts are looked for \
            under all numbers that the configured directory has of the same person. Exits 1 when nobody \
            was shown, with a dossier that says so: check the identifiers and the period; and when \
            the record, which is verified first, is not intact or cannot be read entirely.

            Examples:
              herse report breach --professional 899700218896 -o dossier \\
                --from 2026-11-01T00:00:00Z --discovered 2026-11-28T21:04:00Z
              herse report breach --all-since 2026-11-01T00:00:00Z -o dossier
            """)

    @Option(
        help: ArgumentHelp(
            "An account: its national identifier, or a local account's name; may be repeated.",
            valueName: "id"))
    var professional: [String] = []

    @Option(
        help: ArgumentHelp("A certificate; may be repeated.", valueName: "sha256:hex"))
    var certificate: [String] = []

    @Option(
        help: ArgumentHelp(
            "A session, or the jti of a token; may be repeated.", valueName: "id"))
    var session: [String] = []

    @Option(help: ArgumentHelp("A structure; may be repeated.", valueName: "id"))
    var structure: [String] = []

    @Option(
        help: ArgumentHelp("A network or an address; may be repeated.", valueName: "cidr"))
    var network: [String] = []

    @Option(
        help: ArgumentHelp(
            "Where the period begins: so long before --to, such as 30d, or a time.",
            valueName: "time"))
    var from: String?

    @Option(
        help: ArgumentHelp(
            "Where it ends: so long before now, or a time; now unless given.", valueName: "time"))
    var to: String?

    @Option(
        help: ArgumentHelp(
            "Everybody, from this time on, or for so long.", valueName: "time"))
    var allSince: String?

    @Option(
        name: [.customShort("o"), .long],
        help: ArgumentHelp(
            "The folder to make; it must not exist, or be empty.", valueName: "folder"),
        completion: .directory)
    var output: String

    @Option(
        help: ArgumentHelp(
            "Identifiers of candidates, one patient a line: SYSTEM|VALUE, an INS, Patient/ID, or "
                + "several of them as CSV.", valueName: "file"),
        completion: .file())
    var resolve: String?

    @Option(help: ArgumentHelp("fr, en or both.", valueName: "language"))
    var language = "both"

    @Option(help: ArgumentHelp("When the breach was discovered.", valueName: "time"))
    var discovered: String?

    @Option(
        name: .customLong("operator"),
        help: ArgumentHelp("Who operates the gate.", valueName: "name"))
    var operatorName = ""

    @Option(help: ArgumentHelp("Whom patients may ask.", valueName: "text"))
    var contact = ""

    @Option(help: ArgumentHelp("The data protection officer.", valueName: "text"))
    var dpo = ""

    @Option(
        help: ArgumentHelp(
            "How long before the period the accounts' usual volume is taken from.",
            valueName: "duration"))
    var usual = "90d"

    @Option(
        help: ArgumentHelp(
            "The gate's public key, as `herse record verify` takes it; may be repeated.",
            valueName: "key"))
    var key: [String] = []

    @OptionGroup var record: RecordOptions
    @OptionGroup var form: OutputOption

    private var namesSomebody: Bool {
        !(professional + certificate + session + structure + network).isEmpty
    }

    func validate() throws {
        try mustSaySomething([
            ("--professional", professional), ("--structure", structure), ("--session", session),
            ("--certificate", certificate), ("--network", network),
        ])
        for (name, text) in [
            ("--from", from), ("--to", to), ("--all-since", allSince), ("--discovered", discovered),
        ] {
            try mustBeMoment(text, name)
        }
        let now = millisecondsNow()
        if let discovered, let at = moment(discovered, before: now), at > now + 3_600_000 {
            throw ValidationError(
                "--discovered: is in the future, and the 72 hours are counted from it")
        }
        if allSince != nil, namesSomebody || from != nil {
            throw ValidationError(
                "--all-since: takes everybody (name accounts with --from and --to instead)")
        }
        if allSince == nil {
            guard namesSomebody else {
                throw ValidationError(
                    "--professional: name whom the dossier is about, or everybody by --all-since")
            }
            guard from != nil else {
                throw ValidationError("--from: say where the period begins")
            }
        }
        guard ["fr", "en", "both"].contains(language) else {
            throw ValidationError("--language: `\(printable(language))` is none of fr, en, both")
        }
        guard secondsOfDuration(usual) != nil else {
            throw ValidationError("--usual: `\(printable(usual))` is not a duration (90d)")
        }
        for text in network {
            do throws(SubjectError) {
                _ = try Network(Array(text.utf8).span)
            } catch {
                throw ValidationError("--network: `\(printable(text))`: \(error.message)")
            }
        }
        for text in certificate where !text.hasPrefix("sha256:") {
            throw ValidationError(
                "--certificate: `\(printable(text))` is not a fingerprint (write sha256:HEX)")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let who = ProfessionalNames(professional, configuration: record.configuration.path)
        if let note = who.note { console.talk(note) }
        let scope = try scope(who)
        let resolver: PersonResolver? =
            resolve == nil ? nil : try PersonResolver(configuration: record.configuration.path)
        // Whatever can fail at once does so before the record is verified, which takes long.
        let keys = try record.auditorKeys()
        try record.mustOpen(keys, since: scope.usualFrom)
        let temporary = DossierFolder.temporary(for: output)
        try onInterrupt { _ in
            remove(folder: temporary)
            console.talk("interrupted: no dossier was made")
            // At once: other threads are still at work, with libraries that `exit` would tear down.
            _exit(Outcome.refused.rawValue)
        }
        let folder = try written { () throws(DossierError) in try DossierFolder(output) }
        do throws(Failure) {
            // Before the gate writes down that it is read: the newest checkpoint covers the end.
            let integrity = try integrity(keys, console)
            let reader = try record.open(
                "report breach", filters: who.filters + filters, keys: keys, on: console)
            var report = BreachReporting(reader, scope, folder, console)
            try report.count()
            if let resolver, let resolve { try report.name(by: resolver, resolve) }
            report.tell(order(integrity), languages: languages)
            let sum = try written { () throws(DossierError) in try folder.finish() }
            let result = report.result(integrity, folder: output, sums: sum)
            console.print(form.json ? json(result) : result.text)
            return integrity.verdict == .failed ? .refused : report.outcome
        } catch {
            folder.discard()
            throw error
        }
    }

    /// What else the gate is told of this reading.
    private var filters: [String] {
        certificate.map { "certificate:" + $0 } + session.map { "session:" + $0 }
            + structure.map { "structure:" + $0 } + network.map { "network:" + $0 }
    }

    /// Verifies the record before anything is taken from it.
    private func integrity(
        _ auditorKeys: [AuditorKey], _ console: Console
    ) throws(Failure) -> Integrity {
        let keys = try verifierKeys(key)
        let folder = record.folder
        let verifier = try passing { () throws(RecordReadingError) in
            // What nothing signs is told beside what is proven: a dossier needs both.
            try RecordVerifier(
                folder: folder, auditorKeys: auditorKeys, keys: keys, unsignedThrough: .max)
        }
        let progress = ProgressLine(console)
        let total = verifier.bytes
        var done = 0
        let found = try passing { () throws(RecordReadingError) in
            try verifier.verify { bytes in
                done += bytes
                progress.update("verifying", done, of: total)
                return true
            }
        }
        progress.end()
        let integrity = Integrity(found)
        if integrity.verdict == .failed {
            console.talk("the record is not intact: the dossier says where")
        }
        return integrity
    }

    private var languages: [Language] {
        Language.allCases.filter { language == "both" || $0.rawValue == language }
    }

    private func scope(_ who: ProfessionalNames) throws(Failure) -> DossierScope {
        let now = millisecondsNow()
        let said = readPeriod(from: allSince ?? from, to: to, now: now)
        let (from, to) = (said.since ?? 0, said.until ?? now)
        guard from < to else {
            let option = allSince == nil ? "--from" : "--all-since"
            throw Failure(
                "\(option): the period ends before it begins, at "
                    + Moment(milliseconds: from).stamp)
        }
        let usual = UInt64(clamping: secondsOfDuration(usual) ?? 0) * 1000
        var scope = DossierScope(from: from, to: to, usualFrom: from - min(from, usual))
        scope.professionals = Set(who.all)
        scope.certificates = Set(certificate.map { $0.lowercased() })
        scope.sessions = Set(session)
        scope.structures = Set(structure)
        scope.networks = network
        let networks = network.compactMap { try? Network(Array($0.utf8).span) }
        scope.isInNetworks = { address in
            guard let address = NetworkAddress(address) else { return false }
            return networks.contains { $0.contains(address) }
        }
        return scope
    }

    private func order(_ integrity: Integrity) -> DossierOrder {
        var order = DossierOrder(
            made: millisecondsNow(), version: "herse " + herseVersion,
            integrity: integrity)
        order.operatorName = operatorName
        order.contact = contact
        order.protectionOfficer = dpo
        order.discovered = discovered.flatMap { moment($0, before: order.made) }
        return order
    }
}
