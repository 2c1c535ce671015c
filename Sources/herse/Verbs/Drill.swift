// Drill.swift: herse drill: how soon somebody neutralized is gone, on this very host.

import ArgumentParser
import Foundation
import Gate
import Glibc

struct DrillCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Measure on this host how soon the neutralized are gone.",
        discussion: """
            Starts a throw-away gate of this very program with throw-away certificates and state, \
            connects synthetic professionals in every way the gate speaks, neutralizes them one by \
            one over the admin socket, and measures from sending the order to the end of their \
            connection; then tries again with the same proof, which must be refused. The state \
            lies beside that of the configuration, so that it is the same disk that is waited for. \
            --bound holds for that time, the disk included; --inside-bound for what the gate \
            itself takes, the disk left out. Exits 0 when p99 of every protocol is within both and \
            nobody was served again, 1 when not. The gate that runs under the configuration is \
            told the result, for `herse status`; nothing else about it is touched.

            Examples:
              herse drill
              herse drill --sessions 100 --bound 20ms --json
            """)

    @Option(
        help: ArgumentHelp("What p99 may be at the client, with the disk.", valueName: "duration"),
        transform: boundMilliseconds)
    var bound = 50.0

    @Option(
        help: ArgumentHelp("What p99 may be in the gate, without it.", valueName: "duration"),
        transform: boundMilliseconds)
    var insideBound = 5.0

    @Option(help: ArgumentHelp("Professionals cut of each protocol.", valueName: "number"))
    var sessions = 20

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    /// Professionals of each protocol: their numbers have nine digits, and each takes a while.
    static let sessionsMax = 1000

    func validate() throws {
        guard (1...Self.sessionsMax).contains(sessions) else {
            throw ValidationError("--sessions: 1 to \(Self.sessionsMax) are allowed (\(sessions))")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let parent = try stateParent(console)
        // What the identity server of the drill still writes to a gate that has gone.
        signal(SIGPIPE, SIG_IGN)
        let stage = DrillStage()
        // Whatever ends this, the gate it started ends too.
        try onInterrupt { _ in
            stage.interrupt()
            // At once: other threads are still at work, with libraries that `exit` would tear down.
            _exit(130)
        }
        defer { stage.tearDown() }
        let samples: [DrillSample]
        do throws(Failure) {
            let scene = try await stage.setUp(stateIn: parent)
            samples = try Drilling(scene: scene, sessions: sessions).run()
        } catch {
            // The thread that was told to end ends the process.
            if stage.isInterrupted { await forever() }
            throw error
        }
        var result = DrillResult(
            samples, DrillBounds(clientMilliseconds: bound, insideMilliseconds: insideBound),
            at: secondsNow())
        result.isTold = parent != nil && tell(result.report, console)
        console.print(output.json ? json(result) : text(of: result))
        return result.isWithin ? .done : .refused
    }

    /// A folder on the disk of the configured state; nil when there is no configuration.
    private func stateParent(_ console: Console) throws(Failure) -> String? {
        let path = gate.configuration.path
        guard FileManager.default.fileExists(atPath: path) else {
            guard path == ConfigurationOption.standard else {
                throw Failure("\(path): is not there")
            }
            console.talk("no configuration at \(path): measured on the disk of temporary files")
            return nil
        }
        let state = stateFolder(of: path)
        let above = (state as NSString).deletingLastPathComponent
        for folder in [state, above.isEmpty ? "." : above]
        where FileManager.default.fileExists(atPath: folder) {
            return folder
        }
        throw Failure("\(state): the configured state is not there", hint: "start the gate once")
    }

    /// Tells the gate that runs under the configuration; whether there was one.
    private func tell(_ report: DrillReport, _ console: Console) -> Bool {
        do throws(ControlClientError) {
            switch try ControlClient.ask(.drilled(report), socket: gate.socket) {
            case .noted: return true
            case .refused(let problems):
                console.talk(problems.map(printable).joined(separator: "\n"))
            default: console.talk("the gate is of another version: it was not told the result")
            }
        } catch {
            if !error.isUnreached { console.talk(printable(error.message)) }
        }
        return false
    }
}

/// Reads `500us`, `20ms`, `1s`.
private func boundMilliseconds(_ text: String) throws -> Double {
    let units: [(String, Double)] = [("us", 0.001), ("ms", 1), ("s", 1000)]
    for (unit, scale) in units where text.hasSuffix(unit) {
        let digits = text.dropLast(unit.count)
        guard (1...9).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Double(digits),
            number > 0
        else { break }
        return number * scale
    }
    throw ValidationError("`\(printable(text))` is not a duration (such as 500us, 20ms, 1s)")
}
