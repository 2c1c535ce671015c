// PasswordVerdict.swift: what PAM says of a password, in our words.

/// What became of a password.
package enum PasswordVerdict: Equatable, Sendable {
    case right
    /// The password is wrong, or PAM knows no such user.
    case wrong
    /// The password is right, and the account or the password is past its date; with `mustChange`
    /// the user can help it where passwords are changed, which is not here.
    case expired(mustChange: Bool)
    /// The password is right, and PAM's account rules refuse the user now.
    case denied
    /// Nothing was learnt: say 503, and count no failure.
    case unavailable(PasswordProblem)
}

/// Why PAM could not be asked, or did not answer; for the log and the status.
package enum PasswordProblem: Equatable, Sendable {
    /// All helpers are busy and as many wait as may.
    case overloaded
    /// PAM took longer than it may; the helper was killed.
    case deadline
    /// The helper died of what it was asked, or does not start.
    case crashed
    /// A module asked more than sixteen things or with more than 64 KiB, or in a way that has no
    /// answer.
    case conversation
    /// The service asks for more than was given: it wants a second factor of its own, say.
    case unanswered
    /// PAM itself failed with this number, `PAM_AUTHINFO_UNAVAIL` (9) when a directory is down.
    case pam(code: Int32)

    /// One word for the log.
    package var word: String {
        switch self {
        case .overloaded: "overloaded"
        case .deadline: "deadline"
        case .crashed: "crashed"
        case .conversation: "conversation"
        case .unanswered: "unanswered"
        case .pam(let code): "pam-\(code)"
        }
    }
}
