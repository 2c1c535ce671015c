// MailSubmission.swift: one message handed to a mail server, RFC 6409, by libcurl.

internal import CCurl

/// A message and who is to have it.
package struct MailRequest: Sendable {
    /// `smtp://HOST[:PORT]`, or `smtps://…` for TLS from the first byte.
    package var url: String
    package var sender: String
    package var recipients: [String]
    /// Header, empty line and body, lines ended by CRLF.
    package var message: [UInt8]
    package var user: String?
    package var password: String?
    /// Whether `smtp` goes on without STARTTLS.
    package var allowsClearText = false
    package var tls = FetchTLS()
    /// Milliseconds for all of it.
    package var deadline = 30_000

    package init(
        url: String, sender: String, recipients: [String], message: [UInt8]
    ) {
        self.url = url
        self.sender = sender
        self.recipients = recipients
        self.message = message
    }
}

/// Why a mail server has not taken a message; never holds a secret.
package struct MailError: Error, Equatable, Sendable, CustomStringConvertible {
    package let url: String
    package let problem: MailProblem

    /// Place and problem, on one line.
    package var description: String { "\(url): \(problem.text)" }
}

/// What went wrong with a mail server.
package enum MailProblem: Error, Equatable, Sendable {
    case transport(FetchProblem)
    /// The server does not offer STARTTLS.
    case noEncryption
    /// User and password are not accepted, or there is no way to show them that both know.
    case login(String)
    /// What the server answered instead of taking it.
    case refused(String)

    /// In words.
    package var text: String {
        switch self {
        case .transport(.broken), .transport(.closed): return "the conversation broke off"
        case .transport(.other(let number)): return "cannot be spoken to (libcurl \(number))"
        case .transport(let problem):
            return problem.text + (problem.hint.map { " (\($0))" } ?? "")
        case .noEncryption: return "offers no STARTTLS (use smtps, or another server)"
        case .login(let answer):
            return answer.isEmpty
                ? "does not accept the login" : "does not accept the login: \(answer)"
        case .refused(let answer): return "refuses the message: \(answer)"
        }
    }
}

/// Hands a message over and waits for the server's word, which is returned; from any thread.
package func submit(_ mail: MailRequest) throws(MailError) -> String {
    do throws(MailProblem) {
        return try perform(mail)
    } catch {
        throw MailError(url: String(mail.url.prefix(200)), problem: error)
    }
}

private func perform(_ mail: MailRequest) throws(MailProblem) -> String {
    let isTLS = mail.url.hasPrefix("smtps://")
    guard isTLS || mail.url.hasPrefix("smtp://"), mail.recipients.allSatisfy(isPath),
        isPath(mail.sender), !mail.recipients.isEmpty
    else { throw .transport(.address) }
    guard mail.tls.hasAuthorities || !isTLS && mail.allowsClearText else {
        throw .transport(.noAuthorities)
    }
    guard let handle = CurlHandle() else {
        throw .transport(.other(Int(CURLE_FAILED_INIT.rawValue)))
    }
    handle.prepare(
        mail.url, protocols: isTLS ? "smtps" : "smtp",
        connectDeadline: min(mail.deadline, 10_000), deadline: mail.deadline)
    if !isTLS {
        let demand = mail.allowsClearText ? CURLUSESSL_NONE : CURLUSESSL_ALL
        handle.set(CURLOPT_USE_SSL, Int(demand.rawValue))
    }
    handle.prepareTLS(mail.tls)
    handle.set(CURLOPT_FRESH_CONNECT, 1)
    handle.set(CURLOPT_FORBID_REUSE, 1)
    if let user = mail.user {
        handle.set(CURLOPT_USERNAME, user)
        handle.set(CURLOPT_PASSWORD, mail.password ?? "")
    }
    handle.set(CURLOPT_MAIL_FROM, "<\(mail.sender)>")
    handle.set(CURLOPT_MAIL_RCPT, mail.recipients.map { "<\($0)>" })
    handle.set(CURLOPT_UPLOAD, 1)
    handle.setLarge(CURLOPT_INFILESIZE_LARGE, mail.message.count)
    let talk = MailTalk(mail.message)
    // Safe because the object lives until `perform` has returned, after which libcurl calls
    // nothing: no connection of this handle is kept.
    let data = unsafe Unmanaged.passUnretained(talk).toOpaque()
    unsafe handle.set(CURLOPT_READFUNCTION, giveMessage, CURLOPT_READDATA, data)
    unsafe handle.set(CURLOPT_HEADERFUNCTION, takeLine, CURLOPT_HEADERDATA, data)
    unsafe handle.set(CURLOPT_WRITEFUNCTION, takeLine, CURLOPT_WRITEDATA, data)
    guard handle.isPrepared else { throw .transport(.other(Int(CURLE_OUT_OF_MEMORY.rawValue))) }
    let code = withExtendedLifetime(talk) { handle.perform() }
    let answer = talk.lastLine
    switch code {
    case CURLE_OK: return answer
    case CURLE_USE_SSL_FAILED: throw .noEncryption
    case CURLE_LOGIN_DENIED: throw .login(answer)
    case CURLE_SEND_ERROR, CURLE_WEIRD_SERVER_REPLY, CURLE_RECV_ERROR:
        guard let first = answer.utf8.first,
            first == UInt8(ascii: "4") || first == UInt8(ascii: "5")
        else { throw .transport(.broken) }
        throw .refused(answer)
    default: throw .transport(handle.problem(code, deadline: mail.deadline))
    }
}

/// Whether an address can stand between `<` and `>`.
private func isPath(_ address: String) -> Bool {
    !address.isEmpty && address.utf8.count <= 254
        && address.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x3C && $0 != 0x3E }
}

/// The message on its way out, and the last line that came in.
private final class MailTalk {
    private let message: [UInt8]
    private var given = 0
    private(set) var lastLine = ""

    /// Bytes of an answer that are kept for the operator.
    private static let lineMax = 200

    init(_ message: [UInt8]) { self.message = message }

    func give(_ room: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let count = min(room.count, message.count - given)
        // Safe because count is at most what the room holds and what is left of the message.
        for index in 0..<count { unsafe room[index] = message[given + index] }
        given += count
        return count
    }

    func take(_ bytes: UnsafeBufferPointer<UInt8>) {
        // Safe because the bytes are lent for the call, and copied.
        let line = unsafe bytes.prefix(Self.lineMax).filter { $0 >= 0x20 && $0 < 0x7F }
        // What it says to our goodbye is not what it said to the message.
        guard let first = line.first, (0x32...0x35).contains(first), !line.starts(with: "221".utf8)
        else { return }
        lastLine = String(decoding: line, as: UTF8.self)
    }
}

/// Safe because libcurl lends as much room as it says, and the object it was given for this call.
private func giveMessage(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes = unsafe bytes, let data = unsafe data else { return 0 }
    let talk = unsafe Unmanaged<MailTalk>.fromOpaque(data).takeUnretainedValue()
    return unsafe bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) { start in
        unsafe talk.give(UnsafeMutableBufferPointer(start: start, count: size * count))
    }
}

/// Safe as above.
private func takeLine(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ data: UnsafeMutableRawPointer?
) -> Int {
    guard let bytes = unsafe bytes, let data = unsafe data else { return 0 }
    let talk = unsafe Unmanaged<MailTalk>.fromOpaque(data).takeUnretainedValue()
    unsafe bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) { start in
        unsafe talk.take(UnsafeBufferPointer(start: start, count: size * count))
    }
    return size * count
}
