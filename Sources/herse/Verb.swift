// Verb.swift: what every verb of the command line is: options in, words and an exit code out.

import ArgumentParser
import Foundation
import Glibc

/// A verb; says what it has to say on a console, and how it ended.
protocol Verb: AsyncParsableCommand {
    func execute(_ console: Console) async throws(Failure) -> Outcome
}

extension Verb {
    func run() async throws {
        let outcome = await outcome(on: .terminal)
        if outcome != .done { throw ExitCode(outcome.rawValue) }
    }

    /// Executes, and says what went wrong if anything did.
    func outcome(on console: Console) async -> Outcome {
        do {
            return try await execute(console)
        } catch {
            error.say(on: console)
            return error.outcome
        }
    }
}

/// How a command ended: its exit code.
enum Outcome: Int32 {
    case done = 0
    /// Refused, invalid, failed or not found; no gate, for every verb but `reload`.
    case refused = 1
    /// `herse reload` found no gate.
    case noGate = 2
    /// `herse status` found something that is not as it should be.
    case degraded = 3
}

/// Why a command could not do what was asked.
struct Failure: Error, Equatable {
    var outcome = Outcome.refused
    /// Place and problem, one or several lines.
    let lines: [String]
    let hint: String?

    init(_ line: String, hint: String? = nil, outcome: Outcome = .refused) {
        self.init(lines: [line], hint: hint, outcome: outcome)
    }

    init(lines: [String], hint: String? = nil, outcome: Outcome = .refused) {
        self.lines = lines
        self.hint = hint
        self.outcome = outcome
    }

    func say(on console: Console) {
        for line in lines { console.talk(printable(line)) }
        if let hint { console.talk("hint: \(hint)") }
    }
}

/// Where words go: data to standard output, talk to standard error.
struct Console: Sendable {
    /// Prints one or more lines of data.
    let print: @Sendable (String) -> Void
    /// Says something to whoever sits at the terminal.
    let talk: @Sendable (String) -> Void

    static let terminal = Console(
        print: {
            // A reader that has gone away is no reason to fail: the order is carried out by now. Want
            // of room is: whoever reads the file would take it for all there is.
            guard let code = write($0, to: STDOUT_FILENO), code != EPIPE else { return }
            // Safe because strerror's text is copied at once.
            let why = unsafe String(cString: strerror(code))
            _ = write("standard output cannot be written: \(why)", to: STDERR_FILENO)
            exit(Outcome.refused.rawValue)
        },
        talk: { _ = write($0, to: STDERR_FILENO) })
}

/// Writes a text and ends its line; the system's code when it could not.
private func write(_ text: String, to descriptor: Int32) -> Int32? {
    let bytes = Array((text + "\n").utf8)
    var done = 0
    while done < bytes.count {
        let count = unsafe bytes.withUnsafeBytes {
            // Safe because done < bytes.count, and write reads at most the rest.
            unsafe Glibc.write(descriptor, $0.baseAddress.map { unsafe $0 + done }, $0.count - done)
        }
        if count < 0, errno != EINTR { return errno }
        done += max(0, count)
    }
    return nil
}
