// Guide.swift: tells a step of the tour, runs its command, and looks whether it went as told.

import Foundation

/// What a command of the tour must do.
struct Expectation: Sendable {
    /// In words, for when it does not.
    let text: String
    let holds: @Sendable (_ status: Int32, _ output: String) -> Bool

    static func contains(_ parts: String..., status: Int32 = 0) -> Expectation {
        Expectation(text: "\(parts.joined(separator: ", ")) and exit \(status)") { code, output in
            code == status && parts.allSatisfy { output.contains($0) }
        }
    }

    static func fails(_ text: String) -> Expectation {
        Expectation(text: text) { code, _ in code != 0 }
    }
}

/// Leads through the tour.
actor Guide {
    private let console: Console
    private let pauses: Bool
    private var number = 0
    private(set) var allWentWell = true

    /// Characters of a line and lines of an output that are shown; one wider than any table is
    /// folded.
    static let widthMax = 100
    static let tableWidthMax = 240
    static let linesMax = 30
    static let commandMax = Duration.seconds(60)

    init(console: Console, pauses: Bool) {
        self.console = console
        self.pauses = pauses
    }

    /// Begins a step.
    func step(_ title: String, _ narration: String) {
        if pauses, number > 0 {
            console.talk("\n[Enter goes on, Ctrl-C ends]")
            _ = readLine()
        }
        number += 1
        console.print("\n\(number). \(title)\n\(folded(narration))")
    }

    func say(_ text: String) { console.print("\n" + folded(text)) }

    /// Prints a command, runs it, shows what it says; returns what it said.
    @discardableResult
    func run(_ command: String, folds: Int = 2, expect: Expectation) async -> String {
        console.print("\n$ \(command)")
        guard let child = try? ChildProcess("/bin/sh", ["-c", command + " < /dev/null"]) else {
            fail("/bin/sh cannot be started")
            return ""
        }
        let status = await child.end(within: Self.commandMax)
        show(child.text, folds: folds)
        judge(expect, status, child.text)
        return child.text
    }

    /// Prints a command and starts it; its input stays open.
    func start(_ command: String) -> ChildProcess? {
        console.print("\n$ \(command) &")
        let child = try? ChildProcess("/bin/sh", ["-c", "exec " + command])
        if child == nil { fail("/bin/sh cannot be started") }
        return child
    }

    /// Shows how a command that was started has ended.
    func await(_ child: ChildProcess, expect: Expectation, within limit: Duration) async {
        let status = await child.end(within: limit)
        show(child.text)
        judge(expect, status, child.text)
    }

    func fail(_ text: String) {
        allWentWell = false
        console.print("  !! not as told: \(text)")
    }

    private func judge(_ expectation: Expectation, _ status: Int32, _ output: String) {
        if !expectation.holds(status, output) {
            fail("expected \(expectation.text); exit \(status)")
        }
    }

    private func show(_ output: String, folds: Int = 2) {
        // CR LF is one character in Swift; a lone CR is a progress meter's.
        let text = output.replacing("\r\n", with: "\n").replacing("\r", with: "\n")
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        for line in lines.prefix(Self.linesMax) {
            // A table is made for wide terminals; only what cannot be read anyway is folded.
            guard line.count > Self.tableWidthMax else {
                console.print("  | " + printable(String(line)))
                continue
            }
            var rest = line
            for fold in 1...folds where !rest.isEmpty {
                let part = rest.prefix(Self.widthMax)
                rest = rest.dropFirst(Self.widthMax)
                let more = fold == folds && !rest.isEmpty ? "… (\(rest.count) more)" : ""
                console.print("  | " + printable(String(part)) + more)
            }
        }
        if lines.count > Self.linesMax {
            console.print("  | … (\(counted(lines.count - Self.linesMax, "more line")))")
        }
    }
}

/// Text in lines of at most 78 characters.
private func folded(_ text: String) -> String {
    var lines: [String] = []
    for word in text.split(separator: " ") {
        if let last = lines.last, last.count + word.count < 78 {
            lines[lines.count - 1] = last + " " + word
        } else {
            lines.append(String(word))
        }
    }
    return lines.joined(separator: "\n")
}
