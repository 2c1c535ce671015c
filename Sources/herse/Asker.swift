// Asker.swift: who asks what is explained, by all that can be neutralized.

import ArgumentParser
import Directory
import Identity
import Neutralization

/// Who asks, as the options name them.
struct Asker {
    /// `none` was said.
    let isNobody: Bool
    private(set) var account: ProfessionalID?
    private(set) var structure: StructureID?
    private(set) var certificate: CertificateFingerprint?
    private(set) var serial: CertificateSerial?
    private(set) var session: OpaqueName?
    private(set) var token: OpaqueName?
    private(set) var client: OpaqueName?
    let address: NetworkAddress?
    /// The other accounts of the same person, as far as the directory knows.
    private(set) var aliases: [ProfessionalID] = []

    init(_ subjects: [String], structure: String?) throws {
        var account: ProfessionalID?
        var certificate: CertificateFingerprint?
        var serial: CertificateSerial?
        var (session, token, client): (OpaqueName?, OpaqueName?, OpaqueName?)
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
            case .session(let id):
                guard session == nil else { throw ValidationError("--as: two sessions") }
                session = id
            case .token(let id):
                guard token == nil else { throw ValidationError("--as: two tokens") }
                token = id
            case .client(let id):
                guard client == nil else { throw ValidationError("--as: two clients") }
                client = id
            case .hashedAccount, .issuedBefore:
                throw ValidationError("--as: `\(printable(text))` is nobody who could ask")
            }
        }
        self.account = account
        self.certificate = certificate
        self.serial = serial
        self.session = session
        self.token = token
        self.client = client
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

    /// Forgets what only a certificate tells; where it was the proof, the gate then knows no more
    /// than the address.
    mutating func hideCertificate(isProof: Bool) {
        certificate = nil
        serial = nil
        guard isProof else { return }
        account = nil
        structure = nil
    }

    /// Takes the account under which the directory counts, and the others beside it.
    mutating func resolve(_ record: DirectoryRecord) {
        guard let person = record.person, let id = try? ProfessionalID(person.id) else { return }
        aliases = ([account?.description].compactMap(\.self) + person.aliases)
            .filter { $0 != id.description }
            .reduce(into: []) { found, text in
                guard let alias = try? ProfessionalID(text), !found.contains(alias) else { return }
                found.append(alias)
            }
        account = id
    }

    var accountID: AccountID? { account.flatMap { try? AccountID($0.description) } }

    var structureCode: StructureCode? {
        structure.flatMap { try? StructureCode($0.description) }
    }

    var aliasIDs: [AccountID] { aliases.compactMap { try? AccountID($0.description) } }

    /// The subjects as the gate knows them.
    var subjects: [Subject] {
        var subjects: [Subject] = []
        if let accountID { subjects.append(.account(accountID)) }
        subjects += aliasIDs.map { .account($0) }
        if let structureCode { subjects.append(.structure(structureCode)) }
        if let certificate { subjects.append(.certificate(certificate)) }
        if let serial { subjects.append(.serial(serial)) }
        if let session { subjects.append(.session(session)) }
        if let token { subjects.append(.token(token)) }
        if let client { subjects.append(.client(client)) }
        if let address, let subject = try? Subject("network:\(address)") {
            subjects.append(subject)
        }
        return subjects
    }

    var description: String {
        subjects.isEmpty ? "none" : subjects.map(\.description).joined(separator: " ")
    }
}
