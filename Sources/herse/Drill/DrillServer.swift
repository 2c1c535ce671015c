// DrillServer.swift: what stands behind the gate of a drill: an identity server that answers,
// streams and takes uploads, and an identity provider that signs whomever it is asked for.
//
// On 127.0.0.1 and in clear text, for one process and some seconds; a thread for each connection.

import CSystem
import Foundation
import Glibc
import JSON
import Synchronization
import Tokens

/// The server of a drill.
final class DrillServer: Sendable {
    /// Whom professionals' tokens are meant for.
    static let audience = "https://gate.drill"
    /// The gate, as the provider knows it.
    static let client = "drill"

    let port: UInt16
    private let listener: Int32
    private let keys: AssertionKeys

    /// Time between two pieces of an answer that streams.
    private static let pieceMicroseconds: UInt32 = 2000
    /// Bytes of a request's head, and of a form.
    private static let requestMax = 1 << 16

    /// Listens on a port that the system chose, and makes its keys in `folder`.
    init(keysFolder folder: String) throws(Failure) {
        do throws(AssertionKeyError) {
            keys = try AssertionKeys(folder: folder, rotate: 1 << 30, now: secondsNow())
        } catch { throw Failure(error.description) }
        let listener = socket(
            AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        // Safe because the address is a local of the length given.
        let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                unsafe bind(listener, general, length) == 0 && listen(listener, 128) == 0
                    && getsockname(listener, general, &length) == 0
            }
        }
        guard bound else { throw Failure("127.0.0.1: no free port") }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                Thread.detachNewThread { [self] in
                    talk(connection)
                    close(connection)
                }
            }
        }
    }

    /// Listens no more.
    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    var issuer: String { "http://127.0.0.1:\(port)/provider" }

    /// Its keys, a set of RFC 7517.
    var publishedKeys: String { String(decoding: keys.published, as: UTF8.self) }

    /// An access token of a professional.
    func accessToken(_ professional: String) -> String? {
        sign(
            professional, audience: Self.audience,
            more: [
                "typ": .string("Bearer"), "scope": .string("openid"),
                "jti": .string(UUID().uuidString),
            ])
    }

    private func sign(_ professional: String, audience: String, more: [String: JSONValue])
        -> String?
    {
        let now = secondsNow()
        var claims: JSONObject = [
            "iss": .string(issuer), "sub": .string("f:drill:\(professional)"),
            "aud": .string(audience), "azp": .string(Self.client),
            "SubjectNameID": .string(professional), "iat": JSONValue(integer: now),
            "auth_time": JSONValue(integer: now), "exp": JSONValue(integer: now + 3600),
        ]
        for (name, value) in more { claims[name] = value }
        return keys.sign(claims: JSONValue.object(claims).encoded, now: now)
            .map { String(decoding: $0, as: UTF8.self) }
    }

    // MARK: What it answers

    private func talk(_ connection: Int32) {
        var channel = Channel(descriptor: connection)
        while let request = channel.request(max: Self.requestMax) {
            switch (request.method, request.path) {
            case ("GET", "/stream"):
                stream(channel)
                return
            case ("POST", "/stream"):
                // An upload that never ends.
                while channel.more() { channel.forget() }
                return
            case ("GET", "/provider/.well-known/openid-configuration"):
                channel.give(metadata)
            case ("POST", "/provider/token"):
                guard let tokens = tokens(request.body) else {
                    channel.give("{\"error\":\"invalid_grant\"}", status: "400 Bad Request")
                    continue
                }
                channel.give(tokens)
            default:
                channel.give(
                    "{\"resourceType\":\"Patient\",\"id\":\"drill\"}",
                    kind: "application/fhir+json")
            }
        }
    }

    private func stream(_ channel: Channel) {
        channel.write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n")
        channel.write("Transfer-Encoding: chunked\r\n\r\n")
        let piece = "80\r\n" + String(repeating: "drill a ", count: 16) + "\r\n"
        while channel.write(piece) { usleep(Self.pieceMicroseconds) }
    }

    private var metadata: String {
        """
        {"issuer":"\(issuer)","authorization_endpoint":"\(issuer)/authorize",\
        "token_endpoint":"\(issuer)/token","jwks_uri":"\(issuer)/keys"}
        """
    }

    /// A code says itself for whom it is, and with which nonce: `PROFESSIONAL.NONCE`.
    private func tokens(_ form: String) -> String? {
        let pairs = form.split(separator: "&").map { $0.split(separator: "=", maxSplits: 1) }
        guard let code = pairs.first(where: { $0.first == "code" && $0.count == 2 })?[1],
            let parts = code.removingPercentEncoding?.split(separator: ".", maxSplits: 1),
            parts.count == 2,
            let token = sign(
                String(parts[0]), audience: Self.client, more: ["nonce": .string(String(parts[1]))])
        else { return nil }
        return """
            {"access_token":"drill","token_type":"Bearer","expires_in":300,"id_token":"\(token)"}
            """
    }
}

/// A request of the gate, as far as the drill's server looks at it.
private struct DrillRequest {
    let method: Substring
    let path: Substring
    let body: String
}

/// One connection of the gate to the drill's server.
private struct Channel {
    let descriptor: Int32
    private var bytes: [UInt8] = []

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// The next request, with a body only where its length is short; nil at the end.
    mutating func request(max: Int) -> DrillRequest? {
        let gap = Array("\r\n\r\n".utf8)
        var end = bytes.firstRange(of: gap)
        while end == nil {
            guard bytes.count < max, more() else { return nil }
            end = bytes.firstRange(of: gap)
        }
        guard let end else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3, let path = words[1].split(separator: "?").first else { return nil }
        let length =
            lines.first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.drop { $0 != ":" }.dropFirst().drop { $0 == " " }) } ?? 0
        bytes.removeFirst(end.upperBound)
        guard length <= max else { return DrillRequest(method: words[0], path: path, body: "") }
        while bytes.count < length { guard more() else { return nil } }
        let body = String(decoding: bytes.prefix(length), as: UTF8.self)
        bytes.removeFirst(length)
        return DrillRequest(method: words[0], path: path, body: body)
    }

    /// Reads some more; false at the end.
    mutating func more() -> Bool {
        var room = [UInt8](repeating: 0, count: 16_384)
        // Safe because no more is read than there is room for.
        let count = unsafe recv(descriptor, &room, room.count, 0)
        if count < 0, errno == EINTR { return more() }
        guard count > 0 else { return false }
        bytes += room.prefix(count)
        return true
    }

    mutating func forget() { bytes = [] }

    func give(_ text: String, status: String = "200 OK", kind: String = "application/json") {
        write(
            "HTTP/1.1 \(status)\r\nContent-Type: \(kind)\r\n"
                + "Content-Length: \(text.utf8.count)\r\n\r\n\(text)")
    }

    /// False when the other side is gone.
    @discardableResult func write(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let part = Array(rest)
            // Safe because the bytes are passed with their count.
            let count = unsafe send(descriptor, part, part.count, Int32(MSG_NOSIGNAL))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
