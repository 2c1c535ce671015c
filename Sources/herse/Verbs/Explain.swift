// Explain.swift: herse explain: what would be decided of a request, and by which rule.

import ArgumentParser
import Foundation
import Gate
import Identity
import KeyedHash
import Neutralization
import Policy

struct ExplainCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Say what would be decided of a request, and by which rule.",
        discussion: """
            Goes through a request in the gate's order (neutralization, route, identity, what is \
            asked, limits, and whom the answer given with --answer discloses) with the \
            configuration and the neutralization list as they stand on disk, and names the file \
            and line that decide. Orders of the running gate count too when it can be reached; \
            what a professional has used of the limits is told with --after. Patients are shown \
            as hashes under a key made for the run. Exits 0 whatever the decision.

            Examples:
              herse explain GET '/fhir/Patient?family=MARTIN' --as 899700218896
              herse explain GET /fhir/Patient/1 --as 899700218896 --after patients=60
              herse explain POST /pdq --as 899700218896 --body q.xml --answer a.xml
            """)

    @Argument(help: "Method, such as GET.")
    var method: String

    @Argument(help: "Path and query, as they would be sent.")
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
        help: ArgumentHelp(
            "What was used before within every window: a number of requests, or such as "
                + "requests=10,patients=60; lookups, disclosures and misses likewise.",
            valueName: "counts"))
    var after = "0"

    @Option(help: ArgumentHelp("The holder's title as on the card.", valueName: "text"))
    var title: String?

    @Option(help: ArgumentHelp("How long ago the card was shown.", valueName: "duration"))
    var cardAge: String?

    @Option(help: ArgumentHelp("The request's body.", valueName: "file"), completion: .file())
    var body: String?

    @Option(help: ArgumentHelp("Its media type.", valueName: "type"))
    var contentType: String?

    @Option(
        help: ArgumentHelp("What the identity server would answer.", valueName: "file"),
        completion: .file())
    var answer: String?

    @Option(help: ArgumentHelp("Status of that answer.", valueName: "number"))
    var answerStatus = 200

    @Option(help: ArgumentHelp("Media type of that answer.", valueName: "type"))
    var answerType: String?

    @Flag(help: "As if the route's break-glass header gave a reason.")
    var breakGlass = false

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
        _ = try used()
        if let cardAge, secondsOfDuration(cardAge) == nil {
            throw ValidationError("--card-age: `\(printable(cardAge))` is not a duration (as 5m)")
        }
        guard (200...599).contains(answerStatus) else {
            throw ValidationError("--answer-status: is out of range, 200 to 599 are answers")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let configuration = try loadConfiguration(at: gate.configuration.path)
        let index = try listenerIndex(configuration)
        guard var asker = try? Asker(subjects, structure: structure) else { return .refused }
        if noCertificate { asker.hideCertificate() }
        let verdict = try NeutralizationVerdict(
            asker, configuration, gate: gate, assumed: neutralized)
        let inquiry = try inquiry(of: asker, listener: index)
        let explanation = Explanation(
            Rulebook(configuration), inquiry, asker,
            key: SipKey(low: .random(in: .min ... .max), high: .random(in: .min ... .max)), verdict)
        console.print(output.json ? json(explanation) : explanation.text)
        return .done
    }

    private func inquiry(of asker: Asker, listener: Int) throws(Failure) -> Inquiry {
        var inquiry = Inquiry(
            method: method, target: path, proof: proof(of: asker),
            professional: asker.account?.description ?? "")
        inquiry.listener = listener
        inquiry.holder = LimitedHolder(
            titles: title.map { [$0] } ?? [],
            structure: Array((asker.structure?.description ?? "").utf8),
            cardAge: .seconds(cardAge.flatMap { secondsOfDuration($0) } ?? 0))
        inquiry.used = (try? used()) ?? Usage()
        inquiry.breaksGlass = breakGlass
        if let body { inquiry.body = try contents(of: body) }
        inquiry.contentType = contentType ?? ""
        if let answer {
            inquiry.answer = SampleAnswer(
                status: answerStatus, contentType: answerType ?? mediaType(of: answer),
                body: try contents(of: answer))
        }
        return inquiry
    }

    /// `600`, or `requests=10,patients=60`.
    private func used() throws -> Usage {
        var used = Usage()
        for part in after.split(separator: ",", omittingEmptySubsequences: false) {
            let pair = part.split(separator: "=", omittingEmptySubsequences: false)
            let isPlain = pair.count == 1 && part == after
            guard pair.count == 2 || isPlain, let number = pair.last.flatMap({ Int($0) }),
                (0...1_000_000_000).contains(number)
            else {
                throw ValidationError(
                    "--after: `\(printable(String(part)))` is not a count of at most 1000000000 "
                        + "(such as 600, or patients=60)")
            }
            switch isPlain ? CountWord.requests : CountWord(rawValue: String(pair[0])) {
            case .requests: used.requests = number
            case .lookups: used.lookups = number
            case .patients: used.patients = number
            case .disclosures: used.disclosures = number
            case .misses: used.misses = number
            case nil:
                throw ValidationError(
                    "--after: unknown count `\(printable(String(pair[0])))` (known: "
                        + "\(CountWord.allCases.map(\.rawValue).joined(separator: ", ")))")
            }
        }
        return used
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
            case .session, .token, .client:
                throw ValidationError(
                    "--as: `\(printable(text))` proves nothing by itself: name its account")
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

/// Bytes of a request or an answer that is explained, 256 MiB as in `answer_max`.
private let contentsMax = 256 << 20

private func contents(of path: String) throws(Failure) -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path) else {
        throw Failure("\(path): cannot be read")
    }
    defer { try? file.close() }
    guard let data = try? file.read(upToCount: contentsMax + 1) ?? Data() else {
        throw Failure("\(path): cannot be read")
    }
    guard data.count <= contentsMax else {
        throw Failure("\(path): has more than \(contentsMax >> 20) MiB")
    }
    return Array(data)
}

/// What a file most likely holds, by the end of its name.
private func mediaType(of path: String) -> String {
    path.hasSuffix(".xml") ? "application/xml" : "application/fhir+json"
}
