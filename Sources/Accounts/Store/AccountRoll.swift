// AccountRoll.swift: who may hold a session, known without asking the disk each time.
//
// The command line changes files and tells nobody. The gate looks every second whether the folder
// has changed, one `stat` when it has not, and ends the sessions of accounts that are gone, disabled
// or begun anew.

internal import Glibc
internal import Synchronization

/// What the folder held when it was last looked at.
struct Roll {
    struct Entry {
        let mark: FileMark
        let isDoubtful: Bool
        /// Nil when the file is damaged or the account disabled.
        let epoch: UInt64?
        let link: EnrolmentLink?
    }

    var entries: [AccountName: Entry] = [:]
    var folder: FileMark?
    var isDoubtful = true
    /// Counts the changes that a session may end of.
    var version: UInt64 = 1
}

/// The accounts that may hold a session, at one moment.
package struct AccountRoll: Sendable {
    package let version: UInt64
    /// Active accounts and the epoch of each; a session of another epoch is over.
    package let epochs: [AccountName: UInt64]
}

extension AccountStore {
    /// The accounts that may hold a session, if any of that has changed since `version`.
    ///
    /// 0 to begin with; to be asked about once a second.
    package func roll(after version: UInt64) throws(AccountError) -> AccountRoll? {
        try refresh()
        return roll.withLock { roll -> AccountRoll? in
            guard roll.version != version else { return nil }
            return AccountRoll(
                version: roll.version, epochs: roll.entries.compactMapValues(\.epoch))
        }
    }

    /// Whether a session of that epoch may go on, as far as the last look at the folder knows;
    /// never waits for the disk.
    package func isLive(_ name: AccountName, epoch: UInt64) -> Bool {
        roll.withLock { $0.entries[name]?.epoch == epoch }
    }

    /// The account whose link has this hash.
    func owner(ofLink hash: [UInt8]) throws(AccountError) -> AccountName? {
        try refresh()
        return roll.withLock { roll in roll.entries.first { $0.value.link?.hash == hash }?.key }
    }

    /// Looks at what has changed in the folder.
    private func refresh() throws(AccountError) {
        // The lock is not held while the disk is asked: `isLive` is asked by workers.
        let (known, mark, isDoubtful) = roll.withLock { ($0.entries, $0.folder, $0.isDoubtful) }
        let now = time(nil)
        guard let folder = try AccountFolder(opening: folder) else {
            return replace([:], folder: nil, isDoubtful: false)
        }
        if !isDoubtful, mark == folder.mark { return }
        var entries: [AccountName: Roll.Entry] = [:]
        for name in try folder.names().prefix(Self.accountsMax) {
            guard let mark = folder.mark(of: name) else { continue }
            if let entry = known[name], entry.mark == mark, !entry.isDoubtful {
                entries[name] = entry
                continue
            }
            var account: Account?
            do throws(AccountError) {
                account = try folder.read(name)
            } catch {
                // One damaged account must not keep the others' sessions from being judged.
                guard case .damaged = error else { throw error }
            }
            entries[name] = Roll.Entry(
                mark: mark, isDoubtful: mark.isDoubtful(now: now),
                epoch: account?.isActive == true ? account?.epoch : nil,
                link: account?.isActive == true ? account?.link : nil)
        }
        replace(entries, folder: folder.mark, isDoubtful: folder.mark.isDoubtful(now: now))
    }

    private func replace(
        _ entries: [AccountName: Roll.Entry], folder: FileMark?, isDoubtful: Bool
    ) {
        roll.withLock { roll in
            let old = roll.entries.compactMapValues(\.epoch)
            if old != entries.compactMapValues(\.epoch) { roll.version &+= 1 }
            roll.entries = entries
            roll.folder = folder
            roll.isDoubtful = isDoubtful
        }
    }
}
