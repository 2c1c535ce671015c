// Herse.swift: the command line; one file per verb under Verbs.

import ArgumentParser
import COpenSSL
import Gate

@main
struct Herse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "herse",
        abstract: "A gate in front of patient identity servers.",
        discussion: """
            Herse lets a request pass only when a professional's identity is strongly proven, is \
            not neutralized, and the routes and limits of the configuration allow it.

            Examples:
              herse demo
              herse serve -c /etc/herse
              herse neutralize 899700218896 --reason "stolen card"
            """,
        version: version,
        subcommands: [ManualCommand.self, PamHelperCommand.self],
        groupedSubcommands: [
            CommandGroup(name: "Run", subcommands: [ServeCommand.self, DemoCommand.self]),
            CommandGroup(
                name: "Configure",
                subcommands: [
                    CheckCommand.self, TestCommand.self, ExplainCommand.self, ReplayCommand.self,
                    ReloadCommand.self, ConfirmCommand.self, RollbackCommand.self,
                ]),
            CommandGroup(
                name: "Neutralize",
                subcommands: [
                    NeutralizeCommand.self, ReinstateCommand.self, NeutralizedCommand.self,
                    OrdersCommand.self, ApproveCommand.self, DeclineCommand.self,
                    ListsCommand.self,
                    DrillCommand.self,
                ]),
            CommandGroup(
                name: "Prove", subcommands: [RecordCommand.self, ReportCommand.self]),
            CommandGroup(name: "Local accounts", subcommands: [AccountCommand.self]),
            CommandGroup(
                name: "Observe",
                subcommands: [
                    StatusCommand.self, SessionsCommand.self, LimitsCommand.self,
                    AlertsCommand.self,
                ]),
        ])

    /// Version, how it was built, and the cryptographic library it runs on.
    static var version: String {
        #if DEBUG
            let build = "debug"
        #else
            let build = "release"
        #endif
        // Safe because OpenSSL returns a constant text.
        let library = unsafe String(cString: OpenSSL_version(OPENSSL_VERSION))
        return "herse \(herseVersion) (\(build), strict memory safety, \(library))"
    }
}
