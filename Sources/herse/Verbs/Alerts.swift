// Alerts.swift: herse alerts: where alerts go, how that fares, and a test of it.

import ArgumentParser
import Gate

struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts",
        abstract: "Show where alerts go, or try it.",
        discussion: """
            Alerts tell operators elsewhere, by syslog, webhook or mail, what the gate cannot wait \
            to be asked. Without a word more, shows how each destination is.

            Examples:
              herse alerts
              herse alerts test
            """,
        subcommands: [AlertsShowCommand.self, AlertsTestCommand.self],
        defaultSubcommand: AlertsShowCommand.self)
}

struct AlertsShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show how each destination of alerts is.",
        discussion: """
            STATE is fresh when the last message was taken, failing when it was not, unknown when \
            none was ever sent. DROPPED counts alerts that never will be: too many, or too old.

            Examples:
              herse alerts
              herse alerts show --json
            """)

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .alerts(let sinks) = try gate.ask(.alerts) else { throw .wrongAnswer }
        if output.json {
            console.print(json(sinks))
        } else if sinks.isEmpty {
            console.talk("the configuration in force has no alerts")
        } else {
            console.print(text(of: sinks))
        }
        return .done
    }
}

struct AlertsTestCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "test",
        abstract: "Send a test alert, and say what each destination answers.",
        discussion: """
            Sends one alert to every destination, or to the one named, whatever it takes \
            otherwise, and waits for it. Exits 0 when all took it, 1 when one did not.

            Examples:
              herse alerts test
              herse alerts test on-call
            """)

    @Argument(help: ArgumentHelp("One destination, by its name.", valueName: "name"))
    var name: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let request = ControlRequest.testAlerts(name: name)
        guard case .alertsTested(let tests) = try gate.ask(request) else { throw .wrongAnswer }
        console.print(output.json ? json(tests) : text(of: tests))
        return tests.allSatisfy(\.isTaken) ? .done : .refused
    }
}

func text(of sinks: [AlertSinkStatus]) -> String {
    var table = Table(
        "ALERTS TO", "BY", "STATE", ">WAITING", ">SENT", ">DROPPED", ">LAST TAKEN", "PROBLEM")
    for sink in sinks {
        table.add(
            sink.name, sink.kind, sink.state, String(sink.waiting), String(sink.sent),
            String(sink.dropped), sink.secondsSinceSuccess.map { shownSeconds($0) }, sink.problem)
    }
    return table.text
}

func text(of tests: [AlertTestReport]) -> String {
    var table = Table("ALERTS TO", "BY", "TAKEN", "ANSWER")
    for test in tests {
        table.add(test.name, test.kind, test.isTaken ? "yes" : "NO", test.answer)
    }
    return table.text
}
