// AccountStore.swift: the local accounts, on disk.
//
// The gate and the command line write by the same rules, so an account is made while the gate runs
// or while it does not, and neither asks the other. Nothing read is kept for a later change: each
// reads the file anew under the lock. At a sign-in that is one small file; a copy in memory would
// save microseconds and could be wrong.

internal import Glibc
internal import Synchronization

/// The local accounts of one gate; every call blocks on the disk, none for more than two seconds
/// on another process.
package final class AccountStore: Sendable {
    /// The folder of the accounts: `accounts` in the state folder.
    package let folder: String
    let roll = Mutex(Roll())
    let offers = Mutex(SecretOffers())

    /// Accounts of one gate; each is looked at when the folder has changed.
    package static let accountsMax = 10_000

    /// A store in a folder that need not exist before the first account is made.
    package init(folder: String) { self.folder = folder }

    /// Makes an account; it cannot sign in before a second factor is enrolled.
    package func add(
        _ name: AccountName, professional: String, structure: String? = nil, by: String,
        now: Int64
    ) throws(AccountError) {
        guard isKeepable(professional) else { throw .value("the professional's identifier") }
        if let structure, !isKeepable(structure) { throw .value("the structure's identifier") }
        let account = Account(
            name: name, professional: uppercased(professional),
            structure: structure.map(uppercased), epoch: randomNumber(), createdAt: now,
            createdBy: isKeepable(by) ? by : "unknown")
        try AccountFolder.make(folder)
        guard let folder = try AccountFolder(opening: folder) else {
            throw .system(call: "open", path: folder, code: ENOENT)
        }
        let lock = try folder.lock()
        guard try folder.read(name) == nil else { throw .exists(name) }
        guard try folder.names().count < Self.accountsMax else { throw .tooMany }
        try folder.write(account)
        _ = consume lock
    }

    /// The account of that name; nil when there is none.
    package func account(named name: AccountName) throws(AccountError) -> Account? {
        guard let folder = try AccountFolder(opening: folder) else { return nil }
        return try folder.read(name)
    }

    /// All accounts in the order of their names, and the names of those that are damaged.
    package func list() throws(AccountError) -> (accounts: [Account], damaged: [AccountName]) {
        guard let folder = try AccountFolder(opening: folder) else { return ([], []) }
        var accounts: [Account] = []
        var damaged: [AccountName] = []
        for name in try folder.names().sorted() {
            do throws(AccountError) {
                // It may be removed while they are read.
                if let account = try folder.read(name) { accounts.append(account) }
            } catch {
                guard case .damaged = error else { throw error }
                damaged.append(name)
            }
        }
        return (accounts, damaged)
    }

    /// Ends an account with all it has enrolled, damaged or not.
    package func remove(_ name: AccountName) throws(AccountError) {
        guard let folder = try AccountFolder(opening: folder) else { throw .unknown(name) }
        let lock = try folder.lock()
        guard try folder.remove(name) else { throw .unknown(name) }
        _ = consume lock
    }

    /// Disables or enables an account; either ends its sessions, and disabling its link too.
    package func set(_ state: Account.State, of name: AccountName) throws(AccountError) {
        try change(name) { account throws(AccountError) in
            account.state = state
            account.epoch = randomNumber()
            if state == .disabled { account.link = nil }
        }
    }

    /// Takes the secret of an authenticator app away, and ends the account's sessions.
    package func forgetTOTP(of name: AccountName) throws(AccountError) {
        try change(name) { account throws(AccountError) in
            account.totp = nil
            account.epoch = randomNumber()
        }
    }

    /// Takes a security key away by its label, and ends the account's sessions.
    package func forgetKey(_ label: String, of name: AccountName) throws(AccountError) {
        try change(name) { account throws(AccountError) in
            let kept = account.keys.filter { $0.label != label }
            guard kept.count < account.keys.count else { throw .keyUnknown }
            account.keys = kept
            account.epoch = randomNumber()
        }
    }

    /// Keeps what a sign-in with a security key has changed of it, its counter above all.
    ///
    /// Of two sign-ins that began with the same bytes only the first is accepted.
    package func useKey(
        _ id: [UInt8], of name: AccountName, from old: [UInt8], to new: [UInt8], now: Int64
    ) throws(AccountError) {
        guard new.count <= AccountKey.bytesMax else { throw .value("the security key") }
        try change(name) { account throws(AccountError) in
            guard account.isActive, let index = account.keys.firstIndex(where: { $0.id == id })
            else { throw .keyUnknown }
            guard account.keys[index].bytes == old else { throw .keyChanged }
            account.keys[index].bytes = new
            account.signedInAt = now
        }
    }

    /// Reads, changes and writes one account under the lock.
    func change(
        _ name: AccountName, _ body: (inout Account) throws(AccountError) -> Void
    ) throws(AccountError) {
        try judge(name) { account throws(AccountError) -> Bool in
            try body(&account)
            return true
        }
    }

    /// Reads and changes one account under the lock, and writes it if `body` says so.
    func judge(
        _ name: AccountName, _ body: (inout Account) throws(AccountError) -> Bool
    ) throws(AccountError) {
        guard let folder = try AccountFolder(opening: folder) else { throw .unknown(name) }
        let lock = try folder.lock()
        guard var account = try folder.read(name) else { throw .unknown(name) }
        if try body(&account) { try folder.write(account) }
        _ = consume lock
    }
}

/// Whether a text can stand as one word in the file of an account.
private func isKeepable(_ text: String) -> Bool {
    (1...Account.textMax).contains(text.utf8.count)
        && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
}

private func uppercased(_ text: String) -> String {
    String(decoding: text.utf8.map { (0x61...0x7A).contains($0) ? $0 & 0xDF : $0 }, as: UTF8.self)
}
