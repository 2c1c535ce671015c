// Explain.swift: herse explain: what would be decided of a request, and by which rule.

import ArgumentParser
import Foundation
import Gate
import Identity
import KeyedHash
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
              herse explain GET /fhir/Patient/1 --as 899700218896 --method token
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
                + "serial:HEX@ISSUER-CN, session:ID, token:JTI, client:ID and network:ADDRESS; "
                + "`none` shows nothing.",
            valueName: "subject"))
    var subjects: [String]

    @Option(
        name: .customLong("method"),
        help: ArgumentHelp(
            "How identity is proven; by certificate unless given.", valueName: "method"))
    var way: MethodWord?

    @Option(help: "What the proof is worth; what the configuration says unless given.")
    var level: LevelWord?

    @Option(
        name: [.long, .customLong("card-age")],
        help: ArgumentHelp(
            "How long ago identity was proven: the card shown, the sign-in done.",
            valueName: "duration"))
    var age: String?

    @Option(help: ArgumentHelp("The client a token was given to.", valueName: "id"))
    var client: String?

    @Option(
        help: ArgumentHelp(
            "The issuer of a token or provider of a session, by its name in the configuration.",
            valueName: "name"))
    var issuer: String?

    @Option(
        help: ArgumentHelp(
            "The machine that asks, by the CN of an organisation's certificate.", valueName: "cn"))
    var organisation: String?

    @Option(
        help: ArgumentHelp(
            "The structure the certificate names; an employee's own unless given.",
            valueName: "id"))
    var structure: String?

    @Option(help: ArgumentHelp("The listener asked; the first unless given.", valueName: "name"))
    var listener: String?

    @Option(help: "Whose certificate it is; a person's unless --organisation is given.")
    var holder: HolderWord?

    @Option(
        help: "What the professionals' directory says of them; asked of its files unless given.")
    var directory: DirectoryWord?

    @Option(
        help: ArgumentHelp(
            "What was used before within every window: a number of requests, or such as "
                + "requests=10,patients=60; lookups, disclosures and misses likewise.",
            valueName: "counts"))
    var after = "0"

    @Option(help: ArgumentHelp("The holder's title as on the card.", valueName: "text"))
    var title: String?

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
        _ = try asker()
        try validateProof()
        guard path.hasPrefix("/") || path == "*" else {
            throw ValidationError("`\(printable(path))` is not a path (it begins with /)")
        }
        _ = try used()
        if let age, secondsOfDuration(age) == nil {
            throw ValidationError("--age: `\(printable(age))` is not a duration (as 5m)")
        }
        guard (200...599).contains(answerStatus) else {
            throw ValidationError("--answer-status: is out of range, 200 to 599 are answers")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let configuration = try loadConfiguration(at: gate.configuration.path)
        let index = try listenerIndex(configuration)
        guard var asker = try? asker() else { return .refused }
        if noCertificate { asker.hideCertificate(isProof: proofMethod == .certificate) }
        let record = DirectoryRecord(
            asker.account?.description, configuration, assumed: directory?.standing)
        asker.resolve(record)
        let verdict = try NeutralizationVerdict(
            asker, configuration, gate: gate, assumed: neutralized)
        var inquiry = try inquiry(of: asker, listener: index)
        let weighed = try weigh(asker, configuration, record.standing)
        inquiry.evidence = weighed.evidence
        let explanation = Explanation(
            Rulebook(configuration), inquiry, asker,
            key: SipKey(low: .random(in: .min ... .max), high: .random(in: .min ... .max)), verdict,
            whyUnproven: weighed.why, note: record.note)
        console.print(output.json ? json(explanation) : explanation.text)
        return .done
    }

    private func inquiry(of asker: Asker, listener: Int) throws(Failure) -> Inquiry {
        var inquiry = Inquiry(
            method: method, target: path, proof: proof(of: asker),
            professional: asker.account?.description ?? "")
        inquiry.organisation = Array((organisation ?? "").utf8)
        inquiry.listener = listener
        inquiry.holder = LimitedHolder(
            titles: title.map { [$0] } ?? [],
            structure: Array((asker.structure?.description ?? "").utf8),
            cardAge: .seconds(ageSeconds))
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

    private var ageSeconds: Int { age.flatMap { secondsOfDuration($0) } ?? 0 }

    private func asker() throws -> Asker {
        try Asker(subjects + (client.map { ["client:\($0)"] } ?? []), structure: structure)
    }

    /// How identity is proven: as said, else by certificate.
    private var proofMethod: ProofMethod { way?.method ?? .certificate }

    private func validateProof() throws {
        let isCard = way == nil || way == .certificate
        if subjects.contains("none"), way != nil, !isCard {
            throw ValidationError("--method: `none` shows nothing")
        }
        if !isCard, organisation != nil || holder != nil {
            throw ValidationError(
                "--method: `--organisation` and `--holder` go with a certificate only")
        }
        if organisation != nil, let holder, holder != .organisation {
            throw ValidationError("--organisation: goes with `--holder organisation` only")
        }
        if issuer != nil, way != .token, way != .session {
            throw ValidationError("--issuer: goes with `--method token` or `session` only")
        }
        if client != nil, way != .token {
            throw ValidationError("--client: goes with `--method token` only")
        }
    }

    private func proof(of asker: Asker) -> Proof {
        let isCard = proofMethod == .certificate
        if isCard && noCertificate || asker.isNobody && organisation == nil { return .none }
        switch holder ?? (organisation == nil ? .person : .organisation) {
        case .person: return .person
        case .organisation: return .organisation
        case .nonNominative: return .nonNominative
        case .nobody: return .nobody
        }
    }

    private func weigh(
        _ asker: Asker, _ configuration: Configuration, _ standing: Standing
    ) throws(Failure) -> Weighed {
        let shown = ShownProof(
            proof(of: asker), by: proofMethod, issuer: issuer, client: client,
            level: level?.level, ageSeconds: UInt32(clamping: ageSeconds), standing: standing)
        do {
            return try configuration.authentication.weigh(shown)
        } catch {
            throw Failure("--issuer: \(error.message)", hint: error.hint)
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

/// A way to prove who one is, in the words of `require`.
enum MethodWord: String, CaseIterable, ExpressibleByArgument {
    case certificate
    case token
    case session
    case pamTOTP = "pam+totp"
    case pamWebAuthn = "pam+webauthn"

    var method: ProofMethod {
        switch self {
        case .certificate: .certificate
        case .token: .token
        case .session: .session
        case .pamTOTP: .pamTOTP
        case .pamWebAuthn: .pamWebAuthn
        }
    }
}

/// What a proof is worth.
enum LevelWord: String, CaseIterable, ExpressibleByArgument {
    case low
    case substantial
    case high

    var level: AssuranceLevel {
        switch self {
        case .low: .low
        case .substantial: .substantial
        case .high: .high
        }
    }
}

/// What the directory says of somebody.
enum DirectoryWord: String, CaseIterable, ExpressibleByArgument {
    case known
    case unknown
    case left

    var standing: Standing {
        switch self {
        case .known: .known
        case .unknown: .unknown
        case .left: .left
        }
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
