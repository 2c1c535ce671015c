// RecordFeedCommand.swift: herse record feed: the record to an audit repository, as it grows.

import ArgumentParser
import Foundation
import RecordExport
import RecordReading

struct RecordFeedCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "feed",
        abstract: "Send entries to an audit repository or a syslog collector.",
        discussion: """
            Sends what was not sent yet: AuditEvents to a FHIR server (IHE ITI-20, ATX: FHIR \
            Feed), or audit messages to a collector by syslog over TLS. The cursor moves when the \
            receiver has accepted: after a crash some entries are sent again, under the same ids, \
            and none is missing. Run it from a timer, or with --follow.

            Examples:
              herse record feed --to https://atna.example.fr/fhir --cursor atna.cursor
              herse record feed --to syslog+tls://siem:6514 --cursor siem.cursor \\
                --authorities ca.pem --follow
            """)

    @Option(
        help: ArgumentHelp(
            "Receiver: https://HOST/BASE or syslog+tls://HOST:PORT.", valueName: "url"))
    var to: String

    @Option(
        help: ArgumentHelp("File that says how far it has come.", valueName: "file"),
        completion: .file())
    var cursor: String

    @Option(
        help: ArgumentHelp(
            "Whom to trust, in PEM; the system's store never is.", valueName: "file"),
        completion: .file())
    var authorities: String?

    @Option(
        help: ArgumentHelp("Certificate chain to show, in PEM.", valueName: "file"),
        completion: .file())
    var clientCertificate: String?

    @Option(
        help: ArgumentHelp("Its private key, in PEM.", valueName: "file"), completion: .file())
    var clientKey: String?

    @Flag(help: "AuditEvents in FHIR batches of at most 500.")
    var bundle = false

    @Flag(help: "Have the repository keep one of an event it has already (conditional create).")
    var conditional = false

    @Flag(help: "Go on as the record grows, and never give up.")
    var follow = false

    @Option(help: ArgumentHelp("Failed attempts in a row that end it.", valueName: "number"))
    var attempts = 8

    @Option(
        help: ArgumentHelp(
            "Set aside what the receiver refuses, in this file, and go on.", valueName: "file"),
        completion: .file())
    var skipRefused: String?

    @Flag(help: "Go on where entries were purged before they were sent.")
    var acceptGap = false

    @Option(
        help: ArgumentHelp(
            "Begin there: so long before now, or a time; at the record's beginning unless given.",
            valueName: "time"))
    var since: String?

    @Flag(help: "Spell codes as RFC 3881 does, for older collectors.")
    var rfc3881 = false

    @Option(
        help: ArgumentHelp(
            "Who is said to have seen it; the record's name unless given.", valueName: "name"))
    var site: String?

    @Flag(help: "Allow http:// as well: everything is readable on the way.")
    var unsafeClearText = false

    @OptionGroup var options: RecordOptions
    @OptionGroup var output: OutputOption

    private var target: FeedTarget? { FeedTarget(to, allowsClearText: unsafeClearText) }

    func validate() throws {
        guard let target else {
            throw ValidationError(
                "--to: `\(printable(to))` is no receiver (write https://HOST/BASE or "
                    + "syslog+tls://HOST:PORT)")
        }
        if case .syslog = target, bundle || conditional || skipRefused != nil {
            throw ValidationError(
                "--to: --bundle, --conditional and --skip-refused are for FHIR servers")
        }
        if case .fhir = target, rfc3881 {
            throw ValidationError("--rfc3881: only syslog's messages have two spellings")
        }
        guard (1...1000).contains(attempts) else {
            throw ValidationError("--attempts: is out of range, 1 to 1000 can be made")
        }
        if clientKey != nil, clientCertificate == nil {
            throw ValidationError("--client-key: belongs to a --client-certificate")
        }
        if since != nil { _ = try beginning() }
    }

    private func beginning() throws -> UInt64 {
        var period = PeriodOptions()
        (period.since, period.until) = (since, nil)
        try period.validate()
        return period.milliseconds().since
    }

    private struct Report: Encodable {
        let entries: Int
        let pieces: Int
        let refused: Int
        let unreadable: Int
        let next: UInt64?
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        // A receiver that goes away ends an attempt, not the process.
        signal(SIGPIPE, SIG_IGN)
        guard let target else { throw Failure("--to: is no receiver") }
        var settings = FeedSettings(to: target, cursor: cursor)
        settings.authorities = authorities
        settings.certificate = clientCertificate
        settings.privateKey = clientKey
        settings.isBundled = bundle
        settings.isConditional = conditional
        settings.attemptsMax = follow ? nil : attempts
        settings.refused = skipRefused
        settings.acceptsGap = acceptGap
        settings.spelling = rfc3881 ? .rfc3881 : .dicom
        settings.site = site ?? ""
        settings.since = (try? beginning()) ?? 0
        let feed = try writing { () throws(ExportError) in
            try Feed(settings) { console.talk(printable($0)) }
        }
        var reader = try options.open("feed \(target.address)")
        while true {
            let report = try writing { () throws(ExportError) in try feed.run(reader) }
            if !follow || report.pieces > 0 { say(report, console) }
            // What is missing stays so, and is not worth a line each second.
            let isTold = !follow || report.pass.unreadable > 0
            let isWhole = !isTold || tell(report.pass, on: console)
            guard follow else { return isWhole ? .done : .refused }
            Feed.wait(milliseconds: 1000)
            reader = try openRecord(options.folder, try options.auditorKeys())
        }
    }

    private func say(_ report: FeedReport, _ console: Console) {
        if output.json {
            console.print(
                json(
                    Report(
                        entries: report.entries, pieces: report.pieces, refused: report.refused,
                        unreadable: report.pass.unreadable, next: report.next)))
        }
        var words =
            "\(counted(report.pieces, "event")) of \(counted(report.entries, "entry")) accepted"
        if report.refused > 0 { words += ", \(report.refused) set aside" }
        console.talk(words)
    }
}
