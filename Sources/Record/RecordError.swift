// RecordError.swift: why the record could not be kept, in words for the operator.

internal import Glibc

/// Why the record could not be kept.
package enum RecordError: Error, Equatable, Sendable {
    case cannotOpen(path: String, code: Int32)
    case cannotWrite(code: Int32)
    case cannotSync(code: Int32)
    /// No key could be made, sealed or used.
    case cannotSeal
    /// What stands in the folder is no record that can be gone on with.
    case damaged(path: String, what: String)

    /// Whether it is for want of room alone, which says nothing against the disk.
    package var isWantOfRoom: Bool {
        switch self {
        case .cannotOpen(_, let code), .cannotWrite(let code), .cannotSync(let code):
            [ENOSPC, EDQUOT, EFBIG].contains(code)
        case .cannotSeal, .damaged: false
        }
    }

    /// Whether it is this user's lack of rights.
    package var isRefusal: Bool {
        if case .cannotOpen(_, let code) = self { code == EACCES || code == EPERM } else { false }
    }

    /// One line for the operator.
    package var message: String {
        switch self {
        case .cannotOpen(let path, let code):
            "the record `\(path)` cannot be opened: \(text(code))"
        case .cannotWrite(let code): "the record cannot be written: \(text(code))"
        case .cannotSync(let code): "the record cannot be made durable: \(text(code))"
        case .cannotSeal: "the record cannot be sealed or signed: the cryptographic library refuses"
        case .damaged(let path, let what): "the record `\(path)` \(what)"
        }
    }

    private func text(_ code: Int32) -> String {
        // Safe because strerror's text is copied at once.
        unsafe String(cString: strerror(code))
    }
}
