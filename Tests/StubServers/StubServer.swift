// StubServer.swift: an HTTP server of the tests' own, that answers whatever it is told to.

import COpenSSL
import Foundation
import Synchronization

/// What a stub was asked.
package struct StubRequest: Sendable {
    package var method: String
    package var target: String
    /// Names in lower case.
    package var fields: [String: String]
    package var body: [UInt8]
    /// Common name of the certificate that was shown.
    package var certificate: String?

    package var text: String { String(decoding: body, as: UTF8.self) }
}

/// What a stub does then.
package enum StubReply: Sendable {
    case answer(Int, fields: [String] = [], [UInt8])
    /// As it is, and then the end of the connection.
    case bytes([UInt8])
    /// Nothing, until the other side gives up.
    case silence
    /// These bytes, and then nothing until the other side gives up.
    case beginning([UInt8])

    package static func json(_ text: String, status: Int = 200) -> StubReply {
        .answer(status, fields: ["Content-Type: application/json"], Array(text.utf8))
    }
}

/// TLS of a stub.
package struct StubTLS: Sendable {
    package var identity: Identity
    /// TLS1_1_VERSION and the like.
    package var versionMax: Int32 = 0
    /// Asks for a certificate of these, and talks to nobody without.
    package var clientAuthorities: String?

    package init(_ identity: Identity) { self.identity = identity }
}

/// A server on the loopback address and a port nobody chose; one thread for each connection.
package final class StubServer: Sendable {
    package typealias Handler = @Sendable (StubRequest) -> StubReply

    package let port: UInt16
    private let isTLS: Bool
    private let listener: Int32
    private let seen = Mutex<[StubRequest]>([])
    private let connections = Mutex(0)

    package init(tls: StubTLS? = nil, _ handler: @escaping Handler) throws {
        isTLS = tls != nil
        // Clients go away in the middle of an answer; the gate ignores it as well.
        signal(SIGPIPE, SIG_IGN)
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Safe because the address is read and written within the size it has.
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(listener, pointer, size) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &size) == 0
            }
        }
        guard isBound else { throw StubError("no port") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        let context = try tls.map(StubContext.init)
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                connections.withLock { $0 += 1 }
                Thread.detachNewThread { [self] in
                    if let channel = StubChannel(connection, context) { talk(channel, handler) }
                    close(connection)
                }
            }
        }
    }

    /// Listens no more; who connects is refused.
    package func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    package func url(_ path: String, host: String = "127.0.0.1") -> String {
        "\(isTLS ? "https" : "http")://\(host):\(port)\(path)"
    }

    /// What it was asked until now.
    package var requests: [StubRequest] { seen.withLock { $0 } }
    /// Connections that came, whatever became of them.
    package var connectionCount: Int { connections.withLock { $0 } }

    private func talk(_ channel: StubChannel, _ handler: Handler) {
        guard let request = channel.request() else { return }
        seen.withLock { $0.append(request) }
        switch handler(request) {
        case .answer(let status, let fields, let body):
            let lines = ["HTTP/1.1 \(status) Stub", "Content-Length: \(body.count)"] + fields
            let head = (lines + ["Connection: close", "", ""]).joined(separator: "\r\n")
            channel.write(Array(head.utf8) + body)
        case .bytes(let bytes): channel.write(bytes)
        case .silence: channel.waitForEnd()
        case .beginning(let bytes):
            channel.write(bytes)
            channel.waitForEnd()
        }
        channel.end()
    }
}

/// Why a stub cannot stand.
package struct StubError: Error {
    package let what: String
    package init(_ what: String) { self.what = what }
}

/// TLS settings shared by the connections of a stub.
///
/// Safe because OpenSSL counts references to a context atomically, and nothing changes it.
@safe final class StubContext: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ tls: StubTLS) throws {
        guard let pointer = unsafe SSL_CTX_new(TLS_server_method()) else {
            throw StubError("no context")
        }
        unsafe self.pointer = pointer
        // Old versions are what some tests are about.
        unsafe SSL_CTX_set_security_level(pointer, 0)
        _ = unsafe herse_ctx_set_min_version(pointer, TLS1_VERSION)
        if tls.versionMax != 0 { _ = unsafe herse_ctx_set_max_version(pointer, tls.versionMax) }
        guard
            unsafe SSL_CTX_use_certificate_chain_file(pointer, tls.identity.certificate) == 1,
            unsafe SSL_CTX_use_PrivateKey_file(pointer, tls.identity.key, SSL_FILETYPE_PEM) == 1
        else { throw StubError("no identity") }
        guard let authorities = tls.clientAuthorities else { return }
        guard unsafe SSL_CTX_load_verify_locations(pointer, authorities, nil) == 1 else {
            throw StubError("no client authorities")
        }
        unsafe SSL_CTX_set_verify(
            pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}

/// One connection, in clear text or not.
///
/// Safe because one thread uses it, and every buffer is passed with the length it has.
@safe final class StubChannel {
    private let descriptor: Int32
    private var session: OpaquePointer?

    init?(_ descriptor: Int32, _ context: StubContext?) {
        self.descriptor = descriptor
        guard let context else { return }
        unsafe session = SSL_new(context.pointer)
        unsafe SSL_set_fd(session, descriptor)
        if unsafe SSL_accept(session) != 1 {
            ERR_clear_error()
            return nil
        }
    }

    deinit { unsafe SSL_free(session) }

    private func read() -> [UInt8] {
        var room = [UInt8](repeating: 0, count: 4096)
        let count =
            if unsafe session != nil {
                Int(unsafe SSL_read(session, &room, Int32(room.count)))
            } else {
                unsafe recv(descriptor, &room, room.count, 0)
            }
        return Array(room.prefix(max(0, count)))
    }

    func write(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(16_384))
            let count =
                if unsafe session != nil {
                    Int(unsafe SSL_write(session, part, Int32(part.count)))
                } else {
                    unsafe send(descriptor, part, part.count, Int32(MSG_NOSIGNAL))
                }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    func waitForEnd() { while !read().isEmpty {} }

    func end() {
        if unsafe session != nil { unsafe SSL_shutdown(session) }
        shutdown(descriptor, Int32(SHUT_WR))
        // What was not read would make the kernel reset the connection.
        waitForEnd()
    }

    func request() -> StubRequest? {
        var bytes: [UInt8] = []
        let gap = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while headEnd == nil {
            let more = read()
            guard !more.isEmpty else { return nil }
            bytes += more
            headEnd = bytes.firstRange(of: gap)?.lowerBound
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: bytes[..<headEnd], as: UTF8.self)
            .components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ").map(String.init)
        var fields: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            fields[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let wanted = headEnd + 4 + (fields["content-length"].flatMap { Int($0) } ?? 0)
        while bytes.count < wanted {
            let more = read()
            guard !more.isEmpty else { return nil }
            bytes += more
        }
        return StubRequest(
            method: words.first ?? "", target: words.count > 1 ? words[1] : "", fields: fields,
            body: Array(bytes[(headEnd + 4)..<wanted]), certificate: shownName())
    }

    private func shownName() -> String? {
        guard unsafe session != nil,
            let certificate = unsafe SSL_get1_peer_certificate(session)
        else { return nil }
        defer { unsafe X509_free(certificate) }
        var text = [CChar](repeating: 0, count: 128)
        let count = unsafe X509_NAME_get_text_by_NID(
            X509_get_subject_name(certificate), NID_commonName, &text, Int32(text.count))
        return String(
            decoding: text.prefix(Int(max(0, count))).map { UInt8(bitPattern: $0) },
            as: UTF8.self)
    }
}
