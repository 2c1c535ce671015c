// Limits.swift: herse limits show: what is used and left of a professional's limits.

import ArgumentParser
import Gate

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Show what a professional has used of the limits.",
        discussion: """
            Limits are counted per professional, across all connections and workers, and survive \
            reload and restart.

            Examples:
              herse limits show 899700218896
              herse limits show 899700218896 --json
            """,
        subcommands: [LimitsShowCommand.self, LimitsGrantCommand.self])
}

struct LimitsShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what is used and left in each window.",
        discussion: """
            One line for each window of each set of limits the professional has met. The reset is \
            when all of it is free again if nothing more is asked.

            Examples:
              herse limits show 899700218896
              herse limits show account:899700218896 --json
            """)

    @Argument(help: ArgumentHelp("The professional.", valueName: "id"))
    var professional: String

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let request = ControlRequest.limits(professional: bareAccount(professional))
        guard case .limits(let limits) = try gate.ask(request) else { throw .wrongAnswer }
        if output.json {
            console.print(json(limits))
        } else if limits.isEmpty {
            console.talk("the configuration in force has no limits")
        } else {
            console.print(text(of: limits))
        }
        return .done
    }
}

struct LimitsGrantCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Not available in this version.",
        discussion: """
            A bounded, recorded exception to a limit is to come. Until then change the limit in \
            the configuration.

            Examples:
              herse reload --confirm-within 2h
            """,
        shouldDisplay: false)

    @Argument(parsing: .captureForPassthrough) var arguments: [String] = []

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        throw Failure(
            "limits grant: not available in this version",
            hint: "raise the limit in the configuration, then `herse reload --confirm-within 2h`")
    }
}

func text(of limits: [LimitReport]) -> String {
    var table = Table(
        "SET", "COUNT", ">PER", ">LIMIT", ">USED", ">LEFT", ">RESET", "ENFORCED")
    for limit in limits {
        table.add(
            limit.set, limit.count, shownSeconds(limit.perSeconds), String(limit.limit),
            String(limit.used), String(limit.remaining), shownSeconds(limit.resetSeconds),
            limit.enforce)
    }
    return table.text
}
