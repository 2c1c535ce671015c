// AccountList.swift: herse account list: who has a local account, and with what.

import Accounts
import ArgumentParser
import Neutralization

struct AccountListCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the accounts, without their secrets.",
        discussion: """
            One line for each account: whom it proves to be, its state, what it has enrolled, the \
            link that waits if there is one, and when it last signed in. Exits 1 when the file of \
            an account is damaged.

            Examples:
              herse account list
              herse account list --json | jq '.[] | select(.signed_in == null).name'
            """)

    @OptionGroup var source: ConfigurationOption
    @OptionGroup var output: OutputOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let store = accountStore(source)
        let list: (accounts: [Account], damaged: [AccountName])
        do {
            list = try store.list()
        } catch {
            throw Failure(error)
        }
        let now = secondsNow()
        let shown = list.accounts.map { AccountJSON($0, now: now) }
        if output.json {
            console.print(json(shown))
        } else if !shown.isEmpty {
            console.print(text(of: shown))
        } else if list.damaged.isEmpty {
            console.talk("there are no local accounts")
        }
        for name in list.damaged {
            let error = AccountError.damaged(path: "\(store.folder)/\(name).account")
            Failure(error).say(on: console)
        }
        return list.damaged.isEmpty ? .done : .refused
    }
}

/// An account as it is shown.
struct AccountJSON: Encodable {
    let name: String
    let professional: String
    let structure: String?
    let state: String
    let totp: Bool
    let keys: [Key]
    let link: Link?
    let created: String
    let by: String
    let signedIn: String?

    struct Key: Encodable {
        let label: String
        let enrolled: String
    }

    struct Link: Encodable {
        let factors: [String]
        let expires: String
        let isExpired: Bool
    }

    init(_ account: Account, now: Int64) {
        name = account.name.description
        professional = account.professional
        structure = account.structure
        state = account.state.rawValue
        totp = account.totp != nil
        keys = account.keys.map {
            Key(label: $0.label, enrolled: UnixSeconds($0.enrolledAt).description)
        }
        link = account.link.map {
            Link(
                factors: $0.factors.map(\.rawValue).sorted(),
                expires: UnixSeconds($0.expiresAt).description, isExpired: $0.expiresAt <= now)
        }
        created = UnixSeconds(account.createdAt).description
        by = account.createdBy
        signedIn = account.signedInAt.map { UnixSeconds($0).description }
    }
}

func text(of accounts: [AccountJSON]) -> String {
    var table = Table(
        "NAME", "PROFESSIONAL", "STRUCTURE", "STATE", "ENROLLED", "LINK", "CREATED", "BY",
        "SIGNED IN")
    for account in accounts {
        var enrolled = account.totp ? ["totp"] : []
        if !account.keys.isEmpty { enrolled.append(counted(account.keys.count, "key")) }
        table.add(
            account.name, account.professional, account.structure, account.state,
            enrolled.joined(separator: ", "),
            account.link.map { $0.isExpired ? "expired" : "until \($0.expires)" },
            account.created, account.by, account.signedIn)
    }
    return table.text
}
