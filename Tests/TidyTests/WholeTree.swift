// WholeTree.swift: the rules the repository keeps as a whole: words, places, borders of modules.

import Foundation
import Testing

@Suite struct `The repository` {
    @Test func `speaks of no machine`() {
        // Taken apart, so that this file does not find itself.
        let places = ["work", "root", "home", "Users"].map { "/" + $0 + "/" }
        report(findings(places) { line in place(of: places, in: line) })
        // Sockets of tests need short paths; nothing else has a place of its own there.
        let temporary = ["/" + "tmp" + "/"]
        report(
            findings(temporary) { line in place(of: temporary, in: line) }
                .filter { !$0.path.hasPrefix("Tests/") })
    }

    private func place(of places: [String], in line: String) -> String? {
        places.first { place in
            guard let range = line.range(of: place) else { return false }
            guard range.lowerBound > line.startIndex else { return true }
            // `policies/home/` and `https://host/home/` are no places on a machine.
            let before = line[line.index(before: range.lowerBound)]
            return !before.isLetter && !before.isNumber && !"._-/}$)~*".contains(before)
        }.map { "`\($0)`: a path of one machine" }
    }

    @Test func `leaves nothing for later in its files`() {
        let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
        report(
            findings(marks) { line in
                let words = line.split { !$0.isLetter && !$0.isNumber }
                return marks.first { mark in words.contains { $0 == mark } }
                    .map { "`\($0)`: open an issue, or do it" }
            })
    }

    /// What `what` says of the lines of every file that has one of `texts` in it.
    private func findings(_ texts: [String], _ what: (String) -> String?) -> [Finding] {
        Repository.files.filter { file in texts.contains { file.holds($0) } }.flatMap { file in
            file.lines.enumerated().compactMap { index, line in
                what(line).map { Finding(path: file.path, line: index + 1, what: $0) }
            }
        }
    }

    @Test func `pins no version of what it depends on`() throws {
        #expect(try #require(Repository.file(".gitignore")).lines.contains("Package.resolved"))
        // The index names every tracked file; there is none in a tree that git did not make.
        guard let index = Repository.file(".git/index") else { return }
        #expect(!index.holds("Package.resolved"))
    }

    /// What each module may import of ours; arrows go downward only, and the four in the middle
    /// (Policy, Limits, Neutralization, Record) do not know each other.
    private static let borders: [String: Set<String>] = [
        "CSystem": [], "COpenSSL": [],
        "Reactor": ["CSystem"],
        "Wire": ["CSystem", "COpenSSL"],
        "Identity": [],
        "KeyedHash": [],
        "JSON": ["CSystem"],
        "CSV": [],
        "Lookup": ["CSystem", "JSON", "KeyedHash", "CXML", "CRegex", "CZlib"],
        "CXML": [], "CRegex": [], "CZlib": [], "CCurl": [], "CPAM": [], "CFIDO": [],
        "Tokens": ["COpenSSL", "JSON"],
        "WebAuthn": ["CFIDO", "COpenSSL", "JSON"],
        "Accounts": ["COpenSSL", "CPAM", "CSystem", "JSON", "Reactor"],
        "Directory": ["CSystem", "Identity"],
        "Outbound": ["CCurl", "CSystem"],
        "Issuers": ["COpenSSL", "JSON", "Outbound", "Tokens"],
        "Alerts": ["COpenSSL", "CSystem", "JSON", "Outbound", "Reactor"],
        "Revocation": ["COpenSSL", "Outbound"],
        "SignIn": [
            "Accounts", "COpenSSL", "CSystem", "Identity", "Issuers", "JSON", "Outbound", "Tokens",
            "WebAuthn",
        ],
        "Signals": ["JSON", "Tokens"],
        "Policy": ["Alerts", "Identity", "KeyedHash", "Lookup", "Signals", "Tokens"],
        "Limits": ["CSystem", "KeyedHash"],
        "Neutralization": ["CSystem"],
        "Record": ["COpenSSL", "CSystem", "Sealing", "Transparency", "Wire"],
        "RecordKeeping": [
            "Alerts", "CSystem", "Outbound", "Reactor", "Record", "Sealing", "Transparency",
        ],
        "Keys": ["COpenSSL"],
        "Transparency": ["COpenSSL", "Keys"],
        "Sealing": ["COpenSSL", "CSystem", "CZlib", "Keys"],
        "RecordReading": ["CSystem", "Lookup", "Record", "Sealing", "Transparency"],
        "RecordIndex": [
            "CSystem", "KeyedHash", "Lookup", "Record", "RecordReading", "Sealing",
        ],
        "RecordExport": ["COpenSSL", "CSystem", "CSV", "JSON", "Outbound", "RecordReading"],
        "Dossier": ["COpenSSL", "CSystem", "CSV", "RecordReading"],
        "Administration": ["Keys"],
        "SignedLists": ["COpenSSL", "CSystem", "Neutralization", "Outbound"],
        "Gate": [
            "Accounts", "Administration", "Alerts", "CSystem", "COpenSSL", "Directory", "Identity",
            "Issuers", "JSON", "KeyedHash", "Limits", "Lookup", "Neutralization", "Outbound",
            "Policy", "Reactor",
            "Record", "RecordKeeping", "Revocation", "Sealing", "SignIn", "Signals",
            "SignedLists", "Tokens", "Transparency", "WebAuthn", "Wire",
        ],
        "Demo": ["COpenSSL"],
        "herse": [
            "Accounts", "Administration", "CSystem", "COpenSSL", "Demo", "Directory", "Gate",
            "Identity",
            "JSON", "KeyedHash", "Limits", "Lookup", "Neutralization", "Policy", "Record",
            "RecordExport", "RecordIndex", "RecordReading", "Dossier", "Sealing", "Tokens",
            "SignedLists", "Transparency",
        ],
    ]

    @Test func `keeps the borders of its modules`() {
        var findings: [Finding] = []
        for file in SwiftFile.all where file.path.hasPrefix("Sources/") {
            let module = file.path.split(separator: "/")[1]
            guard let allowed = Self.borders[String(module)] else {
                findings.append(file.finding(0, "module `\(module)` has no place in the borders"))
                continue
            }
            for (index, line) in file.lines.enumerated() {
                let words = line.words
                guard let word = words.firstIndex(of: "import"), word + 1 < words.count,
                    words[..<word].allSatisfy({ ["package", "public", "internal"].contains($0) })
                else { continue }
                let imported = String(words[word + 1])
                if Self.borders[imported] != nil, !allowed.contains(imported) {
                    findings.append(file.finding(index, "`\(module)` must not know `\(imported)`"))
                }
            }
        }
        report(findings)
    }
}
