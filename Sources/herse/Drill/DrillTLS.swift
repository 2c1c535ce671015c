// DrillTLS.swift: a synthetic professional's connection, and the moment it is gone.

import COpenSSL
import CSystem
import Glibc

/// Why a synthetic professional got nowhere.
struct DrillError: Error, Equatable {
    let what: String
    init(_ what: String) { self.what = what }
}

/// Nanoseconds of the monotonic clock.
func drillClock() -> UInt64 { herse_clock(CLOCK_MONOTONIC) }

/// Whom to trust and what to show.
///
/// Safe because it owns its context, and OpenSSL counts its own references to it.
@safe final class DrillContext {
    fileprivate let pointer: OpaquePointer

    /// Shows the certificate and key at these paths, if any; trusts the authority at `root` alone.
    init(root: String, certificate: String?, key: String?) throws(DrillError) {
        guard let pointer = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw DrillError("no TLS: out of memory")
        }
        unsafe self.pointer = pointer
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        guard unsafe SSL_CTX_load_verify_locations(pointer, root, nil) == 1 else {
            ERR_clear_error()
            throw DrillError("\(root): no authority")
        }
        guard let certificate, let key else { return }
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, certificate) == 1,
            unsafe SSL_CTX_use_PrivateKey_file(pointer, key, SSL_FILETYPE_PEM) == 1
        else {
            ERR_clear_error()
            throw DrillError("\(certificate): no certificate with its key")
        }
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}

/// What resumes a TLS session.
///
/// Safe because it owns one reference to its session.
@safe final class DrillTicket {
    fileprivate let pointer: OpaquePointer

    fileprivate init(takingOver pointer: OpaquePointer) { unsafe self.pointer = pointer }

    deinit { unsafe SSL_SESSION_free(pointer) }
}

/// One TLS connection to the gate on 127.0.0.1; every wait has a deadline.
///
/// Safe because one thread uses it, and every buffer is passed with the length it has.
@safe final class DrillConnection {
    private let descriptor: Int32
    private let session: OpaquePointer
    /// Bytes that came and belong to no answer read so far.
    private var unread: [UInt8] = []

    /// Longest wait for anything that should come at once.
    static let patience: UInt64 = 10_000_000_000
    /// Bytes of an answer: the drill's own server gives few.
    private static let answerMax = 1 << 20

    /// Connects and shakes hands.
    init(
        port: UInt16, _ context: DrillContext, resuming ticket: DrillTicket? = nil
    ) throws(DrillError) {
        let descriptor = try connected(to: port)
        guard let session = unsafe SSL_new(context.pointer) else {
            close(descriptor)
            throw DrillError("no TLS session: out of memory")
        }
        self.descriptor = descriptor
        unsafe self.session = session
        unsafe SSL_set_fd(session, descriptor)
        _ = unsafe X509_VERIFY_PARAM_set1_host(SSL_get0_param(session), "localhost", 0)
        _ = unsafe herse_ssl_set_server_name(session, "localhost")
        if let ticket { unsafe SSL_set_session(session, ticket.pointer) }
        let deadline = drillClock() + Self.patience
        while true {
            let result = unsafe SSL_connect(session)
            if result == 1 { return }
            guard wait(after: result, until: deadline) else {
                throw DrillError("the TLS handshake fails")
            }
        }
    }

