// Lists.swift: herse lists: signed neutralization lists of others: shown, fetched, brought, trusted.

import ArgumentParser
import Foundation
import Gate
import Neutralization
import SignedLists

struct ListsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lists",
        abstract: "Show, fetch, add and trust signed neutralization lists of others.",
        discussion: """
            Another region, or an authority, says whom to cut off. Each list is signed, has a \
            sequence that never goes back, and cuts only whom its scope in the configuration \
            covers.

            Examples:
              herse lists show
              herse lists fetch cert-sante
              herse lists add received.list --as cert-sante
            """,
        subcommands: [
            ListsShowCommand.self, ListsFetchCommand.self, ListsAddCommand.self,
            ListsTrustCommand.self, ListsHashCommand.self,
        ])
}

struct ListsShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the signed lists of the running gate.",
        discussion: """
            Sequence, age, entries in force, lines outside the scope, the keys that are trusted, \
            and what was wrong with the last that came. Exits 0 when every list is known and none \
            is stale, 1 when not.

            Examples:
              herse lists show
              herse lists show cert-sante --json
            """)

    @Argument(help: ArgumentHelp("One list.", valueName: "name"))
    var name: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .lists(var lists) = try gate.ask(.lists) else { throw .wrongAnswer }
        if let name {
            lists = lists.filter { $0.name == name }
            guard !lists.isEmpty else {
                throw Failure("`\(printable(name))`: no such list in `neutralization_lists`")
            }
        }
        if output.json {
            console.print(json(lists))
        } else if lists.isEmpty {
            console.talk("the configuration in force has no `neutralization_lists`")
        } else {
            console.print(text(of: lists))
        }
        let isGood = lists.allSatisfy { $0.state != "unknown" && $0.state != "stale" }
        return isGood ? .done : .refused
    }
}

struct ListsFetchCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetch signed lists now.",
        discussion: """
            Returns once what came is on disk, in force in every worker, and everybody it newly \
            names is cut. A list that is not its issuer's, or earlier than one accepted before, is \
            refused, and the one in force stays. Exits 1 when any was not taken.

            Examples:
              herse lists fetch
              herse lists fetch cert-sante --json
            """)

    @Argument(
        help: ArgumentHelp("One list; all that have an address unless given.", valueName: "name"))
    var name: String?

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        try changed(gate.ask(.fetchLists(name: name)), json: output.json, on: console)
    }
}

struct ListsAddCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Take a signed list that was brought by hand.",
        discussion: """
            For the night on which the network is what was attacked. The gate verifies the list as \
            if it had fetched it. The signature stands beside it, in FILE.sig or FILE.p7s, unless \
            it is named.

            Examples:
              herse lists add received.list --as cert-sante
              herse lists add received.list --signature received.p7s --as region-b
            """)

    @Argument(help: ArgumentHelp("The list.", valueName: "file"), completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp("Its detached signature.", valueName: "file"), completion: .file())
    var signature: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Its name in the configuration.", valueName: "name"))
    var name: String

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    /// Bytes of a list that fit into one request; longer ones the gate reads by itself.
    private static let bytesMax = 8 << 20

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let list = try contents(file)
        guard list.count <= Self.bytesMax else {
            throw Failure(
                "\(file): has \(list.count) bytes, at most \(Self.bytesMax) can be brought so",
                hint: "name it as `file` in `neutralization_lists`, and `herse lists fetch`")
        }
        let beside = [file + ".sig", file + ".p7s"].first {
            FileManager.default.fileExists(atPath: $0)
        }
        guard let signature = signature ?? beside else {
            throw Failure(
                "\(file): there is no signature beside it", hint: "name it with --signature")
        }
        let delivery = ListDelivery(name: name, list: list, signature: try contents(signature))
        return try changed(gate.ask(.addList(delivery)), json: output.json, on: console)
    }
}

