// SampleIdentityServer.swift: a FHIR server of patients who do not exist, on 127.0.0.1.

import FlyingFox
import FlyingSocks
import Foundation

/// An identity server for demonstrations and tests; speaks HTTP in clear, on the loopback only.
package actor SampleIdentityServer {
    /// The patients it holds, so that a tour can name one.
    package nonisolated let patients: [SamplePatient]

    private let service: PatientService
    private var running: (server: HTTPServer, task: Task<Void, any Error>)?

    /// Makes `patients` patients, at least 1, always the same for the same seed.
    package init(patients: Int = 3000, seed: UInt64 = 20_250_901) {
        self.patients = samplePatients(count: patients, seed: seed)
        service = PatientService(self.patients)
    }

    /// Begins to listen and returns the port, chosen by the system when `port` is 0.
    ///
    /// - Throws: `SampleIdentityServerError`, when the port is taken or the server runs already.
    package func start(port: UInt16 = 0) async throws(SampleIdentityServerError) -> UInt16 {
        guard running == nil else { throw .alreadyRunning }
        guard let address = try? sockaddr_in.inet(ip4: "127.0.0.1", port: port) else {
            throw .cannotListen(port: port)
        }
        let configuration = HTTPServer.Configuration(
            address: address, timeout: 15, pool: NoDelayPool(), logger: .disabled)
        let server = HTTPServer(config: configuration, handler: service)
        let task = Task { try await server.run() }
        running = (server, task)
        // A server that cannot listen would leave the wait below to its deadline.
        let listening = Task { try await server.waitUntilListening(timeout: 5) }
        let watch = Task {
            _ = await task.result
            listening.cancel()
        }
        defer { watch.cancel() }
        guard case .success = await listening.result,
            case .ip4(_, let bound)? = await server.listeningAddress
        else {
            task.cancel()
            running = nil
            throw .cannotListen(port: port)
        }
        return bound
    }

    /// Stops listening and cuts what is still open; returns once all is over.
    package func stop() async {
        guard let (server, task) = running else { return }
        running = nil
        await server.stop(timeout: 0)
        _ = await task.result
    }
}

/// Why the sample identity server did not start.
package enum SampleIdentityServerError: Error, Equatable, CustomStringConvertible {
    case alreadyRunning
    case cannotListen(port: UInt16)

    package var description: String {
        switch self {
        case .alreadyRunning: "the sample identity server runs already"
        case .cannotListen(let port): "127.0.0.1:\(port): cannot listen"
        }
    }
}
