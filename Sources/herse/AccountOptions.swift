// AccountOptions.swift: which account a verb is about, where accounts are kept, who asks.

import Accounts
import ArgumentParser
import Glibc

/// The account a verb is about.
struct AccountArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The account, as PAM knows the user.", valueName: "name"))
    var name: String

    func validate() throws {
        guard AccountName(name) != nil else {
            throw ValidationError(
                "`\(printable(name))` is not the name of an account (small letters, digits and "
                    + "._-@, at most \(AccountName.lengthMax))")
        }
    }

    /// The name, which was validated.
    func read() throws(Failure) -> AccountName {
        guard let name = AccountName(name) else {
            throw Failure("`\(name)` is not the name of an account")
        }
        return name
    }
}

/// The accounts of the gate that a configuration is of.
func accountStore(_ source: ConfigurationOption) -> AccountStore {
    AccountStore(folder: stateFolder(of: source.path) + "/accounts")
}

/// Changes the accounts of a gate, and says what went wrong in the words of the command line.
func change(
    _ source: ConfigurationOption, _ body: (AccountStore) throws(AccountError) -> Void
) throws(Failure) {
    let store = accountStore(source)
    do {
        try body(store)
    } catch {
        throw Failure(error)
    }
}

extension Failure {
    init(_ error: AccountError) { self.init(error.message, hint: error.hint) }
}

/// The time, in seconds since 1970.
func secondsNow() -> Int64 { Int64(time(nil)) }

/// Who is at the terminal.
func systemUser() -> String {
    // Safe because the entry lives until the next call, and its name is copied before.
    guard let entry = unsafe getpwuid(getuid()), let name = unsafe entry.pointee.pw_name else {
        return "uid:\(getuid())"
    }
    return unsafe String(cString: name)
}
