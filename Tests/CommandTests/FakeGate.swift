// FakeGate.swift: what the command line talks to in these tests instead of a gate.

import ArgumentParser
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Gate
@testable import herse

/// Listens on an admin socket and answers each question with what it was given, in order.
final class FakeGate: Sendable {
    /// What is sent back.
    enum Reply: Sendable {
        case answer(ControlAnswer)
        case bytes([UInt8])
        /// Nothing, not even the end of the connection, until the gate goes.
        case silence
    }

    let folder: String
    private let listener: Int32
    private let asked = Mutex<[ControlRequest]>([])

    var socket: String { folder + "/control.sock" }
    /// A configuration that names the socket; nothing else of it is ever looked at.
    var configuration: String { folder + "/herse.yaml" }
    var requests: [ControlRequest] { asked.withLock { $0 } }

    init(_ replies: [Reply]) throws {
        folder = try temporaryFolder()
        try sampleConfiguration(control: "control.sock")
            .write(toFile: folder + "/herse.yaml", atomically: true, encoding: .utf8)
        listener = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = Array((folder + "/control.sock").utf8)
        try #require(path.count < MemoryLayout.size(ofValue: address.sun_path))
        // Safe because the path was just found shorter than the room.
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (index, byte) in path.enumerated() { unsafe room[index] = byte }
        }
        // Safe because the address is a local of the size given.
        let bound = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
                unsafe bind(listener, general, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(bound == 0 && listen(listener, 8) == 0)
        Thread.detachNewThread { [self] in serve(replies) }
    }

    convenience init(_ answers: ControlAnswer...) throws {
        try self.init(answers.map { .answer($0) })
    }

    private func serve(_ replies: [Reply]) {
        var open: [Int32] = []
        for reply in replies {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { return }
            if let request = readRequest(connection) { asked.withLock { $0.append(request) } }
            switch reply {
            case .answer(let answer):
                let line = (try? JSONEncoder().encode(answer)) ?? Data()
                send(Array(line) + [UInt8(ascii: "\n")], to: connection)
                close(connection)
            case .bytes(let bytes):
                send(bytes, to: connection)
                close(connection)
            case .silence:
                open.append(connection)
            }
        }
        close(listener)
        // Descriptors of silent connections live as long as the test process.
        withExtendedLifetime(open) {}
    }

    private func readRequest(_ connection: Int32) -> ControlRequest? {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        // Safe because one byte is read into a local.
        while unsafe read(connection, &byte, 1) == 1, byte != UInt8(ascii: "\n") {
            line.append(byte)
        }
        return try? JSONDecoder().decode(ControlRequest.self, from: Data(line))
    }

    private func send(_ bytes: [UInt8], to connection: Int32) {
        var sent = 0
        while sent < bytes.count {
            // Safe because what is sent lies between `sent` and the end of the array.
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(
                    connection, all.baseAddress?.advanced(by: sent), all.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}

/// Everything these tests write; gone when they are over.
private let playground: String = {
    let path = "/tmp/hc-\(getpid())"
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    atexit { try? FileManager.default.removeItem(atPath: "/tmp/hc-\(getpid())") }
    return path
}()

/// A folder of its own for one test; short, since a socket's path must be.
func temporaryFolder() throws -> String {
    let path = "\(playground)/\(UUID().uuidString.prefix(13))"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    return path
}

/// A whole configuration; files it names need not exist for most verbs.
func sampleConfiguration(control: String = "control.sock", more: String = "") -> String {
    """
    control: \(control)
    listeners:
      - name: professionals
        address: 127.0.0.1:8443
        tls:
          certificate: server.pem
          private_key: server.key
          client_certificate: required
          client_authorities: [persons-ca.pem]
    identity_servers:
      - name: mpi
        endpoints: ["http://127.0.0.1:9000"]
    authentication:
      certificate:
        professional_id: CN
    routes:
      - name: fhir
        path: /fhir/
        methods: [GET, POST]
        identity_server: mpi
        lookups: fhir
        require: [certificate]
        limits: standard
    limits:
      standard:
        - {count: requests, limit: 20, per: 1m}
        - {count: patients, limit: 60, per: 1h}
    \(more)

    """
}

/// A console that keeps what is said.
final class Recorder: Sendable {
    private let said = Mutex<(data: [String], talk: [String])>(([], []))

    var console: Console {
        Console(
            print: { line in self.said.withLock { $0.data.append(line) } },
            talk: { line in self.said.withLock { $0.talk.append(line) } })
    }

    var data: String { said.withLock { $0.data.joined(separator: "\n") } }
    var talk: String { said.withLock { $0.talk.joined(separator: "\n") } }
}

/// What came of a command line.
struct CommandRun {
    let code: Int32
    let data: String
    let talk: String
}

/// Runs a command line in this process.
func run(_ arguments: [String]) async throws -> CommandRun {
    let recorder = Recorder()
    let command = try #require(try Herse.parseAsRoot(arguments) as? any Verb)
    let outcome = await command.outcome(on: recorder.console)
    return CommandRun(code: outcome.rawValue, data: recorder.data, talk: recorder.talk)
}
