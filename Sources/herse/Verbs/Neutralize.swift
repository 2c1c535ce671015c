// Neutralize.swift: herse neutralize: cut off, at once.

import ArgumentParser
import Gate
import Neutralization

struct NeutralizeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "neutralize",
        abstract: "Cut off accounts, structures, certificates or networks, at once.",
        discussion: """
            Returns once the order is on disk and every live connection, running exchange and TLS \
            ticket of the subjects is gone; prints how many were cut and in how many milliseconds. \
            The order holds over reload, restart and power loss until its end or `herse \
            reinstate`. A SUBJECT is account:ID (or a bare ID), structure:ID, \
            certificate:sha256:HEX, serial:HEX@ISSUER-CN, session:ID, token:JTI, client:ID, \
            network:CIDR, or issued-before:TIME: whatever anybody proved before has to be proven \
            again. The reason is kept in the journal and never shown to the professional.

            Examples:
              herse neutralize 899700218896 --reason "stolen card" --ticket INC-42
              herse neutralize network:203.0.113.0/24 --reason scan --preview
              herse neutralize --file suspects.list --reason "campaign of May" --preview
            """)

    @Argument(help: ArgumentHelp("Whom to cut off.", valueName: "subject"))
    var subjects: [String] = []

    @Option(help: ArgumentHelp("Why, for the journal and colleagues.", valueName: "text"))
    var reason: String

    @Option(
        help: ArgumentHelp(
            "When the order ends, such as 2026-12-01T00:00:00Z; for good unless given.",
            valueName: "time"))
    var until: String?

    @Option(help: ArgumentHelp("Name of the incident elsewhere.", valueName: "id"))
    var ticket: String?

    @Flag(help: "Say what would be cut, and change nothing.")
    var preview = false

    @Option(
        help: ArgumentHelp(
            "Take subjects from a neutralization list; `reason` and `ticket` of its lines count "
                + "for nothing.", valueName: "list"),
        completion: .file())
    var file: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        guard !subjects.isEmpty || file != nil else {
            throw ValidationError("name a subject, or a list of them with --file")
        }
        try validateSubjects(subjects)
        try validateText(reason, of: "--reason")
        if let ticket { try validateText(ticket, of: "--ticket") }
        if let until, UnixSeconds(rfc3339: until) == nil {
            throw ValidationError(
                "--until: `\(until)` is not a time (write UTC as in 2026-12-01T00:00:00Z)")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        var named = subjects
        if let file { named += try subjectsOfList(file) }
        let order = NeutralizeOrder(
            subjects: named, reason: reason, until: until, ticket: ticket, preview: preview)
        return try report(
            gate.ask(.neutralize(order)), verb: .neutralize, json: output.json, on: console)
    }
}

struct ReinstateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reinstate",
        abstract: "Restore what was neutralized.",
        discussion: """
            Ends a neutralization, be it an order or a line of the list in force, and records that \
            it did. Against the list it holds as long as the list's lines about the subject stay \
            what they are: new ones count again.

            Examples:
              herse reinstate 899700218896 --reason "card replaced" --ticket INC-42
              herse reinstate network:203.0.113.0/24 --reason "was our own scan"
            """)

    @Argument(help: ArgumentHelp("Whom to restore.", valueName: "subject"))
    var subjects: [String]

    @Option(help: ArgumentHelp("Why, for the journal and colleagues.", valueName: "text"))
    var reason: String

    @Option(help: ArgumentHelp("Name of the incident elsewhere.", valueName: "id"))
    var ticket: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        try validateSubjects(subjects)
        try validateText(reason, of: "--reason")
        if let ticket { try validateText(ticket, of: "--ticket") }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let request = ControlRequest.reinstate(subjects: subjects, reason: reason, ticket: ticket)
        return try report(gate.ask(request), verb: .reinstate, json: output.json, on: console)
    }
}

/// What was ordered, in the words of its answer.
enum NeutralizeVerb {
    case neutralize
    case reinstate
}

/// A report, and whether the disk has it.
private struct OrderJSON: Encodable {
    let subjects: [String]
    let unchanged: [String]
    let connections: Int
    let exchanges: Int
    let sessions: Int
    let milliseconds: Double
    let durableMilliseconds: Double
    let isPreview: Bool
    let isDurable: Bool
    let problem: String?
    /// Of a preview: whom it concerns.
    let concerned: [Concerned]?
}

