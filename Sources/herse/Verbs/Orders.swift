// Orders.swift: herse orders, approve and decline: what waits for a second administrator.

import Administration
import ArgumentParser
import Foundation
import Gate

struct OrdersCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "orders",
        abstract: "List the orders that wait for a second administrator.",
        discussion: """
            Where `administration.four_eyes` says so, neutralizing many at once, reinstating and \
            granting more wait for somebody else's signed approval, for a limited time. Exits 0.

            Examples:
              herse orders
              herse orders --json
            """)

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .orders(let orders) = try gate.ask(.orders) else { throw .wrongAnswer }
        if output.json {
            console.print(json(orders))
        } else if orders.isEmpty {
            console.talk("no order waits for approval")
        } else {
            console.print(orders.map { text(of: $0) }.joined(separator: "\n\n"))
        }
        return .done
    }
}

struct ApproveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "approve",
        abstract: "Approve an order of another administrator, and have it carried out.",
        discussion: """
            Shows the order, signs all of it with your key and sends it to the gate, which carries \
            it out if nobody else's approval is missing. You cannot approve what you ordered. The \
            key is Ed25519 (openssl genpkey -algorithm ed25519 -aes256 -out alice.key); its public \
            half stands in the configuration.

            Examples:
              herse approve 3f9a0c51d2e84b67 --key alice.key --as alice
            """)

    @Argument(help: ArgumentHelp("The order, as `herse orders` names it.", valueName: "order"))
    var order: String

    @Option(help: ArgumentHelp("Your private key, PEM.", valueName: "file"), completion: .file())
    var key: String

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp("Your name among the approvers.", valueName: "name"))
    var approver: String

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .orders(let orders) = try gate.ask(.orders) else { throw .wrongAnswer }
        guard let waiting = orders.first(where: { $0.id == order }) else {
            throw Failure(
                "`\(printable(order))`: no such order waits", hint: "`herse orders` lists them")
        }
        console.talk(text(of: waiting))
        guard let pem = FileManager.default.contents(atPath: key) else {
            throw Failure("\(key): cannot be read")
        }
        guard let signer = ApprovalSigner(pem: Array(pem)),
            let signature = signer.signature(of: Array(waiting.text))
        else {
            throw Failure(
                "\(key): is no Ed25519 private key, or the passphrase is wrong",
                hint: "make one with `openssl genpkey -algorithm ed25519 -out KEY`")
        }
        let approval = Approval(order: order, approver: approver, signature: Data(signature))
        let answer = try gate.ask(.approve(approval))
        switch answer {
        case .granted(let grant): console.print(output.json ? json(grant) : text(of: grant))
        case .purged: return try report(answer, json: output.json, on: console)
        case .waiting where waiting.lines.first?.hasPrefix("record purge") == true:
            return try report(answer, json: output.json, on: console)
        default:
            let isReinstatement = waiting.lines.first?.hasPrefix("reinstate") == true
            return try report(
                answer, verb: isReinstatement ? .reinstate : .neutralize, json: output.json,
                on: console)
        }
        return .done
    }
}

struct DeclineCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "decline",
        abstract: "Forget an order that waits for a second administrator.",
        discussion: """
            Whoever may speak to the gate may decline, the one who ordered included. It is \
            recorded.

            Examples:
              herse decline 3f9a0c51d2e84b67
            """)

    @Argument(help: ArgumentHelp("The order, as `herse orders` names it.", valueName: "order"))
    var order: String

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard case .orders(let orders) = try gate.ask(.decline(order)) else { throw .wrongAnswer }
        console.print(output.json ? json(orders) : "order \(printable(order)) is forgotten")
        return .done
    }
}

/// Lines of an order that are shown; JSON has them all.
private let shownLinesMax = 20

func text(of order: WaitingOrder) -> String {
    var lines = ["order \(order.id) by \(printable(order.by)), lapses \(order.until)"]
    lines += order.lines.prefix(shownLinesMax).map { "  \(printable($0))" }
    if order.lines.count > shownLinesMax {
        lines.append("  and \(order.lines.count - shownLinesMax) more lines")
    }
    let approved =
        order.approvals.isEmpty ? "" : "approved by \(order.approvals.joined(separator: ", ")), "
    lines.append("  \(approved)needs \(counted(order.missing, "approval"))")
    return lines.joined(separator: "\n")
}

extension Failure {
    /// An order that waits is not done, whatever a script thinks.
    init(waiting order: WaitingOrder) {
        self.init(
            lines: ["NOT DONE YET: a second administrator must approve it"]
                + text(of: order).split(separator: "\n").map(String.init),
            hint: "until \(order.until): herse approve \(order.id) --key KEY --as NAME")
    }
}