    deinit {
        // A session that is not ended in an orderly way would take its ticket along.
        unsafe SSL_set_shutdown(session, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(session)
        close(descriptor)
    }

    var isResumed: Bool { unsafe SSL_session_reused(session) == 1 }

    /// The newest ticket that came; they come with the first answer.
    var ticket: DrillTicket? {
        guard let pointer = unsafe SSL_get1_session(session) else { return nil }
        return unsafe DrillTicket(takingOver: pointer)
    }

    func send(_ text: String) throws(DrillError) {
        let bytes = Array(text.utf8)
        let deadline = drillClock() + Self.patience
        while true {
            let result = unsafe SSL_write(session, bytes, Int32(bytes.count))
            if result > 0 { return }
            guard wait(after: result, until: deadline) else {
                throw DrillError("the connection ended before the request was sent")
            }
        }
    }

    /// The head of the next answer, and its body as far as its length is told.
    func answer() throws(DrillError) -> DrillAnswer {
        let deadline = drillClock() + Self.patience
        let gap = Array("\r\n\r\n".utf8)
        var end = unread.firstRange(of: gap)
        while end == nil {
            try more(deadline)
            end = unread.firstRange(of: gap)
        }
        guard let end else { throw DrillError("no answer came") }
        let answer = DrillAnswer(head: String(decoding: unread[..<end.lowerBound], as: UTF8.self))
        unread.removeFirst(end.upperBound)
        while unread.count < answer.length { try more(deadline) }
        unread.removeFirst(answer.length)
        return answer
    }

    private func more(_ deadline: UInt64) throws(DrillError) {
        guard case .bytes(let bytes) = receive(until: deadline) else {
            throw DrillError("the connection ended before the answer")
        }
        unread += bytes
        guard unread.count <= Self.answerMax else { throw DrillError("the answer never ends") }
    }

    /// Reads what there is, so that nothing is left that came earlier.
    func drain() {
        unread = []
        while case .bytes = receive(until: 0) {}
    }

    /// Reads to the end of the connection: when it came, or nil when it did not in time.
    func end(by deadline: UInt64) -> UInt64? {
        while true {
            switch receive(until: deadline) {
            case .bytes: if drillClock() > deadline { return nil }
            case .ended: return drillClock()
            case .late: return nil
            }
        }
    }

    private enum Received {
        case bytes([UInt8])
        case ended
        case late
    }

    private func receive(until deadline: UInt64) -> Received {
        var room = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe SSL_read(session, &room, Int32(room.count))
            if count > 0 { return .bytes(Array(room.prefix(Int(count)))) }
            let isOpen = unsafe SSL_get_error(session, count) == SSL_ERROR_WANT_READ
            guard isOpen else {
                ERR_clear_error()
                return .ended
            }
            guard wait(Int16(POLLIN), until: deadline) else { return .late }
        }
    }

    /// Waits for what the session lacks; false when it has ended, or it took too long.
    private func wait(after result: Int32, until deadline: UInt64) -> Bool {
        switch unsafe SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return wait(Int16(POLLIN), until: deadline)
        case SSL_ERROR_WANT_WRITE: return wait(Int16(POLLOUT), until: deadline)
        default:
            ERR_clear_error()
            return false
        }
    }

    private func wait(_ events: Int16, until deadline: UInt64) -> Bool {
        while true {
            let now = drillClock()
            let left = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
            var state = pollfd(fd: descriptor, events: events, revents: 0)
            // Safe because one descriptor is given, and it is a local.
            let ready = unsafe poll(&state, 1, Int32(clamping: left))
            if ready > 0 { return true }
            if ready == 0 || errno != EINTR { return false }
        }
    }
}

/// Status and fields of an answer.
struct DrillAnswer {
    let status: Int
    /// Name in lower case, and value.
    let fields: [(name: String, value: String)]

    init(head: String) {
        let lines = head.split(separator: "\r\n")
        let words = lines.first?.split(separator: " ") ?? []
        status = words.count > 1 ? Int(words[1]) ?? 0 : 0
        fields = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            return (line[..<colon].lowercased(), String(value))
        }
    }

    var length: Int { self["content-length"].flatMap { Int($0) } ?? 0 }
    var isGiven: Bool { (200...299).contains(status) }

    subscript(name: String) -> String? { fields.first { $0.name == name }?.value }

    /// The cookies it sets, as a request sends them back; those it ends left out.
    var cookies: String {
        fields.filter { $0.name == "set-cookie" }
            .compactMap { $0.value.split(separator: ";").first.map(String.init) }
            .filter { !$0.hasSuffix("=") }.joined(separator: "; ")
    }
}

/// A socket connected to a port of 127.0.0.1, which never blocks from then on.
private func connected(to port: UInt16) throws(DrillError) -> Int32 {
    let descriptor = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw DrillError("no socket: error \(errno)") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    // Safe because the address is a local of the length given.
    let answer = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            unsafe connect(descriptor, general, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
    }
    var yes: Int32 = 1
    // Safe because the option's value is a local of the size given.
    unsafe setsockopt(
        descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard answer == 0, fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0 else {
        close(descriptor)
        throw DrillError("127.0.0.1:\(port): cannot be connected to")
    }
    return descriptor
}
