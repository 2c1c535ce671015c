// Limits.swift: herse limits show and grant: what is left of a professional's limits, and a bounded
// exception to them.

import ArgumentParser
import Gate

struct LimitsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limits",
        abstract: "Show what a professional has used of the limits, or grant more.",
        discussion: """
            Limits are counted per professional, across all connections and workers, and survive \
            reload and restart. Those on patients count distinct persons: who is shown the same \
            patient twice has used one.

            Examples:
              herse limits show 899700218896
              herse limits grant 899700218896 --count patients --extra 9 --for 2h --reason x
            """,
        subcommands: [LimitsShowCommand.self, LimitsGrantCommand.self])
}

struct LimitsShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show what is used and left in each window.",
        discussion: """
            One line for each window of each set of limits. EACH says whose counts go together, \
            EXTRA what grants in force add to the limit. Many distinct patients are counted by \
            estimate, marked ~ with its standard error. The reset is when more is free again if \
            nothing more is asked.

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
        abstract: "Grant a professional more, for a time and a reason.",
        discussion: """
            Adds to every ceiling of one count for one professional. The grant ends by itself, \
            survives reload and restart, and stands in the record with its reason and who gave it.

            Examples:
              herse limits grant 899700218896 --count patients --extra 50 --for 2h \\
                --reason "mass casualty, INC-42"
            """)

    @Argument(help: ArgumentHelp("The professional.", valueName: "id"))
    var professional: String

    @Option(help: "What more is granted of.")
    var count: CountWord

    @Option(help: ArgumentHelp("How many more, at most 1000000.", valueName: "number"))
    var extra: Int

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp("For how long, such as 2h; at most 30d.", valueName: "duration"))
    var duration: String

    @Option(help: ArgumentHelp("Why, for the record and colleagues.", valueName: "text"))
    var reason: String

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    /// A grant is an exception; whoever needs more for longer has the wrong limits.
    static let secondsMax = 30 * 86_400

    func validate() throws {
        try validateSubjects([professional])
        guard (1...1_000_000).contains(extra) else {
            throw ValidationError(
                "--extra: \(extra) is out of range, at least 1 and at most 1000000 are allowed")
        }
        guard let seconds = secondsOfDuration(duration), seconds > 0 else {
            throw ValidationError(
                "--for: `\(printable(duration))` is not a duration (such as 30m, 2h, 1d)")
        }
        guard seconds <= Self.secondsMax else {
            throw ValidationError("--for: \(duration) is too long, at most 30d are allowed")
        }
        try validateText(reason, of: "--reason")
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let order = GrantOrder(
            professional: bareAccount(professional), count: count.rawValue, extra: extra,
            seconds: secondsOfDuration(duration) ?? 0, reason: reason)
        guard case .granted(let grant) = try gate.ask(.grant(order)) else { throw .wrongAnswer }
        console.print(output.json ? json(grant) : text(of: grant))
        return .done
    }
}

/// What can be granted, in the words of the configuration.
enum CountWord: String, CaseIterable, ExpressibleByArgument {
    case requests
    case lookups
    case patients
    case disclosures
    case misses
}

func text(of grant: GrantReport) -> String {
    "granted \(printable(grant.professional)) \(grant.extra) more \(printable(grant.count)) until "
        + "\(printable(grant.until)), by \(printable(grant.by)): \(printable(grant.reason))"
}

func text(of limits: [LimitReport]) -> String {
    var table = Table(
        "SET", "COUNT", ">PER", "EACH", ">LIMIT", ">EXTRA", ">USED", ">LEFT", ">RESET", "ENFORCED")
    for limit in limits {
        let isEstimate = limit.error > 0
        let error = isEstimate ? " ±" + shownPercent(limit.error) : ""
        table.add(
            limit.set, limit.count, shownSeconds(limit.perSeconds), limit.each,
            String(limit.limit), limit.extra == 0 ? nil : "+\(limit.extra)",
            (isEstimate ? "~" : "") + String(limit.used) + error, String(limit.remaining),
            shownSeconds(limit.resetSeconds), limit.enforce)
    }
    // A grant stands behind every window of its count, and is told once.
    var told: [String] = []
    for grant in limits.flatMap(\.grants) {
        let line = text(of: grant)
        if !told.contains(line) { told.append(line) }
    }
    return told.isEmpty ? table.text : table.text + "\n\n" + told.joined(separator: "\n")
}
