// DrillSession.swift: a synthetic professional, connected in one of the ways the gate speaks.

import Demo
import Foundation
import Gate

/// The ways a professional can be connected, each with a proof of its own.
enum DrillProtocol: String, CaseIterable, Codable, Sendable {
    case keepAlive = "keep-alive"
    case streaming = "streaming answer"
    case idle = "idle"
    case upload = "upload"
    case resumed = "resumed ticket"
    case token = "bearer token"
    case session = "browser session"

    /// Whether a request is under way while it is cut.
    fileprivate var isBusy: Bool {
        switch self {
        case .streaming, .upload, .token, .session: true
        case .keepAlive, .idle, .resumed: false
        }
    }
}

/// A professional who is connected, and how they would try again.
struct DrillSession {
    let way: DrillProtocol
    let professional: String
    let connection: DrillConnection
    private let scene: DrillStage.Scene
    private let context: DrillContext
    /// What each request carries.
    private let fields: [String]
    private let ticket: DrillTicket?

    private static let patient = "/fhir/Patient/drill"
    /// What an upload promises, and never sends.
    private static let uploadBytes = 1_000_000
    /// Handshakes until one must have been resumed: there are at most 256 workers.
    private static let resumptionsMax = 2000
    private static let lookMicroseconds: UInt32 = 1000

    /// Connects `professional`, and waits until the gate knows who they are.
    init(
        _ way: DrillProtocol, _ professional: String, _ scene: DrillStage.Scene
    ) throws(DrillError) {
        self.way = way
        self.professional = professional
        self.scene = scene
        var fields: [String] = []
        switch way {
        case .token:
            guard let token = scene.server.accessToken(professional) else {
                throw DrillError("no token can be signed")
            }
            fields = ["Authorization: Bearer \(token)"]
            context = try DrillContext(root: scene.root, certificate: nil, key: nil)
        case .session:
            context = try DrillContext(root: scene.root, certificate: nil, key: nil)
            fields = ["Cookie: \(try signedIn(professional, scene, context))"]
        case .keepAlive, .streaming, .idle, .upload, .resumed:
            let card = try scene.card(professional)
            context = try DrillContext(
                root: scene.root, certificate: card.certificatePath, key: card.keyPath)
        }
        self.fields = fields
        var ticket: DrillTicket?
        switch way {
        case .keepAlive:
            connection = try DrillConnection(port: scene.port, context)
            try Self.ask(connection, fields)
        case .resumed:
            connection = try Self.resumed(scene, context)
            // One ticket, one use.
            ticket = connection.ticket
        case .idle, .streaming, .upload, .token, .session:
            connection = try DrillConnection(port: scene.port, context)
        }
        switch way {
        case .keepAlive, .resumed, .idle: break
        case .streaming, .token, .session:
            // Without a card a connection is nobody's but while it carries a request.
            try connection.send(request("GET /stream", fields))
            guard try connection.answer().isGiven else { throw DrillError("no stream") }
        case .upload:
            let length = "Content-Length: \(Self.uploadBytes)"
            try connection.send(request("POST /stream", fields + [length]) + "a first piece")
        }
        self.ticket = ticket
        try waitUntilKnown()
    }

    /// A connection that was resumed, once the worker it reaches has seen the card in full.
    private static func resumed(
        _ scene: DrillStage.Scene, _ context: DrillContext
    ) throws(DrillError) -> DrillConnection {
        var ticket: DrillTicket?
        for _ in 0..<resumptionsMax {
            let connection = try DrillConnection(port: scene.port, context, resuming: ticket)
            try ask(connection, [])
            if connection.isResumed { return connection }
            ticket = connection.ticket
        }
        throw DrillError("no ticket resumes")
    }

    private static func ask(
        _ connection: DrillConnection, _ fields: [String]
    ) throws(DrillError) {
        try connection.send(request("GET \(patient)", fields))
        let answer = try connection.answer()
        guard answer.isGiven else {
            let why = answer["www-authenticate"].map { " (\($0))" } ?? ""
            throw DrillError("a request that should pass is answered \(answer.status)\(why)")
        }
    }

    /// Waits until the gate shows the connection, and that it is busy where it should be.
    private func waitUntilKnown() throws(DrillError) {
        let deadline = drillClock() + DrillConnection.patience
        while drillClock() < deadline {
            let answer = try? ControlClient.ask(
                .sessions(professional: professional), socket: scene.socket)
            if case .sessions(let found)? = answer {
                let live = found.filter { $0.kind == .connection }
                if live.contains(where: { !way.isBusy || $0.busy == true }) { return }
            }
            usleep(Self.lookMicroseconds)
        }
        throw DrillError("the gate does not show the connection of \(professional)")
    }

    /// Whether somebody with the same proof still gets anything.
    func isServedAgain() -> Bool {
        do throws(DrillError) {
            let again = try DrillConnection(port: scene.port, context, resuming: ticket)
            try again.send(request("GET \(Self.patient)", fields))
            return try again.answer().isGiven
        } catch { return false }
    }
}

private func request(_ line: String, _ fields: [String]) -> String {
    ([line + " HTTP/1.1", "Host: localhost"] + fields + ["", ""]).joined(separator: "\r\n")
}

/// Signs in with a browser at the drill's own provider; returns the cookies of the session.
private func signedIn(
    _ professional: String, _ scene: DrillStage.Scene, _ context: DrillContext
) throws(DrillError) -> String {
    let connection = try DrillConnection(port: scene.port, context)
    try connection.send(request("GET /.herse/openid/drill/start?to=/fhir/", []))
    let away = try connection.answer()
    guard let location = away["location"], let query = URLComponents(string: location)?.queryItems,
        let state = query.first(where: { $0.name == "state" })?.value,
        let nonce = query.first(where: { $0.name == "nonce" })?.value
    else { throw DrillError("signing in does not begin: \(away.status)") }
    try connection.send(
        request(
            "GET /.herse/openid/drill/callback?code=\(professional).\(nonce)&state=\(state)",
            ["Cookie: \(away.cookies)"]))
    let back = try connection.answer()
    guard !back.cookies.isEmpty, (300...399).contains(back.status) else {
        throw DrillError("signing in fails: \(back.status)")
    }
    return back.cookies
}
