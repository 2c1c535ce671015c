// Accounts.swift: the files of local accounts, and what the gate and its password helper say.

import Accounts

extension FuzzTarget {
    static let account = FuzzTarget(name: "account") { bytes in fuzzAccount(bytes) }

    static let passwordMessage = FuzzTarget(name: "password-message") { bytes in
        fuzzPasswordMessage(bytes)
    }
}
