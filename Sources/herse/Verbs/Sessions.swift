// Sessions.swift: herse sessions: who is connected.

import ArgumentParser
import Gate

struct SessionsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "sessions",
        abstract: "List live connections and sessions.",
        discussion: """
            Shows every connection whose handshake is done: who proved to be at the other end, \
            from where, for how long, and whether a request is running; and every session of \
            those who signed in with a browser: where from, how, and when it ends.

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
            console.talk("no live connection, no session")
        } else {
            console.print(text(of: sessions))
        }
        return .done
    }
}

func text(of reports: [SessionReport]) -> String {
    let connections = reports.filter { $0.kind == .connection }
    let sessions = reports.filter { $0.kind == .session }
    var parts: [String] = []
    if !connections.isEmpty {
        var table = Table(
            "PROFESSIONAL", "STRUCTURE", "METHOD", "FROM", "LISTENER", "TLS", ">AGE", ">REQUESTS",
            "STATE", "CERTIFICATE")
        for one in connections {
            table.add(
                one.professional, one.structure, one.method, one.peer, one.listener,
                one.tls.map { $0 + (one.resumed == true ? " resumed" : "") },
                shownSeconds(one.ageSeconds), one.requests.map { String($0) },
                one.busy == true ? "busy" : "idle", one.certificate)
        }
        parts.append(table.text)
    }
    if !sessions.isEmpty {
        var table = Table(
            "SESSION", "PROFESSIONAL", "METHOD", "LEVEL", "BY", "FROM", ">AGE", ">IDLE",
            ">ENDS IN")
        for one in sessions {
            table.add(
                one.session, one.professional, one.method, one.level, one.issuer ?? one.account,
                one.peer, shownSeconds(one.ageSeconds), one.idleSeconds.map { shownSeconds($0) },
                one.endsInSeconds.map { shownSeconds($0) })
        }
        parts.append(table.text)
    }
    return parts.joined(separator: "\n\n")
}

/// `ID` of `account:ID` or `ID`, upper-cased as professionals are known.
func bareAccount(_ text: String) -> String {
    let prefix = "account:"
    return (text.hasPrefix(prefix) ? String(text.dropFirst(prefix.count)) : text).uppercased()
}
