// Account.swift: herse account add, enrol, list, disable, enable, forget, remove: local accounts.

import Accounts
import ArgumentParser
import Identity
import Neutralization
import Policy

struct AccountCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "account",
        abstract: "Manage local accounts: a password through PAM, and a second factor.",
        discussion: """
            For professionals who have no card and no e-CPS at hand. An account names a user of \
            PAM, who keeps the password, and the professional it proves to be; the second factor \
            is enrolled by a link that works once. All of it works while the gate runs and while \
            it does not; a running gate acts on it within a second or two.

            Examples:
              herse account add anne --professional 899700218896 --structure 10B0152872
              herse account enrol anne --webauthn
              herse account disable anne
            """,
        subcommands: [
            AccountAddCommand.self, AccountEnrolCommand.self, AccountListCommand.self,
            AccountDisableCommand.self, AccountEnableCommand.self, AccountForgetCommand.self,
            AccountRemoveCommand.self,
        ])
}

struct AccountAddCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "add",
        abstract: "Add an account; it cannot sign in before a second factor is enrolled.",
        discussion: """
            NAME is the user that PAM knows: small letters, digits and ._-@, at most 64. The \
            professional is who Herse takes the user for, in limits, record and neutralization.

            Examples:
              herse account add anne --professional 899700218896
              herse account add anne --professional 899700218896 --structure 10B0152872
            """)

    @OptionGroup var named: AccountArgument

    @Option(help: ArgumentHelp("Whom the account proves to be.", valueName: "id"))
    var professional: String

    @Option(help: ArgumentHelp("The structure the professional acts for.", valueName: "id"))
    var structure: String?

    @OptionGroup var source: ConfigurationOption

    func validate() throws {
        try named.validate()
        if (try? ProfessionalID(professional)) == nil {
            throw ValidationError(
                "--professional: `\(printable(professional))` is not a national identifier "
                    + "(such as 899700218896)")
        }
        if let structure, (try? StructureID(structure)) == nil {
            throw ValidationError(
                "--structure: `\(printable(structure))` is not the identifier of a structure "
                    + "(such as 10B0152872)")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let name = try named.read()
        try change(source) { store throws(AccountError) in
            try store.add(
                name, professional: professional, structure: structure, by: systemUser(),
                now: secondsNow())
        }
        console.print("added \(name), who is \(printable(professional.uppercased()))")
        console.talk("hint: `herse account enrol \(name)` makes the link for a second factor")
        return .done
    }
}

struct AccountEnrolCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "enrol",
        abstract: "Make a link that enrols one second factor, once.",
        discussion: """
            Prints an address under `authentication.sign_in.url`: whoever opens it enrols an \
            authenticator app or a security key for the account, so hand it to the person and to \
            nobody else. It works once, ends by itself, and replaces the account's last link. An \
            app replaces the one enrolled before; a key is added to the others. Without --totp or \
            --webauthn the person chooses.

            Examples:
              herse account enrol anne
              herse account enrol anne --webauthn --for 2h
            """)

    @OptionGroup var named: AccountArgument

    @Flag(help: "An authenticator app.")
    var totp = false

    @Flag(help: "A security key.")
    var webauthn = false

    @Option(
        name: .customLong("for"),
        help: ArgumentHelp(
            "How long the link lives, such as 2h; at most 30d; `authentication.accounts.link` "
                + "unless given.", valueName: "duration"))
    var duration: String?

    @OptionGroup var source: ConfigurationOption
    @OptionGroup var output: OutputOption

    func validate() throws {
        try named.validate()
        guard let duration else { return }
        guard let seconds = secondsOfDuration(duration), seconds > 0 else {
            throw ValidationError(
                "--for: `\(printable(duration))` is not a duration (such as 30m, 2h, 1d)")
        }
        guard seconds <= AccountStore.linkSecondsMax else {
            throw ValidationError("--for: \(duration) is too long, at most 30d are allowed")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let name = try named.read()
        let configuration = ConfigurationLoader().load(path: source.path).configuration
        guard let configuration, let signIn = configuration.authentication.signIn else {
            throw Failure(
                configuration == nil
                    ? "\(source.path): the configuration is not valid"
                    : "\(source.path): `authentication.sign_in.url` is not there, "
                        + "which the link begins with",
                hint: configuration == nil ? "`herse check` says why" : nil)
        }
        var factors: Set<SecondFactor> = []
        if totp || !webauthn { factors.insert(.totp) }
        if webauthn || !totp { factors.insert(.webauthn) }
        let hours = configuration.authentication.accounts?.linkHours ?? 24
        let seconds = duration.flatMap(secondsOfDuration) ?? hours * 3600
        let now = secondsNow()
        var token = ""
        try change(source) { store throws(AccountError) in
            token = try store.makeLink(
                for: name, factors: factors, seconds: Int64(seconds), now: now)
        }
        let link = EnrolmentJSON(
            account: name.description, url: "\(signIn.url)/.herse/enrol/\(token)",
            factors: factors.map(\.rawValue).sorted(),
            expires: UnixSeconds(now + Int64(seconds)).description)
        console.print(output.json ? json(link) : link.url)
        if !output.json { console.talk("works once, until \(link.expires)") }
        if configuration.authentication.accounts == nil {
            console.talk(
                "\(source.path): `authentication.accounts` is not there: "
                    + "the gate lets no local account sign in")
        }
        return .done
    }
}

