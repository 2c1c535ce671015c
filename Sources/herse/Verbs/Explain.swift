// Explain.swift: herse explain: what would be decided of a request, and by which rule.

import ArgumentParser
import Gate
import Identity
import Neutralization
import Policy

struct ExplainCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what would be decided of a request, and by which rule.",
        discussion: """
            Goes through admission in its order (neutralization, route, identity, limits) with the \
            configuration and the neutralization list as they stand on disk, and names the file \
            and line that decide. Orders of the running gate count too when it can be reached; \
            what a professional has used of the limits is told with --after. Exits 0 whatever the \
            decision.

            Examples:
              herse explain GET /fhir/Patient/123 --as 899700218896
              herse explain POST '/fhir/Patient/_search' --as 899700218896 --after 600
              herse explain GET /fhir/Patient --as none
            """)

    @Argument(help: "Method, such as GET.")
    var method: String

    @Argument(help: "Path as it would be sent; what follows a ? is left out.")
    var path: String

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "Who asks: an account, and beside it certificate:sha256:HEX, "
                + "serial:HEX@ISSUER-CN and network:ADDRESS; `none` shows no certificate.",
            valueName: "subject"))
    var subjects: [String]

    @Option(
        help: ArgumentHelp(
            "The structure the certificate names; an employee's own unless given.",
            valueName: "id"))
    var structure: String?

    @Option(help: ArgumentHelp("The listener asked; the first unless given.", valueName: "name"))
    var listener: String?

    @Option(help: "Whose certificate it is.")
    var holder = HolderWord.person

    @Option(
        help: ArgumentHelp("Requests already made within every window.", valueName: "count"))
    var after = 0

    @Flag(help: "As if no certificate were shown.")
    var noCertificate = false

    @Flag(help: "As if the subject were neutralized.")
    var neutralized = false

    @OptionGroup var gate: GateOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        _ = try Asker(subjects, structure: structure)
        guard path.hasPrefix("/") || path == "*" else {
            throw ValidationError("`\(printable(path))` is not a path (it begins with /)")
        }
        guard (0...1_000_000_000).contains(after) else {
            throw ValidationError("--after: out of range, at most 1000000000 is allowed")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let configuration = try loadConfiguration(at: gate.configuration.path)
        let index = try listenerIndex(configuration)
        guard var asker = try? Asker(subjects, structure: structure) else { return .refused }
        if noCertificate { asker.hideCertificate() }
        let verdict = try NeutralizationVerdict(
            asker, configuration, gate: gate, assumed: neutralized)
        let explanation = Explanation(
            Rulebook(configuration), asker, proof: proof(of: asker), method: method, path: path,
            listener: index, earlier: after, verdict)
        console.print(output.json ? json(explanation) : explanation.text)
        return .done
    }

    private func listenerIndex(_ configuration: Configuration) throws(Failure) -> Int {
        guard let listener else { return 0 }
        let names = configuration.listeners.map(\.name)
        guard let index = names.firstIndex(of: listener) else {
            throw Failure(
                "--listener: unknown listener `\(printable(listener))`",
                hint: "known: \(names.joined(separator: ", "))")
        }
        return index
    }

    private func proof(of asker: Asker) -> Proof {
        if noCertificate || asker.isNobody { return .none }
        switch holder {
        case .person: return .person
        case .organisation: return .organisation
        case .nonNominative: return .nonNominative
        case .nobody: return .nobody
        }
    }
}

/// Whose certificate is shown, in the words of the policy tests.
enum HolderWord: String, CaseIterable, ExpressibleByArgument {
    case person
    case organisation
    case nonNominative = "non-nominative"
    case nobody
}

/// Who asks, as the options name them.
struct Asker {
    /// `none` was said.
    let isNobody: Bool
    private(set) var account: ProfessionalID?
    private(set) var structure: StructureID?
    private(set) var certificate: CertificateFingerprint?
    private(set) var serial: CertificateSerial?
    let address: NetworkAddress?

    init(_ subjects: [String], structure: String?) throws {
        var account: ProfessionalID?
        var certificate: CertificateFingerprint?
        var serial: CertificateSerial?
        var address: NetworkAddress?
        isNobody = subjects.contains("none")
        guard !subjects.isEmpty, !isNobody || subjects.count == 1 else {
            throw ValidationError("--as: name a subject, or only `none`")
        }
        if !isNobody { try validateSubjects(subjects) }
        for text in isNobody ? [] : subjects {
            switch try Subject(text) {
            case .account(let id):
                guard account == nil else { throw ValidationError("--as: two accounts") }
                guard let professional = try? ProfessionalID(id.id) else {
                    throw ValidationError(
                        "--as: `\(id.id)` is not a professional's national identifier "
                            + "(such as 899700218896)")
                }
                account = professional
            case .certificate(let fingerprint):
                guard certificate == nil else { throw ValidationError("--as: two certificates") }
                certificate = fingerprint
            case .network(let network):
                guard address == nil else { throw ValidationError("--as: two networks") }
                guard let single = NetworkAddress(String(text.dropFirst("network:".count))) else {
                    throw ValidationError(
                        "--as: `\(network)` is more than one address (such as network:203.0.113.7)")
                }
                address = single
            case .structure(let code):
                throw ValidationError("--as: name the structure with `--structure \(code)`")
            case .serial(let number):
                guard serial == nil else { throw ValidationError("--as: two serial numbers") }
                serial = number
            }
        }
        self.account = account
        self.certificate = certificate
        self.serial = serial
        self.address = address
        guard let structure else {
            // As the gate does: whoever numbers an employee is the structure.
            self.structure = account?.employer
            return
        }
        guard let id = try? StructureID(structure) else {
            throw ValidationError(
                "--structure: `\(printable(structure))` is not a structure's national identifier")
        }
        self.structure = id
    }

    /// Forgets what only a certificate tells: the gate then knows no more than the address.
    mutating func hideCertificate() {
        account = nil
        structure = nil
        certificate = nil
        serial = nil
    }

    var accountID: AccountID? { account.flatMap { try? AccountID($0.description) } }

    var structureCode: StructureCode? {
        structure.flatMap { try? StructureCode($0.description) }
    }

    /// The subjects as the gate knows them.
    var subjects: [Subject] {
        var subjects: [Subject] = []
        if let accountID { subjects.append(.account(accountID)) }
        if let structureCode { subjects.append(.structure(structureCode)) }
        if let certificate { subjects.append(.certificate(certificate)) }
        if let serial { subjects.append(.serial(serial)) }
        if let address, let subject = try? Subject("network:\(address)") {
            subjects.append(subject)
        }
        return subjects
    }

    var description: String {
        subjects.isEmpty ? "none" : subjects.map(\.description).joined(separator: " ")
    }
}
