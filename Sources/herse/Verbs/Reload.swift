// Reload.swift: herse reload, confirm and rollback: a change of configuration, and its way back.

import ArgumentParser
import Gate

struct ReloadCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Put the configuration as it stands on disk in force.",
        discussion: """
            Loads configuration, certificates, keys and lists again and returns once the new \
            generation is in force in every worker. Anything invalid refuses it whole: every \
            problem is named and nothing changes. No connection is dropped, unless its subject is \
            now neutralized or its certificate no longer believed. Exits 0 when in force, 1 when \
            refused, 2 when no gate was reached.

            Examples:
              herse check && herse reload
              herse reload --confirm-within 5m
              herse reload --json
            """)

    @Option(
        help: ArgumentHelp(
            "Bring the former generation back after this time unless `herse confirm` is said.",
            valueName: "duration"),
        transform: confirmationSeconds)
    var confirmWithin: Int?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let answer = try gate.ask(.reload(confirmWithinSeconds: confirmWithin), absent: .noGate)
        let report = try reloaded(answer)
        for warning in report.warnings { console.talk(printable(warning)) }
        console.print(output.json ? json(report) : text(of: report))
        return .done
    }
}

struct ConfirmCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Keep what the last reload put in force.",
        discussion: """
            Ends the wait that `herse reload --confirm-within` began, so that the former \
            generation does not come back.

            Examples:
              herse reload --confirm-within 5m && herse status && herse confirm
              herse confirm -c /etc/herse
            """)

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let report = try reloaded(gate.ask(.confirm))
        console.print(output.json ? json(report) : "generation \(report.generation) is kept")
        return .done
    }
}

struct RollbackCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Undo the last reload.",
        discussion: """
            Puts the generation before the last reload in force again, whatever now stands in the \
            files. Neutralizations ordered since then stay. Correct the files before the next \
            reload.

            Examples:
              herse rollback
              herse rollback --json
            """)

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let report = try reloaded(gate.ask(.rollback))
        console.print(output.json ? json(report) : text(of: report))
        return .done
    }
}

private func reloaded(_ answer: ControlAnswer) throws(Failure) -> ReloadReport {
    guard case .reloaded(let report) = answer else { throw .wrongAnswer }
    return report
}

func text(of report: ReloadReport) -> String {
    var text =
        "generation \(report.generation) in force in \(shownMilliseconds(report.milliseconds))"
    if report.cut.connections + report.cut.exchanges + report.cut.sessions > 0 {
        text += ", \(shown(report.cut)) cut"
    }
    if let seconds = report.confirmWithinSeconds {
        text +=
            "\nthe former generation comes back in \(shownSeconds(seconds))"
            + " unless `herse confirm` is said"
    }
    return text
}

/// `3 connections, 1 exchange`, and the sessions if there are any.
func shown(_ cut: CutCount) -> String {
    let text = "\(counted(cut.connections, "connection")), \(counted(cut.exchanges, "exchange"))"
    return cut.sessions == 0 ? text : "\(text), \(counted(cut.sessions, "session"))"
}

/// A time to confirm within, 1 second to 1 day.
private func confirmationSeconds(_ text: String) throws -> Int {
    guard let seconds = secondsOfDuration(text) else {
        throw ValidationError("not a duration; write 90s, 5m or 1h")
    }
    guard (1...86_400).contains(seconds) else {
        throw ValidationError("out of range; at least 1s, at most 1d")
    }
    return seconds
}
