// Manual.swift: herse manual: the manual page herse(1), made of the help texts themselves.

import ArgumentParser
import Foundation

struct ManualCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "manual",
        abstract: "Print the manual page.",
        discussion: """
            Prints herse(1) as troff, made of the help of every command.

            Examples:
              herse manual | man -l -
              herse manual > /usr/local/share/man/man1/herse.1
            """,
        shouldDisplay: false)

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        console.print(manualPage())
        return .done
    }
}

/// herse(1), troff with the man macros.
func manualPage() -> String {
    var lines = [
        #".TH HERSE 1 "" "\#(escaped(Herse.version))" "Herse""#,
        ".SH NAME",
        #"herse \- \#(escaped(lowerFirst(Herse.configuration.abstract)))"#,
        ".SH SYNOPSIS",
        ".B herse",
        ".I command",
        ".RI [ options ]",
        ".SH DESCRIPTION",
        escaped(paragraph(Herse.configuration.discussion)),
        ".SH COMMANDS",
    ]
    for command in commands {
        let name = command.name
        let configuration = command.type.configuration
        lines += [
            ".SS herse " + escaped(name), escaped(configuration.abstract), ".PP", ".nf",
            escaped(command.help), ".fi",
        ]
    }
    lines += [
        ".SH EXIT STATUS", ".TP", "0", "Done, valid, found, healthy.", ".TP", "1",
        "Refused, invalid, failed or not found; no gate answers.", ".TP", "2",
        "herse reload found no gate.", ".TP", "3", "herse status found the gate degraded.", ".TP",
        "64", "The command line is not understood.", ".SH FILES", ".TP", "/etc/herse",
        "The configuration: every *.yaml of the folder.",
    ]
    return lines.joined(separator: "\n")
}

/// A command under the name it is called by, and its help.
struct NamedCommand {
    let name: String
    let type: any ParsableCommand.Type

    /// As `--help` prints it, without its abstract.
    var help: String {
        let help = Herse.helpMessage(for: type, columns: 78)
        // The abstract is a sentence before the first empty line.
        guard let end = help.range(of: "\n\n") else { return help }
        return help.hasPrefix("OVERVIEW") ? String(help[end.upperBound...]) : help
    }
}

/// Every command that can be called, sub-commands after what they belong to.
var commands: [NamedCommand] {
    let top = Herse.configuration.groupedSubcommands.flatMap(\.subcommands)
    return top.flatMap { named($0, under: "") }
}

private func named(_ type: any ParsableCommand.Type, under parent: String) -> [NamedCommand] {
    let name = parent + type._commandName
    return [NamedCommand(name: name, type: type)]
        + type.configuration.subcommands.flatMap { named($0, under: name + " ") }
}

/// The discussion before its examples.
private func paragraph(_ discussion: String) -> String {
    discussion.range(of: "\n\n").map { String(discussion[..<$0.lowerBound]) } ?? discussion
}

private func lowerFirst(_ text: String) -> String {
    var text = text.hasSuffix(".") ? String(text.dropLast()) : text
    text = text.prefix(1).lowercased() + text.dropFirst()
    return text
}

/// Text that troff takes for text: no escape, no request at the start of a line.
private func escaped(_ text: String) -> String {
    text.replacing("\\", with: "\\e").replacing("-", with: "\\-")
        .split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.hasPrefix(".") || $0.hasPrefix("'") ? "\\&" + $0 : $0 }
        .joined(separator: "\n")
}
