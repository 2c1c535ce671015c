// Parsing.swift: which command lines are understood, and how those that are not end.

import ArgumentParser
import Foundation
import Gate
import Testing

@testable import herse

@Suite struct `The command line` {
    @Test(arguments: [
        ["serve", "-c", "herse.yaml"],
        ["check", "--config", "/etc/herse", "--json"],
        ["test", "-c", "herse.yaml"],
        ["explain", "GET", "/fhir/Patient/1", "--as", "899700218896"],
        ["explain", "GET", "/fhir/Patient/1?x=y", "--as", "account:899700218896"],
        ["explain", "OPTIONS", "*", "--as", "none"],
        [
            "explain", "GET", "/", "--as", "899700218896", "--as", "network:203.0.113.7",
            "--structure", "10B0152872", "--holder", "organisation", "--after", "5",
            "--no-certificate", "--neutralized", "--listener", "l",
        ],
        ["reload"], ["reload", "--confirm-within", "5m", "--json"],
        ["confirm"], ["rollback", "--control", "/run/herse.sock"],
        ["neutralize", "899700218896", "--reason", "x"],
        [
            "neutralize", "account:899700218896", "network:203.0.113.0/24", "--reason", "stolen",
            "--until", "2026-12-01T00:00:00Z", "--ticket", "INC-1", "--preview",
        ],
        ["neutralize", "--file", "suspects.list", "--reason", "x"],
        ["reinstate", "899700218896", "--reason", "x"],
        ["lists", "show"], ["lists", "show", "cert-sante", "--json"],
        ["lists", "fetch"], ["lists", "fetch", "cert-sante", "--json"],
        ["lists", "add", "a.list", "--as", "cert-sante"],
        ["lists", "add", "a.list", "--signature", "a.p7s", "--as", "cert-sante", "--json"],
        ["lists", "trust", "cert-sante", "--key", "new.pem"],
        ["lists", "trust", "cert-sante", "--key", "lost.pem", "--revoke", "--json"],
        ["lists", "hash", "899700218896", "--key", "shared.key"],
        ["orders"], ["orders", "--json"],
        ["approve", "3f9a0c51d2e84b67", "--key", "alice.key", "--as", "alice"],
        ["decline", "3f9a0c51d2e84b67"],
        ["neutralized"], ["neutralized", "account:899700218896", "--json"],
        ["sessions", "--professional", "899700218896"],
        ["limits", "show", "899700218896"],
        [
            "limits", "grant", "899700218896", "--count", "patients", "--extra", "50", "--for",
            "2h", "--reason", "x",
        ],
        ["alerts"], ["alerts", "--json"], ["alerts", "test"], ["alerts", "test", "siem", "--json"],
        ["status", "--json"], ["status", "--metrics"],
        ["drill"], ["drill", "--sessions", "3", "--bound", "500us", "--inside-bound", "1s"],
        ["demo", "--tour", "--keep"],
        ["manual"],
    ])
    func `is understood`(arguments: [String]) {
        #expect(throws: Never.self) { try Herse.parseAsRoot(arguments) }
    }

    @Test(arguments: [
        (["unheard-of"], "unheard-of"),
        // Verbs of later versions are no empty shells.
        (["rehearse"], "rehearse"), (["record", "forge"], "forge"),
        (["record", "prove"], "entry"), (["record", "check-proof", "x"], "--key"),
        (["check", "--jsno"], "--json"),
        (["status", "--json", "--metrics"], "--metrics"),
        (["drill", "--bound", "5"], "500us"), (["drill", "--bound", "0ms"], "500us"),
        (["drill", "--inside-bound", "-1ms"], "--inside-bound"),
        (["drill", "--sessions", "0"], "--sessions"),
        (["drill", "--sessions", "1001"], "1000"),
        (["explain", "GET"], "path"),
        (["explain", "GET", "/x"], "--as"),
        (["explain", "GET", "x", "--as", "none"], "begins with /"),
        (["explain", "GET", "/x", "--as", "none", "--as", "899700218896"], "only `none`"),
        (["explain", "GET", "/x", "--as", "123"], "national identifier"),
        (["explain", "GET", "/x", "--as", "network:10.0.0.0/8"], "more than one address"),
        (["explain", "GET", "/x", "--as", "none", "--after", "-1"], "--after"),
        (["explain", "GET", "/x", "--as", "none", "--structure", "!"], "--structure"),
        (["reload", "--confirm-within", "5"], "5m"),
        (["reload", "--confirm-within", "0s"], "at least 1s"),
        (["reload", "--confirm-within", "2d"], "at most 1d"),
        (["neutralize", "--reason", "x"], "--file"),
        (["neutralize", "899700218896"], "--reason"),
        (["neutralize", "899700218896", "--reason", " "], "--reason: is empty"),
        (["neutralize", "899700218896", "--reason", "x", "--until", "tomorrow"], "2026-"),
        (["neutralize", "token:a b", "--reason", "x"], "not allowed in a name"),
        (["neutralize", "certificate:sha256:ab", "--reason", "x"], "64 hexadecimal digits"),
        (["neutralize", "network:203.0.113.1/24", "--reason", "x"], "203.0.113.0/24"),
        (["neutralize", "a b", "--reason", "x"], "not allowed in an account"),
        (["reinstate", "--reason", "x"], "subject"),
        (["reinstate", "899700218896"], "--reason"),
        (["neutralized", "nobody:1"], "unknown kind"),
        (["lists", "add", "a.list"], "--as"), (["lists", "trust", "cert-sante"], "--key"),
        (["lists", "hash", "--key", "shared.key"], "id"),
        (["approve", "3f9a0c51d2e84b67", "--as", "alice"], "--key"),
        (["approve", "3f9a0c51d2e84b67", "--key", "alice.key"], "--as"),
        (["decline"], "order"),
        (["limits", "show"], "id"),
        (grant(), "--count"),
        (grant("--count", "patient", "--extra", "1", "--for", "1h"), "--count"),
        (grant("--count", "patients", "--extra", "0", "--for", "1h"), "--extra: 0 is out of"),
        (grant("--count", "patients", "--extra", "1000001", "--for", "1h"), "at most 1000000"),
        (grant("--count", "patients", "--extra", "1", "--for", "0s"), "--for: `0s`"),
        (grant("--count", "patients", "--extra", "1", "--for", "31d"), "at most 30d"),
    ])
    func `is refused with exit 64 and a word on what is wrong`(
        arguments: [String], word: String
    ) throws {
        let error = try #require(throws: (any Error).self) { try Herse.parseAsRoot(arguments) }
        #expect(Herse.exitCode(for: error).rawValue == 64)
        #expect(Herse.fullMessage(for: error).contains(word))
    }

