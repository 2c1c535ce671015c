// AccountError.swift: why something was not done with an account.

internal import Glibc

/// Why the store did not do what was asked; unless it says otherwise nothing has changed.
package enum AccountError: Error, Equatable, Sendable {
    case exists(AccountName)
    case unknown(AccountName)
    /// The file of this account is not one that was written here.
    case damaged(path: String)
    /// As many accounts as one gate keeps.
    case tooMany
    /// As many security keys as one account keeps.
    case tooManyKeys
    /// The key is enrolled already.
    case keyKnown
    case keyUnknown
    /// Somebody else changed the key meanwhile: another sign-in with it.
    case keyChanged
    /// A value that the store cannot keep.
    case value(StaticString)
    /// The enrolment link is unknown, expired, used, replaced by a later one, or for something else.
    case linkOver
    /// The code is not the one that the app shows now.
    case wrongCode
    /// The folder that the accounts' folder is to be made in is not there.
    case noState(path: String)
    /// Another process holds the lock for longer than anybody waits.
    case busy(path: String)
    /// A system call failed. After `fsync` of the folder the change may have happened, and may
    /// not survive a power cut.
    case system(call: StaticString, path: String, code: Int32)
}

extension AccountError {
    /// What went wrong, for an operator; no secret is in it.
    package var message: String {
        switch self {
        case .exists(let name): return "account `\(name)` exists already"
        case .unknown(let name): return "there is no account `\(name)`"
        case .damaged(let path): return "\(path): is damaged"
        case .tooMany: return "there are \(AccountStore.accountsMax) accounts, as many as are kept"
        case .tooManyKeys: return "the account has \(Account.keysMax) security keys already"
        case .keyKnown: return "the security key is enrolled already"
        case .keyUnknown: return "the account has no such security key"
        case .keyChanged: return "the security key was used by another sign-in meanwhile"
        case .value(let what): return "\(what) cannot be kept"
        case .linkOver: return "the enrolment link is not valid, or not any more"
        case .wrongCode: return "the code is not the one that is due"
        case .noState(let path): return "\(path): the state folder is not there"
        case .busy(let path): return "\(path): is locked by another process"
        case .system(let call, let path, let code):
            // Safe because strerror's text is copied before any other call on this thread.
            let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
            return "\(path): \(call): \(text)"
        }
    }

    /// What to do about it; nil when the message says it all.
    package var hint: String? {
        switch self {
        case .exists: "`herse account list` shows all; `herse account remove` ends one"
        case .unknown: "`herse account list` shows all; `herse account add` makes one"
        case .damaged: "remove the account, add it again and send a new enrolment link"
        case .tooManyKeys: "`herse account forget --key` takes one away"
        case .keyUnknown: "`herse account list --json` shows the keys of each account"
        case .noState: "start the gate once, or make it for the gate's user, with mode 0700"
        case .busy: "another `herse account` may be stopped: look for it with `fuser`"
        case .system(_, _, let code) where code == ENOSPC || code == EDQUOT:
            "make room on the disk; until then nobody can sign in with a code"
        case .system(_, _, let code) where code == EACCES || code == EPERM:
            "run as the gate's own user or as root"
        default: nil
        }
    }

    /// A failed system call; to be made before anything else can change errno.
    static func last(_ call: StaticString, _ path: String) -> AccountError {
        .system(call: call, path: path, code: errno)
    }
}

extension AccountError {
    package static func == (one: AccountError, other: AccountError) -> Bool {
        one.message == other.message
    }
}
