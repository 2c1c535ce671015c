// CurlHandle.swift: one handle of libcurl, with all it would do by itself switched off.

internal import CCurl

/// Once for the process; libcurl's own start must not run twice at a time.
private let isStarted = herse_curl_start() == CURLE_OK

/// What libcurl hands bytes to, or takes them from.
typealias CurlSink =
    @convention(c) (
        UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?
    ) -> Int

/// One handle of libcurl, used by one thread.
///
/// Safe because the handle and its lists are freed with the object alone, and libcurl copies the
/// texts and blocks it is given.
@safe final class CurlHandle {
    private let handle: UnsafeMutableRawPointer
    private var lists: [UnsafeMutablePointer<curl_slist>] = unsafe []
    /// Whether every option was taken; one that is not would leave a default behind.
    private(set) var isPrepared = true

    init?() {
        guard isStarted, let handle = unsafe curl_easy_init() else { return nil }
        unsafe self.handle = handle
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        for index in unsafe lists.indices { unsafe curl_slist_free_all(lists[index]) }
    }

    private func note(_ code: CURLcode) { if code != CURLE_OK { isPrepared = false } }

    func set(_ option: CURLoption, _ value: Int) {
        // Safe because the option is one of numbers, wherever this is called.
        note(unsafe herse_curl_set_number(handle, option, value))
    }

    func set(_ option: CURLoption, _ text: String?) {
        note(unsafe herse_curl_set_text(handle, option, text))
    }

    /// A list of lines, which outlives the handle.
    func set(_ option: CURLoption, _ lines: [String]) {
        var list: UnsafeMutablePointer<curl_slist>?
        for line in lines {
            // Safe because the text is copied, and the list stays ours when it cannot grow.
            guard let longer = unsafe curl_slist_append(list, line) else {
                isPrepared = false
                break
            }
            unsafe list = longer
        }
        if let list = unsafe list { unsafe lists.append(list) }
        note(unsafe herse_curl_set_pointer(handle, option, list))
    }

    /// A function, and what it is called with; the caller keeps that alive while it may be.
    func set(
        _ option: CURLoption, _ function: CurlSink, _ dataOption: CURLoption,
        _ data: UnsafeMutableRawPointer
    ) {
        note(unsafe herse_curl_set_sink(handle, option, function))
        note(unsafe herse_curl_set_pointer(handle, dataOption, data))
    }

    /// What a POST sends.
    func setBody(_ bytes: [UInt8]) {
        // Safe because libcurl copies as many bytes as it is told before.
        note(
            unsafe herse_curl_set_large(
                handle, CURLOPT_POSTFIELDSIZE_LARGE, Int64(bytes.count)))
        // One byte more, since no bytes at all have no address.
        var body = bytes + [0]
        note(
            unsafe body.withUnsafeMutableBytes { bytes in
                unsafe herse_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress)
            })
    }

    func setLarge(_ option: CURLoption, _ value: Int) {
        note(unsafe herse_curl_set_large(handle, option, Int64(value)))
    }

    /// What any conversation is bounded by; no proxy, netrc or environment is asked.
    func prepare(_ url: String, protocols: String, connectDeadline: Int, deadline: Int) {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_URL, url)
        set(CURLOPT_PROTOCOLS_STR, protocols)
        set(CURLOPT_DISALLOW_USERNAME_IN_URL, 1)
        // An empty proxy is one that the environment cannot fill in.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_NOPROXY, "*")
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, min(connectDeadline, deadline)))
        set(CURLOPT_TIMEOUT_MS, max(1, deadline))
    }

    func prepareTLS(_ tls: FetchTLS) {
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSL_SESSIONID_CACHE, 0)
        // Both have the system's store by default.
        set(CURLOPT_CAINFO, tls.authorities)
        set(CURLOPT_CAPATH, nil as String?)
        if !tls.authoritiesPEM.isEmpty {
            // Safe because libcurl copies as many bytes as there are.
            note(
                unsafe tls.authoritiesPEM.withUnsafeBytes { bytes in
                    unsafe herse_curl_set_block(
                        handle, CURLOPT_CAINFO_BLOB, bytes.baseAddress, bytes.count)
                })
        }
        guard let certificate = tls.certificate else { return }
        set(CURLOPT_SSLCERTTYPE, "PEM")
        set(CURLOPT_SSLCERT, certificate)
        set(CURLOPT_SSLKEYTYPE, "PEM")
        set(CURLOPT_SSLKEY, tls.privateKey ?? certificate)
        // Nobody is there to be asked for a passphrase.
        set(CURLOPT_KEYPASSWD, "")
    }

    func perform() -> CURLcode { unsafe curl_easy_perform(handle) }

    func number(_ info: CURLINFO) -> Int { unsafe herse_curl_number(handle, info) }

    /// The socket of a connection that was made and is kept.
    var descriptor: Int32? {
        let descriptor = unsafe herse_curl_socket(handle)
        return descriptor < 0 ? nil : descriptor
    }

    /// Sends some of the bytes from `start` on, without waiting; how many.
    func send(_ bytes: [UInt8], from start: Int) -> (code: CURLcode, count: Int) {
        var count = 0
        // Safe because what is sent lies between `start` and the end of the array.
        let code = unsafe bytes.withUnsafeBytes { all in
            unsafe curl_easy_send(
                handle, all.baseAddress?.advanced(by: start), all.count - start, &count)
        }
        return (code, count)
    }

    /// Reads and forgets what has come, without waiting; how many bytes.
    func skip() -> (code: CURLcode, count: Int) {
        var room = [UInt8](repeating: 0, count: 4096)
        var count = 0
        // Safe because at most the room's own bytes are written.
        let code = unsafe room.withUnsafeMutableBytes { room in
            unsafe curl_easy_recv(handle, room.baseAddress, room.count, &count)
        }
        return (code, count)
    }

    func problem(_ code: CURLcode, deadline: Int) -> FetchProblem {
        switch code {
        case CURLE_URL_MALFORMAT: return .address
        case CURLE_COULDNT_RESOLVE_HOST: return .unknownHost
        case CURLE_COULDNT_CONNECT: return .notReached
        case CURLE_OPERATION_TIMEDOUT: return .tooSlow(milliseconds: deadline)
        case CURLE_PEER_FAILED_VERIFICATION:
            return certificateProblem(number(CURLINFO_SSL_VERIFYRESULT))
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
