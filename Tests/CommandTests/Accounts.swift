// Accounts.swift: herse account, from the first account to its end, without a gate.

import ArgumentParser
import Foundation
import Testing

@testable import herse

/// A folder with a configuration that lets local accounts sign in, and its state folder.
private struct AccountStage {
    let folder: String
    var configuration: String { folder + "/herse.yaml" }

    init(accounts: String = "{service: herse, link: 2h}", signIn: Bool = true) throws {
        folder = try temporaryFolder()
        try FileManager.default.createDirectory(
            atPath: folder + "/state", withIntermediateDirectories: false)
        for file in ["server.pem", "server.key", "persons-ca.pem"] {
            try "".write(toFile: folder + "/" + file, atomically: true, encoding: .utf8)
        }
        var more = ""
        if signIn { more += "  sign_in: {url: \"https://gate.example.fr\"}\n" }
        if !accounts.isEmpty { more += "  accounts: \(accounts)\n" }
        let text = sampleConfiguration().replacing(
            "authentication:\n", with: "state: ./state\nauthentication:\n" + more)
        try text.write(toFile: configuration, atomically: true, encoding: .utf8)
    }

    func account(_ words: String...) async throws -> CommandRun {
        try await run(["account"] + words + ["-c", configuration])
    }

    func file(_ name: String) throws -> String {
        try String(contentsOfFile: folder + "/state/accounts/\(name).account", encoding: .utf8)
    }
}

private func object(_ text: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
}

@Suite struct `herse account` {
    @Test func `adds, lists and removes`() async throws {
        let stage = try AccountStage()
        let empty = try await stage.account("list")
        #expect((empty.code, empty.data, empty.talk) == (0, "", "there are no local accounts"))
        let added = try await stage.account(
            "add", "anne", "--professional", "899700218896", "--structure", "10B0152872")
        #expect((added.code, added.data) == (0, "added anne, who is 899700218896"))
        #expect(added.talk == "hint: `herse account enrol anne` makes the link for a second factor")
        let again = try await stage.account("add", "anne", "--professional", "899700218896")
        #expect(again.code == 1)
        #expect(again.talk.contains("account `anne` exists already\nhint: "))
        let listed = try await stage.account("list")
        let lines = listed.data.split(separator: "\n")
        #expect(lines.count == 2)
        #expect(lines[1].hasPrefix("anne"))
        for word in ["899700218896", "10B0152872", "active"] { #expect(lines[1].contains(word)) }
        let removed = try await stage.account("remove", "anne")
        #expect(removed.code == 0)
        #expect(removed.data.hasPrefix("removed anne; "))
        let gone = try await stage.account("remove", "anne")
        #expect(gone.code == 1)
        #expect(gone.talk.contains("there is no account `anne`"))
    }

    @Test func `makes a link that only its reader knows`() async throws {
        let stage = try AccountStage()
        _ = try await stage.account("add", "anne", "--professional", "899700218896")
        let first = try await stage.account("enrol", "anne", "--totp")
        #expect(first.code == 0)
        #expect(first.talk.hasPrefix("works once, until "))
        let prefix = "https://gate.example.fr/.herse/enrol/"
        #expect(first.data.hasPrefix(prefix))
        let token = first.data.dropFirst(prefix.count)
        #expect(token.utf8.count == 43)
        let file = try stage.file("anne")
        #expect(!file.contains(token))
        let second = try await stage.account("enrol", "anne", "--json")
        let link = try object(second.data)
        #expect(link["account"] as? String == "anne")
        #expect(link["factors"] as? [String] == ["totp", "webauthn"])
        #expect((link["url"] as? String)?.hasPrefix(prefix) == true)
        #expect(link["url"] as? String != first.data)
        // One link at a time: the file holds the hash of the last one.
        #expect(try stage.file("anne").components(separatedBy: "\nlink ").count == 2)
        #expect(try stage.file("anne") != file)
        // `link: 2h`, give or take the second the clock has moved on.
        let formatter = ISO8601DateFormatter()
        let expires = try #require((link["expires"] as? String).flatMap(formatter.date(from:)))
        #expect((7190...7201).contains(expires.timeIntervalSinceNow))
    }

    @Test func `makes no link without an address to begin it with`() async throws {
        let stage = try AccountStage(accounts: "", signIn: false)
        _ = try await stage.account("add", "anne", "--professional", "899700218896")
        let ended = try await stage.account("enrol", "anne")
        #expect(ended.code == 1)
        #expect(ended.data.isEmpty)
        #expect(ended.talk.contains("`authentication.sign_in.url` is not there"))
        #expect(try !stage.file("anne").contains("\nlink "))
    }

    @Test func `disables, enables and forgets, and says what is not there`() async throws {
        let stage = try AccountStage()
        _ = try await stage.account("add", "anne", "--professional", "899700218896")
        _ = try await stage.account("enrol", "anne")
        #expect(try await stage.account("disable", "anne").code == 0)
        #expect(try stage.file("anne").contains("\nstate disabled\n"))
        #expect(try !stage.file("anne").contains("\nlink "))
        #expect(try await stage.account("enrol", "anne").code == 1)
        #expect(try await stage.account("enable", "anne").code == 0)
        #expect(try stage.file("anne").contains("\nstate active\n"))
        let key = try await stage.account("forget", "anne", "--key", "5f3a90c1")
        #expect(key.code == 1)
        #expect(key.talk.contains("the account has no such security key"))
        for words in [["disable", "paul"], ["enable", "paul"], ["forget", "paul", "--totp"]] {
            let ended = try await run(["account"] + words + ["-c", stage.configuration])
            #expect(ended.code == 1)
            #expect(ended.talk.contains("there is no account `paul`"))
        }
    }

    @Test func `lists what is damaged, and ends with 1`() async throws {
        let stage = try AccountStage()
        _ = try await stage.account("add", "anne", "--professional", "899700218896")
        _ = try await stage.account("add", "paul", "--professional", "899700218896")
        let path = stage.folder + "/state/accounts/paul.account"
        try "rubbish".write(toFile: path, atomically: true, encoding: .utf8)
        let ended = try await stage.account("list", "--json")
        #expect(ended.code == 1)
        #expect(ended.talk.contains("\(path): is damaged\nhint: remove the account"))
        let list = try JSONSerialization.jsonObject(with: Data(ended.data.utf8)) as? [[String: Any]]
        #expect(list?.count == 1)
        #expect(list?.first?["name"] as? String == "anne")
        #expect(list?.first?["totp"] as? Bool == false)
        #expect(list?.first?["secret"] == nil)
    }

    @Test func `works beside a configuration that is being edited, but for links`() async throws {
        let stage = try AccountStage()
        try "state: ./state\nlisteners: [".write(
            toFile: stage.configuration, atomically: true, encoding: .utf8)
        #expect(
            try await stage.account("add", "anne", "--professional", "899700218896").code == 0)
        let ended = try await stage.account("enrol", "anne")
        #expect(ended.code == 1)
        #expect(ended.talk.contains("hint: `herse check` says why"))
        #expect(try await stage.account("remove", "anne").code == 0)
    }

