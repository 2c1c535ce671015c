// DrillStage.swift: the throw-away gate of a drill: certificates, state, process; and its end.

import Demo
import Foundation
import Gate
import Glibc
import Synchronization

/// Sets a drill up and takes it down again.
final class DrillStage: Sendable {
    private struct State {
        var folders: [String] = []
        var gate: ChildProcess?
        var server: DrillServer?
        var isDown = false
        var isInterrupted = false
    }

    private let state = Mutex(State())
    private let ending = Mutex(())
    /// What the gate said, for when it does not start.
    private let said = Mutex<[String]>([])

    /// Lines of the gate's log that are kept.
    private static let saidMax = 40

    /// What the synthetic professionals need.
    struct Scene {
        let port: UInt16
        let socket: String
        let root: String
        let server: DrillServer
        fileprivate let pki: ThrowAwayPKI

        /// The files of a card for this professional.
        func card(_ professional: String) throws(DrillError) -> Card {
            do {
                return try pki.issueCard(
                    name: professional,
                    .professional(
                        id: professional, surname: "DRILL", givenName: "ANNE", title: "Médecin"))
            } catch { throw DrillError(error.description) }
        }
    }

    /// Starts the gate, its durable state in a folder of `parent`, or a temporary one.
    func setUp(stateIn parent: String?) async throws(Failure) -> Scene {
        let folder = try kept(makeFolder())
        let stateFolder = try parent.map { parent throws(Failure) in
            try kept(makeFolder(in: parent))
        }
        let pki: ThrowAwayPKI
        do { pki = try ThrowAwayPKI.create(in: folder) } catch { throw Failure(error.description) }
        let server = try DrillServer(keysFolder: folder + "/keys")
        state.withLock { $0.server = server }
        try write(server.publishedKeys, to: folder + "/keys.json")
        try write("a secret of the drill", to: folder + "/provider.secret")
        let port = try freePort()
        let socket = folder + "/control.sock"
        try write(
            configuration(
                state: stateFolder ?? folder + "/state", socket: socket, port: port, server: server),
            to: folder + "/herse.yaml")
        try await startGate(try ownName(in: folder), folder + "/herse.yaml", socket: socket)
        return Scene(
            port: port, socket: socket, root: pki.rootPath, server: server, pki: pki)
    }

    private func kept(_ folder: String) -> String {
        let isDown = state.withLock { state in
            state.folders.append(folder)
            return state.isDown
        }
        if isDown { remove(folder: folder) }
        return folder
    }

    /// Notes that whoever is at work will fail, and ends all.
    func interrupt() {
        state.withLock { $0.isInterrupted = true }
        tearDown()
    }

    /// Whether what fails now fails since the drill was told to end.
    var isInterrupted: Bool { state.withLock { $0.isInterrupted } }

    /// Ends the gate and removes every folder, once; whoever calls waits until that is done.
    func tearDown() { ending.withLock { _ in end() } }

    private func end() {
        let former = state.withLock { state -> State? in
            guard !state.isDown else { return nil }
            state.isDown = true
            return state
        }
        guard let former else { return }
        if let gate = former.gate {
            // Nothing of it is worth an orderly end.
            gate.kill(SIGKILL)
            for _ in 0..<DemoStage.endMax * 100 where !gate.hasEnded { usleep(10_000) }
        }
        former.server?.stop()
        for folder in former.folders { remove(folder: folder) }
    }

    private func startGate(
        _ program: String, _ configuration: String, socket: String
    ) async throws(Failure) {
        let gate: ChildProcess
        do {
            gate = try ChildProcess(program, ["serve", "-c", configuration]) { [self] line in
                said.withLock { if $0.count < Self.saidMax { $0.append("  gate | \(line)") } }
            }
        } catch { throw Failure("\(program): cannot be started") }
        let isDown = state.withLock { state in
            state.gate = gate
            return state.isDown
        }
        if isDown { gate.kill(SIGKILL) }
        for _ in 0..<DemoStage.startMax * 50 {
            if (try? ControlClient.ask(.status, socket: socket)) != nil { return }
            if gate.hasEnded { break }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw Failure(lines: said.withLock { $0 } + ["the gate of the drill does not start"])
    }

    private func configuration(
        state: String, socket: String, port: UInt16, server: DrillServer
    ) -> String {
        """
        state: "\(state)"
        control: "\(socket)"
        listeners:
          - name: drill
            address: 127.0.0.1:\(port)
            tls:
              certificate: server.pem
              private_key: server.key
              client_certificate: optional
              client_authorities: [client-authorities.pem]
              revocation_lists: [crl/root.crl, crl/persons.crl]
        identity_servers:
          - {name: drill, endpoints: ["http://127.0.0.1:\(server.port)"]}
        authentication:
          certificate: {professional_id: CN}
          issuers:
            - name: drill
              issuer: "\(server.issuer)"
              discovery: "\(server.issuer)/.well-known/openid-configuration"
              keys: keys.json
              client_id: \(DrillServer.client)
              client_secret: provider.secret
              tokens: {audience: ["\(DrillServer.audience)"]}
          sign_in:
            url: "https://localhost:\(port)"
            providers: [{issuer: drill, label: Drill}]
        routes:
          - name: answers
            path: /fhir/
            identity_server: drill
            lookups: fhir
            require: [certificate, token, session]
            limits: standard
          - name: streams
            path: /stream
            methods: [GET, POST]
            identity_server: drill
            require: [certificate, token, session]
            limits: standard
        limits:
          standard:
            - {count: requests, limit: 1000000, per: 1m}
        record: {durable: before-delivery, unsealed: true}

        """
    }
}