    @Test func `refuses a reason longer than the journal keeps`() throws {
        let reason = String(repeating: "x", count: 513)
        let error = try #require(throws: (any Error).self) {
            try Herse.parseAsRoot(["neutralize", "899700218896", "--reason", reason])
        }
        #expect(Herse.fullMessage(for: error).contains("at most 512"))
    }

    @Test func `reads the configuration from /etc/herse unless told`() throws {
        let command = try #require(try Herse.parseAsRoot(["status"]) as? StatusCommand)
        #expect(command.gate.configuration.path == "/etc/herse")
    }

    @Test func `shows its version and the library it runs on`() throws {
        let error = try #require(throws: (any Error).self) {
            try Herse.parseAsRoot(["--version"])
        }
        #expect(Herse.exitCode(for: error) == .success)
        let text = Herse.message(for: error)
        #expect(text.hasPrefix("herse \(herseVersion) ("))
        #expect(text.contains("OpenSSL 3"))
    }
}

@Suite struct `Help` {
    @Test(arguments: commands.map(\.name))
    func `has a paragraph and examples for every verb`(name: String) throws {
        let command = try #require(commands.first { $0.name == name })
        let configuration = command.type.configuration
        #expect(configuration.abstract.hasSuffix("."))
        let parts = configuration.discussion.components(separatedBy: "\n\nExamples:\n")
        try #require(parts.count == 2)
        #expect(parts[0].count > 60)
        let examples = parts[1].split(separator: "\n")
        #expect((1...3).contains(examples.count))
        for example in examples {
            #expect(example.hasPrefix("  "))
            // A line that help folds can no longer be pasted.
            #expect(example.count <= 80)
            let isContinued = example.hasPrefix("    --")
            #expect(
                isContinued || example.contains("herse \(name.split(separator: " ")[0])"))
        }
        #expect(command.type.helpMessage().contains(examples[0]))
    }

    @Test func `names every verb of this version`() {
        let verbs = [
            "serve", "demo", "check", "test", "explain", "replay", "reload", "confirm", "rollback",
            "neutralize", "reinstate", "neutralized", "orders", "approve", "decline", "lists",
            "lists show", "lists fetch", "lists add", "lists trust", "lists hash", "drill",
            "record", "record verify", "record prove", "record check-proof", "record keys",
            "record keys show", "record keys new", "record search", "record who-saw",
            "record seen-by", "record index", "record purge",
            "record export", "record feed", "report", "report breach", "account", "account add",
            "account enrol", "account list", "account disable", "account enable", "account forget",
            "account remove", "status", "sessions", "limits", "limits show", "limits grant",
            "alerts", "alerts show", "alerts test",
        ]
        #expect(commands.map(\.name) == verbs)
        let help = Herse.helpMessage()
        for verb in verbs where !verb.contains(" ") { #expect(help.contains("  \(verb) ")) }
        #expect(!help.contains("manual"))
    }

    @Test func `makes the manual page`() async throws {
        let page = try await run(["manual"])
        #expect(page.code == 0)
        #expect(page.data.hasPrefix(".TH HERSE 1 "))
        for command in commands {
            let name = command.name.replacingOccurrences(of: "-", with: "\\-")
            #expect(page.data.contains(".SS herse \(name)\n"))
        }
        // A line that begins with a dot is a request; only those of the man macros are meant.
        let requests = Set(
            page.data.split(separator: "\n").filter { $0.hasPrefix(".") || $0.hasPrefix("'") }
                .map { $0.prefix { $0 != " " } })
        #expect(
            requests.isSubset(of: [
                ".TH", ".SH", ".SS", ".B", ".I", ".RI", ".PP", ".nf", ".fi", ".TP",
            ]))
    }

    @Test(arguments: [CompletionShell.bash, .zsh, .fish])
    func `completes in every shell`(shell: CompletionShell) {
        #expect(Herse.completionScript(for: shell).contains("confirm-within"))
    }
}

/// An order of a grant with all but what is tried.
private func grant(_ rest: String...) -> [String] {
    ["limits", "grant", "899700218896", "--reason", "x"] + rest
}