    @Test(arguments: [
        (["add", "Anne", "--professional", "899700218896"], "`Anne` is not the name"),
        (["add", "anne"], "--professional"),
        (["add", "anne", "--professional", "12"], "--professional: `12`"),
        (["add", "anne", "--professional", "899700218896", "--structure", "!"], "--structure"),
        (["enrol", "anne", "--for", "5"], "--for: `5`"),
        (["enrol", "anne", "--for", "31d"], "at most 30d"),
        (["forget", "anne"], "either --totp or --key"),
        (["forget", "anne", "--totp", "--key", "1"], "either --totp or --key"),
        (["remove", "../anne"], "is not the name"), (["list", "anne"], "anne"),
    ])
    func `refuses what it does not understand with exit 64`(words: [String], said: String) throws {
        let error = try #require(throws: (any Error).self) {
            try Herse.parseAsRoot(["account"] + words)
        }
        #expect(Herse.exitCode(for: error).rawValue == 64)
        #expect(Herse.fullMessage(for: error).contains(said))
    }

    @Test func `has a helper that only the gate can use`() async throws {
        #expect(!Herse.helpMessage().contains("pam-helper"))
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("herse")
        process.arguments = ["pam-helper"]
        let said = Pipe()
        process.standardError = said
        try process.run()
        let text = String(
            decoding: try said.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        process.waitUntilExit()
        #expect(process.terminationStatus == 1)
        #expect(text.contains("descriptor 3 is no socket to a gate"))
    }
}
