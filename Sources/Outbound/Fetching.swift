// Fetching.swift: one HTTP exchange by libcurl, with all it would do by itself switched off.

internal import CCurl

/// Once for the process; libcurl's own start must not run twice at a time.
private let isStarted = herse_curl_start() == CURLE_OK

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
    if scheme == .https, request.tls.authorities == nil {
        throw FetchError(request.url, .noAuthorities)
    }
    guard isStarted, let exchange = CurlExchange() else {
        throw FetchError(request.url, .other(Int(CURLE_FAILED_INIT.rawValue)))
    }
    guard exchange.prepare(request, scheme) else {
        throw FetchError(request.url, .other(Int(CURLE_OUT_OF_MEMORY.rawValue)))
    }
    do throws(FetchProblem) {
        return try exchange.perform(request)
    } catch {
        throw FetchError(request.url, error)
    }
}

/// One handle of libcurl, for one exchange.
///
/// Safe because the handle and its list of fields are freed with the object alone, which one
/// thread uses and which outlives `perform`.
@safe private final class CurlExchange {
    private let handle: UnsafeMutableRawPointer
    private var fields: UnsafeMutablePointer<curl_slist>?
    private var isPrepared = true

    init?() {
        guard let handle = unsafe curl_easy_init() else { return nil }
        unsafe self.handle = handle
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe curl_slist_free_all(fields)
    }

    private func set(_ option: CURLoption, _ value: Int) {
        // Safe because the option is one of numbers, wherever this is called.
        if unsafe herse_curl_set_number(handle, option, value) != CURLE_OK { isPrepared = false }
    }

    private func set(_ option: CURLoption, _ text: String?) {
        // Safe because libcurl copies texts.
        let done = unsafe herse_curl_set_text(handle, option, text)
        if done != CURLE_OK { isPrepared = false }
    }

    /// Whether every option was taken; one that is not would leave a default behind.
    func prepare(_ request: FetchRequest, _ scheme: FetchScheme) -> Bool {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_URL, request.url)
        set(CURLOPT_PROTOCOLS_STR, scheme.rawValue)
        set(CURLOPT_REDIR_PROTOCOLS_STR, scheme.rawValue)
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        // An empty proxy is one that the environment cannot fill in.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NOPROXY, "*")
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        set(CURLOPT_HTTP09_ALLOWED, 0)
        set(CURLOPT_FRESH_CONNECT, 1)
        set(CURLOPT_FORBID_REUSE, 1)
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, min(request.connectDeadline, request.deadline)))
        set(CURLOPT_TIMEOUT_MS, max(1, request.deadline))
        set(CURLOPT_USERAGENT, "herse")
        prepareTLS(request.tls)
        prepareBody(request)
        return isPrepared
    }

    private func prepareTLS(_ tls: FetchTLS) {
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        // Both have the system's store by default.
        set(CURLOPT_CAINFO, tls.authorities)
        set(CURLOPT_CAPATH, nil)
        guard let certificate = tls.certificate else { return }
        set(CURLOPT_SSLCERTTYPE, "PEM")
        set(CURLOPT_SSLCERT, certificate)
        set(CURLOPT_SSLKEYTYPE, "PEM")
        set(CURLOPT_SSLKEY, tls.privateKey ?? certificate)
        // Nobody is there to be asked for a passphrase.
        set(CURLOPT_KEYPASSWD, "")
    }

    private func prepareBody(_ request: FetchRequest) {
        var lines = request.fields.map { "\($0.name): \($0.value)" }
        if request.method == .post {
            set(CURLOPT_POST, 1)
            // Safe because libcurl copies as many bytes as it is told before.
            let sized = unsafe herse_curl_set_large(
                handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(request.body.count))
            // One byte more, since no bytes at all have no address.
            var body = request.body + [0]
            let copied = unsafe body.withUnsafeMutableBytes { bytes in
                unsafe herse_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress)
            }
            if sized != CURLE_OK || copied != CURLE_OK { isPrepared = false }
            // Nobody waits for `100 Continue`.
            lines.append("Expect:")
        }
        for line in lines {
            // Safe because the text is copied, and the list stays ours when it cannot grow.
            guard let longer = unsafe curl_slist_append(fields, line) else {
                isPrepared = false
                return
            }
            unsafe fields = longer
        }
        // Safe because the list outlives the handle.
        if unsafe herse_curl_set_pointer(handle, CURLOPT_HTTPHEADER, fields) != CURLE_OK {
            isPrepared = false
        }
    }

    func perform(_ request: FetchRequest) throws(FetchProblem) -> FetchAnswer {
        let answer = AnswerSink(bodyMax: request.answerMax)
        // Safe because the sink lives until `perform` has returned, after which libcurl calls
        // nothing: no connection of this handle is kept.
        let sink = unsafe Unmanaged.passUnretained(answer).toOpaque()
        let isReady =
            unsafe herse_curl_set_pointer(handle, CURLOPT_WRITEDATA, sink) == CURLE_OK
            && herse_curl_set_pointer(handle, CURLOPT_HEADERDATA, sink) == CURLE_OK
            && herse_curl_set_sink(handle, CURLOPT_WRITEFUNCTION, takeBody) == CURLE_OK
            && herse_curl_set_sink(handle, CURLOPT_HEADERFUNCTION, takeHeader) == CURLE_OK
        guard isReady else { throw .other(Int(CURLE_OUT_OF_MEMORY.rawValue)) }
        let code = withExtendedLifetime(answer) { unsafe curl_easy_perform(handle) }
        guard code == CURLE_OK else { throw problem(code, request, answer) }
        let status = unsafe herse_curl_number(handle, CURLINFO_RESPONSE_CODE)
        guard (200...599).contains(status) else { throw .broken }
        return FetchAnswer(status: status, fields: answer.fields, body: answer.body)
    }

    private func problem(
        _ code: CURLcode, _ request: FetchRequest, _ answer: AnswerSink
    ) -> FetchProblem {
        if answer.isTooLarge { return .tooLarge(bytes: request.answerMax) }
        switch code {
        case CURLE_URL_MALFORMAT: return .address
        case CURLE_COULDNT_RESOLVE_HOST: return .unknownHost
        case CURLE_COULDNT_CONNECT: return .notReached
        case CURLE_OPERATION_TIMEDOUT: return .tooSlow(milliseconds: request.deadline)
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificateProblem(
                unsafe herse_curl_number(handle, CURLINFO_SSL_VERIFYRESULT))
        case CURLE_SSL_CACERT_BADFILE: return .authorities
        case CURLE_SSL_CERTPROBLEM: return .ownCertificate
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER: return .handshake
        // The scheme was looked at before: what is not supported is the answer's version.
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY, CURLE_GOT_NOTHING,
            CURLE_PARTIAL_FILE, CURLE_RECV_ERROR,
            CURLE_SEND_ERROR, CURLE_WRITE_ERROR:
            return .broken
        default: return .other(Int(code.rawValue))
        }
    }
}

/// What OpenSSL's number says, X509_V_ERR_… of <openssl/x509_vfy.h>.
private func certificateProblem(_ number: Int) -> FetchProblem {
    switch number {
    // libcurl compares names before it looks at OpenSSL's finding, and says 1 meanwhile.
    case 0, 1, 62, 64: .otherHostName
    case 9: .notYetValid
    case 10: .expired
    case 2, 18, 19, 20, 21: .unknownAuthority
    default: .notTrusted(number)
    }
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
