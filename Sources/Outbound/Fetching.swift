// Fetching.swift: one HTTP exchange by libcurl, with all it would do by itself switched off.

internal import CCurl

/// Asks an address and waits for the answer, from any thread.
///
/// No redirect is followed, no proxy, cookie, netrc or environment asked, nothing unpacked. TLS is
/// 1.2 or later, with the host's name checked (the common name only where there is no other), and
/// trusts `request.tls.authorities` alone. The process must ignore SIGPIPE, as the gate does.
package func fetch(_ request: FetchRequest) throws(FetchError) -> FetchAnswer {
    guard let scheme = scheme(of: request.url) else { throw FetchError(request.url, .address) }
    guard request.fields.allSatisfy({ isField($0.name, $0.value) }),
        request.body.isEmpty || request.method == .post
    else { throw FetchError(request.url, .request) }
    if scheme == .https, !request.tls.hasAuthorities {
        throw FetchError(request.url, .noAuthorities)
    }
    guard let handle = CurlHandle() else {
        throw FetchError(request.url, .other(Int(CURLE_FAILED_INIT.rawValue)))
    }
    prepare(handle, request, scheme)
    guard handle.isPrepared else {
        throw FetchError(request.url, .other(Int(CURLE_OUT_OF_MEMORY.rawValue)))
    }
    do throws(FetchProblem) {
        return try perform(handle, request)
    } catch {
        throw FetchError(request.url, error)
    }
}

private func prepare(_ handle: CurlHandle, _ request: FetchRequest, _ scheme: FetchScheme) {
    handle.prepare(
        request.url, protocols: scheme.rawValue, connectDeadline: request.connectDeadline,
        deadline: request.deadline)
    handle.set(CURLOPT_REDIR_PROTOCOLS_STR, scheme.rawValue)
    handle.set(CURLOPT_FOLLOWLOCATION, 0)
    handle.set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    handle.set(CURLOPT_HTTP09_ALLOWED, 0)
    handle.set(CURLOPT_FRESH_CONNECT, 1)
    handle.set(CURLOPT_FORBID_REUSE, 1)
    handle.set(CURLOPT_USERAGENT, "herse")
    handle.prepareTLS(request.tls)
    var lines = request.fields.map { "\($0.name): \($0.value)" }
    if request.method == .post {
        handle.set(CURLOPT_POST, 1)
        handle.setBody(request.body)
        // Nobody waits for `100 Continue`.
        lines.append("Expect:")
    }
    handle.set(CURLOPT_HTTPHEADER, lines)
}

private func perform(
    _ handle: CurlHandle, _ request: FetchRequest
) throws(FetchProblem) -> FetchAnswer {
    let answer = AnswerSink(bodyMax: request.answerMax)
    // Safe because the sink lives until `perform` has returned, after which libcurl calls nothing:
    // no connection of this handle is kept.
    let sink = unsafe Unmanaged.passUnretained(answer).toOpaque()
    unsafe handle.set(CURLOPT_WRITEFUNCTION, takeBody, CURLOPT_WRITEDATA, sink)
    unsafe handle.set(CURLOPT_HEADERFUNCTION, takeHeader, CURLOPT_HEADERDATA, sink)
    guard handle.isPrepared else { throw .other(Int(CURLE_OUT_OF_MEMORY.rawValue)) }
    let code = withExtendedLifetime(answer) { handle.perform() }
    guard code == CURLE_OK else {
        if answer.isTooLarge { throw .tooLarge(bytes: request.answerMax) }
        throw handle.problem(code, deadline: request.deadline)
    }
    let status = handle.number(CURLINFO_RESPONSE_CODE)
    guard (200...599).contains(status) else { throw .broken }
    return FetchAnswer(status: status, fields: answer.fields, body: answer.body)
}

/// What comes in, up to its limits.
private final class AnswerSink {
    private(set) var body: [UInt8] = []
    private(set) var fields: [(name: String, value: String)] = []
    private(set) var isTooLarge = false
    private let bodyMax: Int
    private var headerBytes = 0

    /// Bytes of all header lines, those of `1xx` answers included.
    static let headerBytesMax = 64 * 1024

    init(bodyMax: Int) { self.bodyMax = bodyMax }

    /// Whether the bytes were taken.
    func takeBody(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count <= bodyMax - body.count else {
            isTooLarge = true
            return false
        }
        // Safe because the bytes are lent for the call, and copied.
        unsafe body.append(contentsOf: bytes)
        return true
    }

    func takeHeader(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        guard bytes.count <= Self.headerBytesMax - headerBytes else {
            isTooLarge = true
            return false
        }
        headerBytes += bytes.count
        // Safe because the bytes are lent for the call, and copied.
        let line = unsafe String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // What an informational answer said is not said of the real one.
            fields = []
        } else if let colon = line.firstIndex(of: ":") {
            let value = line[line.index(after: colon)...]
            fields.append((line[..<colon].lowercased(), trimmed(value)))
        }
        return true
    }

    private func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" || $0.isNewline }
        let rest = text.drop(while: isBlank)
        guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(rest[...last])
    }
}

/// Safe because libcurl lends as many bytes as it says, and the sink it was given for this call.
private func lent(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ sink: UnsafeMutableRawPointer?,
    _ take: (AnswerSink, UnsafeBufferPointer<UInt8>) -> Bool
) -> Int {
    guard let bytes = unsafe bytes, let sink = unsafe sink else { return 0 }
    let total = size * count
    let answer = unsafe Unmanaged<AnswerSink>.fromOpaque(sink).takeUnretainedValue()
    return unsafe bytes.withMemoryRebound(to: UInt8.self, capacity: total) { start in
        // Anything but the count makes libcurl stop.
        unsafe take(answer, UnsafeBufferPointer(start: start, count: total)) ? total : total + 1
    }
}

/// Safe as above.
private func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ sink: UnsafeMutableRawPointer?
) -> Int { unsafe lent(bytes, size, count, sink) { unsafe $0.takeBody($1) } }

/// Safe as above.
private func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int,
    _ sink: UnsafeMutableRawPointer?
) -> Int { unsafe lent(bytes, size, count, sink) { unsafe $0.takeHeader($1) } }
