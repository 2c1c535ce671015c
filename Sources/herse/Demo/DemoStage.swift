// DemoStage.swift: what the demonstration stands on: certificates, patients, the gate.

import CSystem
import Demo
import Foundation
import Gate
import Glibc
import Neutralization
import Sealing
import Synchronization

/// A professional of the demonstration and the card in hand.
struct DemoProfessional: Sendable {
    let name: String
    let id: String
    /// File of curl options that show the card.
    let curlOptions: String
    let certificate: String
    let key: String
}

/// Everything the tour and a person at the keyboard need to know.
struct DemoScene: Sendable {
    let folder: String
    /// How this very program is called from anywhere.
    let herse: String
    /// `https://localhost:PORT/fhir`.
    let base: String
    let professionals: [DemoProfessional]
    /// A patient to look up, and a family name that many have.
    let patient: String
    let family: String
    /// Before anything was asked; RFC 3339.
    let begin: String

    var configuration: String { folder + "/herse.yaml" }
    var socket: String { folder + "/state/control.sock" }
    var root: String { folder + "/root-ca.pem" }
    /// The private half of the key that the record is sealed to.
    var auditorKey: String { folder + "/auditor.key.pem" }
}

/// Sets the demonstration up and takes it down again.
final class DemoStage: Sendable {
    private struct State {
        var folder: String?
        var gate: ChildProcess?
        var isDown = false
    }

    private let state = Mutex(State())
    private let keepsFolder: Bool

    /// Seconds the gate is given to be ready, and to end.
    static let startMax = 20
    static let endMax = 5

    init(keepsFolder: Bool) { self.keepsFolder = keepsFolder }

    /// Whether it is being taken down, so that what is still shown makes no sense any more.
    var isDown: Bool { state.withLock { $0.isDown } }

    func setUp(_ console: Console) async throws(Failure) -> DemoScene {
        let folder = try makeFolder()
        state.withLock { $0.folder = folder }
        let professionals = try makeCards(in: folder)
        try makeAuditor(in: folder)
        let server = SampleIdentityServer()
        let serverPort: UInt16
        do { serverPort = try await server.start() } catch { throw Failure("\(error)") }
        let port = try freePort()
        let text = demoConfiguration(port: port, serverPort: serverPort)
        try write(text, to: folder + "/herse.yaml")
        try write(demoTests, to: folder + "/herse.test.yaml")
        let families = Dictionary(grouping: server.patients, by: \.family)
        guard let patient = server.patients.dropFirst(16).first,
            let family = families.max(by: { ($0.value.count, $0.key) < ($1.value.count, $1.key) })
        else { throw Failure("the sample identity server has no patients") }
        let scene = DemoScene(
            folder: folder, herse: try ownName(in: folder), base: "https://localhost:\(port)/fhir",
            professionals: professionals, patient: patient.id, family: family.key,
            begin: UnixSeconds(secondsNow()).description)
        for professional in professionals {
            try write(
                curlOptions(professional, root: scene.root), to: professional.curlOptions)
        }
        try await startGate(scene, console)
        return scene
    }

    /// Ends the gate and removes the folder; once, whoever calls.
    func tearDown(_ console: Console) {
        let former = state.withLock { state -> State? in
            guard !state.isDown else { return nil }
            state.isDown = true
            return state
        }
        guard let former else { return }
        if let gate = former.gate {
            gate.kill(SIGTERM)
            var waited = 0
            while !gate.hasEnded, waited < Self.endMax * 100 {
                usleep(10_000)
                waited += 1
            }
            gate.kill(SIGKILL)
        }
        guard let folder = former.folder else { return }
        if keepsFolder {
            console.talk("left behind: \(folder)")
        } else {
            try? FileManager.default.removeItem(atPath: folder)
        }
    }

    private func startGate(_ scene: DemoScene, _ console: Console) async throws(Failure) {
        let gate: ChildProcess
        do {
            gate = try ChildProcess(scene.herse, ["serve", "-c", scene.configuration]) { line in
                console.talk("  gate | \(line)")
            }
        } catch {
            throw Failure("\(scene.herse): cannot be started")
        }
        state.withLock { $0.gate = gate }
        for _ in 0..<Self.startMax * 50 {
            if (try? ControlClient.ask(.status, socket: scene.socket)) != nil { return }
            if gate.hasEnded { throw Failure("the gate ended at once; its words are above") }
            try? await Task.sleep(for: .milliseconds(20))
        }
        throw Failure("the gate was not ready within \(Self.startMax) seconds")
    }
}