private struct EnrolmentJSON: Encodable {
    let account: String
    let url: String
    let factors: [String]
    let expires: String
}

struct AccountDisableCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Keep an account from signing in, and end its sessions.",
        discussion: """
            What it has enrolled stays for `herse account enable`; a link that waits is void. It \
            says nothing of the professional's other ways in: `herse neutralize` cuts them all.

            Examples:
              herse account disable anne
            """)

    @OptionGroup var named: AccountArgument
    @OptionGroup var source: ConfigurationOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let name = try named.read()
        try change(source) { store throws(AccountError) in try store.set(.disabled, of: name) }
        console.print("disabled \(name); a running gate ends its sessions within two seconds")
        return .done
    }
}

struct AccountEnableCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Let a disabled account sign in again.",
        discussion: """
            It signs in with what it had enrolled; its sessions of before stay ended.

            Examples:
              herse account enable anne
            """)

    @OptionGroup var named: AccountArgument
    @OptionGroup var source: ConfigurationOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let name = try named.read()
        try change(source) { store throws(AccountError) in try store.set(.active, of: name) }
        console.print("enabled \(name)")
        return .done
    }
}

struct AccountForgetCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "forget",
        abstract: "Take a second factor away: a lost telephone or key.",
        discussion: """
            Ends the account's sessions too. `herse account list --json` shows the label of each \
            security key.

            Examples:
              herse account forget anne --totp
              herse account forget anne --key 5f3a90c1
            """)

    @OptionGroup var named: AccountArgument

    @Flag(help: "The authenticator app.")
    var totp = false

    @Option(help: ArgumentHelp("The security key of this label.", valueName: "label"))
    var key: String?

    @OptionGroup var source: ConfigurationOption

    func validate() throws {
        try named.validate()
        guard totp != (key != nil) else {
            throw ValidationError("say what to forget: either --totp or --key")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let name = try named.read()
        try change(source) { store throws(AccountError) in
            if let key {
                try store.forgetKey(key, of: name)
            } else {
                try store.forgetTOTP(of: name)
            }
        }
        let what = key.map { "security key \(printable($0))" } ?? "authenticator app"
        console.print(
            "forgot the \(what) of \(name); a running gate ends its sessions within two seconds")
        return .done
    }
}

struct AccountRemoveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove an account with all it has enrolled, and end its sessions.",
        discussion: """
            PAM's user stays what it is; what the account did stays in the record.

            Examples:
              herse account remove anne
            """)

    @OptionGroup var named: AccountArgument
    @OptionGroup var source: ConfigurationOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let name = try named.read()
        try change(source) { store throws(AccountError) in try store.remove(name) }
        console.print("removed \(name); a running gate ends its sessions within two seconds")
        return .done
    }
}