func report(
    _ answer: ControlAnswer, verb: NeutralizeVerb, json asJSON: Bool, on console: Console
) throws(Failure) -> Outcome {
    let report: NeutralizeReport
    var problem: String?
    switch answer {
    case .neutralized(let answered):
        report = answered
    case .notDurable(let why, let answered):
        report = answered
        problem = why
    default:
        throw .wrongAnswer
    }
    if asJSON {
        console.print(
            json(
                OrderJSON(
                    subjects: report.subjects, unchanged: report.unchanged,
                    connections: report.cut.connections, exchanges: report.cut.exchanges,
                    sessions: report.cut.sessions,
                    milliseconds: report.milliseconds,
                    durableMilliseconds: report.durableMilliseconds, isPreview: report.isPreview,
                    isDurable: problem == nil && !report.isPreview, problem: problem,
                    concerned: report.isPreview ? report.concerned : nil)))
    } else {
        console.print(text(of: report, verb: verb, isDurable: problem == nil))
    }
    guard let problem else { return .done }
    throw Failure(
        lines: [
            "NOT ON DISK: \(printable(problem))",
            "the order is in force in memory only: IT ENDS WHEN THE GATE STOPS",
        ], hint: "free the disk or correct its rights, do not stop the gate, and order it again")
}

func text(of report: NeutralizeReport, verb: NeutralizeVerb, isDurable: Bool = true) -> String {
    // A handful is named, a flood is counted; JSON has them all.
    let whom =
        report.subjects.count <= 5
        ? report.subjects.map(printable).joined(separator: ", ")
        : counted(report.subjects.count, "subject")
    var text: String
    switch (verb, report.isPreview) {
    case (.neutralize, true):
        text = "would neutralize \(whom): \(shown(report.cut)) would be cut; nothing was changed"
    case (.neutralize, false):
        text =
            "neutralized \(whom): \(shown(report.cut)) cut in "
            + shownMilliseconds(report.milliseconds)
    case (.reinstate, _):
        text = "reinstated \(whom) in \(shownMilliseconds(report.milliseconds))"
    }
    if isDurable, !report.isPreview {
        text += " (durable in \(shownMilliseconds(report.durableMilliseconds)))"
    }
    let already = verb == .neutralize ? "was neutralized already" : "was not neutralized"
    for subject in report.unchanged { text += "\n\(printable(subject)) \(already)" }
    if !report.concerned.isEmpty { text += "\n\n" + concernedText(report.concerned) }
    return text
}

/// Professionals of a preview that are shown; JSON has more.
private let shownConcernedMax = 20

private func concernedText(_ concerned: [Concerned]) -> String {
    var table = Table(
        "PROFESSIONAL", "STRUCTURE", ">CONNECTIONS", ">RUNNING", ">SESSIONS", ">REQUESTS IN AN HOUR"
    )
    for one in concerned.prefix(shownConcernedMax) {
        table.add(
            one.professional.isEmpty ? "not proven" : one.professional, one.structure,
            String(one.connections), String(one.exchanges), String(one.sessions),
            String(one.requestsLastHour))
    }
    guard concerned.count > shownConcernedMax else { return table.text }
    return table.text + "\nand \(concerned.count - shownConcernedMax) more"
}

/// Every subject must be one before any is sent.
func validateSubjects(_ subjects: [String]) throws {
    for subject in subjects {
        do {
            _ = try Subject(subject)
        } catch {
            throw ValidationError("`\(printable(subject))`: \(error.message) (\(error.hint))")
        }
    }
}

/// A text that the journal and the record can keep.
func validateText(_ text: String, of option: String) throws {
    guard text.contains(where: { !$0.isWhitespace }) else {
        throw ValidationError("\(option): is empty")
    }
    guard text.utf8.count <= Neutralization.Command.textMax else {
        throw ValidationError(
            "\(option): is too long (\(text.utf8.count) bytes), "
                + "at most \(Neutralization.Command.textMax) are allowed")
    }
}

/// The subjects of a list file; a bad line refuses the whole of it.
func subjectsOfList(_ file: String) throws(Failure) -> [String] {
    let list = try readList(file)
    guard !list.isEmpty else { throw Failure("\(file): the list names nobody") }
    var subjects: [String] = []
    var timed: [String] = []
    list.forEach { entry in
        if entry.since != nil || entry.until != nil {
            timed.append("\(file):\(entry.line): a line's own time cannot be ordered by command")
        }
        subjects.append(entry.subject.description)
        return true
    }
    guard timed.isEmpty else {
        throw Failure(
            lines: Array(timed.prefix(ListError.problemsMax)),
            hint: "take `since` and `until` out and give `--until`, or make this the list of the "
                + "configuration and reload")
    }
    return subjects
}

/// A list file, or every bad line of it.
func readList(_ file: String) throws(Failure) -> NeutralizedSet {
    do {
        return try loadList(path: file).entries
    } catch {
        switch error {
        case .unreadable(let failure):
            throw Failure(failure.description)
        case .bad(let bad):
            var lines = bad.problems.map { $0.description(file: file) }
            if bad.total > lines.count { lines.append("and \(bad.total - lines.count) more") }
            throw Failure(lines: lines)
        }
    }
}