/// A folder of this process alone, in `parent` or where temporary files belong.
func makeFolder(in parent: String? = nil) throws(Failure) -> String {
    let isTemporary = parent == nil
    let parent = parent ?? ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
    let pattern = (parent.hasSuffix("/") ? parent : parent + "/") + "herse-XXXXXX"
    var bytes = pattern.utf8CString.map { $0 }
    // Safe because the pattern ends in a zero byte and is changed in place.
    guard unsafe mkdtemp(&bytes) != nil else {
        throw Failure(
            "\(parent): no folder can be made",
            hint: isTemporary
                ? "name another one in TMPDIR" : "run this as the user whose gate it is")
    }
    return String(decoding: bytes.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// Three professionals: a doctor, a nurse, and the secretary of a hospital.
private func makeCards(in folder: String) throws(Failure) -> [DemoProfessional] {
    let people: [(name: String, id: String, profile: CardProfile)] = [
        (
            "sarah", "899700218896",
            .professional(
                id: "899700218896", surname: "MARTIN", givenName: "SARAH", title: "Médecin")
        ),
        (
            "paul", "899700456124",
            .professional(
                id: "899700456124", surname: "DURAND", givenName: "PAUL", title: "Infirmier")
        ),
        (
            "lea", "3750150229/0042",
            .employee(
                id: "3750150229/0042", structure: "1750150229", surname: "MOREAU",
                givenName: "LÉA")
        ),
    ]
    do {
        let pki = try ThrowAwayPKI.create(in: folder)
        var professionals: [DemoProfessional] = []
        for person in people {
            let card = try pki.issueCard(name: person.name, person.profile)
            professionals.append(
                DemoProfessional(
                    name: person.name, id: person.id, curlOptions: "\(folder)/\(person.name).curl",
                    certificate: card.certificatePath, key: card.keyPath))
        }
        return professionals
    } catch {
        throw Failure(error.description)
    }
}

/// A pair of keys for whoever audits the record, as `herse record keys new auditor` makes one.
func makeAuditor(in folder: String) throws(Failure) {
    guard let key = AuditorKey.make() else {
        throw Failure("no key can be made: the system has no randomness")
    }
    try write(key.pem, to: folder + "/auditor.key.pem")
    try write(key.publicKey.pem, to: folder + "/auditor.pub.pem")
}

private func curlOptions(_ professional: DemoProfessional, root: String) -> String {
    """
    # The card of \(professional.name), as options of curl: curl -K THIS-FILE URL
    cacert = "\(root)"
    cert = "\(professional.certificate)"
    key = "\(professional.key)"
    silent
    show-error

    """
}

/// Writes a file for this user alone.
func write(_ text: String, to path: String) throws(Failure) {
    guard
        FileManager.default.createFile(
            atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
    else { throw Failure("\(path): cannot be written") }
}

/// `herse` where that is this very program, else a link to it in the demonstration's folder: a
/// path short enough to be read in a command.
func ownName(in folder: String) throws(Failure) -> String {
    let files = FileManager.default
    do {
        let own = try files.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let search = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let first = search.split(separator: ":").map { "\($0)/herse" }
            .first { files.isExecutableFile(atPath: $0) }
        if let first, URL(fileURLWithPath: first).resolvingSymlinksInPath().path == own {
            return first
        }
        let link = folder + "/herse"
        try files.createSymbolicLink(atPath: link, withDestinationPath: own)
        return link
    } catch {
        throw Failure("\(folder)/herse: cannot be linked to this program")
    }
}

/// A port of 127.0.0.1 that nobody has, chosen by the system; the gate says so should
/// somebody take it meanwhile.
func freePort() throws(Failure) -> UInt16 {
    let descriptor = socket(
        AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure("127.0.0.1: no socket") }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    // Safe because the address is a local of the length given.
    let bound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            unsafe bind(descriptor, general, length) == 0
                && getsockname(descriptor, general, &length) == 0
        }
    }
    guard bound else { throw Failure("127.0.0.1: no free port") }
    return UInt16(bigEndian: address.sin_port)
}