struct ListsTrustCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Trust another key for a list, or trust one no longer, at once.",
        discussion: """
            For an issuer who changes keys, or has lost one, at night: it holds over reload and \
            restart, beside what the configuration says, and is recorded. What is in force by a \
            key that is revoked stays until another list comes.

            Examples:
              herse lists trust cert-sante --key new.pem
              herse lists trust cert-sante --key lost.pem --revoke
            """)

    @Argument(help: ArgumentHelp("The list.", valueName: "name"))
    var name: String

    @Option(help: ArgumentHelp("Ed25519 public key, PEM.", valueName: "file"), completion: .file())
    var key: String

    @Flag(help: "Trust the key no longer.")
    var revoke = false

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let order = TrustOrder(name: name, key: try contents(key), isRevoked: revoke)
        guard case .lists(let lists) = try gate.ask(.trustKey(order)), let list = lists.first else {
            throw .wrongAnswer
        }
        if output.json {
            console.print(json(list))
        } else {
            let keys = list.keys.map { "\n  sha256:\($0)" }.joined()
            console.print(
                "list \(printable(list.name)) is now trusted by\(keys.isEmpty ? " no key" : keys)")
        }
        return .done
    }
}

struct ListsHashCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "hash",
        abstract: "Print the line that names an account in a list without showing it.",
        discussion: """
            For whoever issues a list: HMAC-SHA-256 under a key that the list's readers share \
            (openssl rand -hex 32), which the header names as `hash-key`.

            Examples:
              herse lists hash 899700218896 --key shared.key
            """)

    @Argument(help: ArgumentHelp("Accounts.", valueName: "id"))
    var accounts: [String]

    @Option(help: ArgumentHelp("The shared key.", valueName: "file"), completion: .file())
    var key: String

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard let shared = ListHashKey(Array(try contents(key))) else {
            throw Failure(
                "\(key): is no key of 32 bytes", hint: "make one with `openssl rand -hex 32`")
        }
        for account in accounts {
            do throws(SubjectError) {
                console.print(shared.line(for: try AccountID(bareAccount(account))))
            } catch {
                throw Failure("`\(printable(account))`: \(error.message)", hint: error.hint)
            }
        }
        return .done
    }
}

private func contents(_ file: String) throws(Failure) -> Data {
    guard let data = FileManager.default.contents(atPath: file) else {
        throw Failure("\(file): cannot be read")
    }
    return data
}

private func changed(
    _ answer: ControlAnswer, json asJSON: Bool, on console: Console
) throws(Failure) -> Outcome {
    guard case .listsChanged(let changes) = answer else { throw .wrongAnswer }
    if asJSON {
        console.print(json(changes))
    } else {
        for change in changes { console.print(text(of: change)) }
    }
    return changes.allSatisfy { $0.problem.isEmpty } ? .done : .refused
}

func text(of change: ListChange) -> String {
    let name = printable(change.name)
    guard change.problem.isEmpty else {
        return "list \(name) was refused, and the one in force stays:"
            + change.problem.map { "\n  \(printable($0))" }.joined()
    }
    let sequence = change.sequence.map { String($0) } ?? "none"
    let isSame = change.sequence == change.sequenceBefore
    let before = change.sequenceBefore.map { String($0) } ?? "none"
    var text =
        isSame
        ? "list \(name) is still sequence \(sequence)"
        : "list \(name) is sequence \(sequence), was \(before)"
    text += ": \(counted(change.entries, "entry")) in force, \(shown(change.cut)) cut"
    if change.outsideScope > 0 {
        text += "; \(change.outsideScope) lines outside its scope are not in force"
    }
    return text
}

func text(of lists: [SignedListStatus]) -> String {
    var table = Table(
        "LIST", "STATE", "AUTHORITY", ">SEQUENCE", "ISSUED", "NEXT UPDATE", ">ENTRIES",
        ">OUTSIDE SCOPE", "PROBLEM")
    for list in lists {
        table.add(
            list.name, list.state, list.authority, list.sequence.map { String($0) }, list.issued,
            list.nextUpdate, String(list.entries), String(list.outsideScope), list.problem)
    }
    let keys = lists.flatMap { list in list.keys.map { "\(list.name): trusts sha256:\($0)" } }
    return keys.isEmpty ? table.text : table.text + "\n\n" + keys.joined(separator: "\n")
}
