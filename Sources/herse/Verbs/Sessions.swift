// Sessions.swift: herse sessions: who is connected.

import ArgumentParser
import Gate

struct SessionsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List live connections.",
        discussion: """
            Shows every connection whose handshake is done: who proved to be at the other end, \
            from where, for how long, and whether a request is running.

            Examples:
              herse sessions
              herse sessions --professional 899700218896
              herse sessions --json
            """)

    @Option(help: ArgumentHelp("Only this professional's.", valueName: "id"))
    var professional: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let request = ControlRequest.sessions(professional: professional.map(bareAccount))
        guard case .sessions(let sessions) = try gate.ask(request) else { throw .wrongAnswer }
        if output.json {
            console.print(json(sessions))
        } else if sessions.isEmpty {
            console.talk("no live connection")
        } else {
            console.print(text(of: sessions))
        }
        return .done
    }
}

func text(of sessions: [SessionReport]) -> String {
    var table = Table(
        "PROFESSIONAL", "STRUCTURE", "FROM", "LISTENER", "TLS", ">AGE", ">REQUESTS", "STATE",
        "CERTIFICATE")
    for session in sessions {
        table.add(
            session.professional, session.structure, session.peer, session.listener,
            session.tls + (session.resumed ? " resumed" : ""), shownSeconds(session.ageSeconds),
            String(session.requests), session.busy ? "busy" : "idle", session.certificate)
    }
    return table.text
}

/// `ID` of `account:ID` or `ID`, upper-cased as professionals are known.
func bareAccount(_ text: String) -> String {
    let prefix = "account:"
    return (text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text).uppercased()
}
