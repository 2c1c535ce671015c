// ControlClientError.swift: why the running gate gave no answer, in words for the operator.

internal import Glibc

/// Why nothing came back from the admin socket; each names the socket's path.
package enum ControlClientError: Error, Equatable, Sendable {
    /// No socket there, or nobody listens on it.
    case noGate(String)
    /// The socket is there, and not for us.
    case denied(String)
    /// Longer than the 107 bytes a Unix socket's path can have.
    case pathTooLong(String)
    /// The gate did not take the order or did not answer in time; what it did is not known.
    case slow(String, seconds: Int)
    /// The connection ended before the answer did; what the gate did is not known.
    case cutShort(String)
    case answerTooLarge(String)
    /// The answer is not of this version.
    case notUnderstood(String)
    /// A call failed that does not fail on a healthy machine.
    case system(String, call: String, code: Int32)

    /// Whether no gate was reached, so that nothing can have been changed.
    package var isUnreached: Bool {
        switch self {
        case .noGate, .denied, .pathTooLong, .system: true
        case .slow, .cutShort, .answerTooLarge, .notUnderstood: false
        }
    }

    /// Place and problem.
    package var message: String {
        switch self {
        case .noGate(let path): "\(path): no gate answers here"
        case .denied(let path): "\(path): permission denied"
        case .pathTooLong(let path):
            "\(path): the path has \(path.utf8.count) bytes, at most 107 are possible"
        case .slow(let path, let seconds): "\(path): no answer within \(seconds) seconds"
        case .cutShort(let path): "\(path): the connection ended before the answer"
        case .answerTooLarge(let path): "\(path): the answer is larger than 64 MiB"
        case .notUnderstood(let path): "\(path): the answer is not understood"
        case .system(let path, let call, let code):
            "\(path): \(call) failed: \(errorText(code))"
        }
    }

    package var hint: String {
        switch self {
        case .noGate: "start the gate with `herse serve`, or name its configuration with `-c`"
        case .denied:
            "only the account the gate runs as and root may use the admin socket: try `sudo`"
        case .pathTooLong: "set `control` in the configuration"
        case .slow: "the order may still be carried out: ask `herse status`"
        case .cutShort: "the order may have been carried out: ask `herse status`"
        case .answerTooLarge: "ask for one subject or one professional"
        case .notUnderstood: "the gate may be of another version: compare `herse status`"
        case .system: "the order was not sent"
        }
    }
}

private func errorText(_ code: Int32) -> String {
    var text = [CChar](repeating: 0, count: 128)
    // Safe because the buffer is as long as it is said to be and ends in a zero byte.
    unsafe strerror_r(code, &text, text.count - 1)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
