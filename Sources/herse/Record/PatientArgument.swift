// PatientArgument.swift: a patient as an operator names him, and as the record knows him.

import Foundation
import Limits
import Lookup
import Policy
import RecordIndex

/// How a patient is named: `SYSTEM|VALUE`, a matricule INS, `Patient/ID`, or `patient:HEX`.
enum PatientArgument: Equatable {
    case identifier(system: String, value: String)
    /// Of 13 characters, or 15 with its key digits.
    case ins(String)
    /// The id of a resource on its server.
    case local(type: String, id: String)
    /// The gate's keyed hash, as unsealed records have it.
    case hash(UInt64)

    /// Nil when it is none of them.
    init?(_ text: String) {
        if text.hasPrefix("patient:") {
            let digits = text.dropFirst(8)
            guard digits.utf8.count == 16, digits.utf8.allSatisfy(isHexadecimal),
                let hash = UInt64(digits, radix: 16)
            else { return nil }
            self = .hash(hash)
        } else if let bar = text.firstIndex(of: "|") {
            let value = text[text.index(after: bar)...]
            guard !value.allSatisfy(\.isWhitespace) else { return nil }
            self = .identifier(system: String(text[..<bar]), value: String(value))
        } else if isINS(text.filter { $0 != " " }) {
            self = .ins(text.filter { $0 != " " }.uppercased())
        } else if let slash = text.firstIndex(of: "/"), text[..<slash].allSatisfy(\.isLetter) {
            let id = text[text.index(after: slash)...]
            guard slash > text.startIndex, !id.isEmpty, !id.contains("/") else { return nil }
            self = .local(type: String(text[..<slash]), id: String(id))
        } else {
            return nil
        }
    }

    static let help =
        "is no patient: write SYSTEM|VALUE, a matricule INS, Patient/ID or patient:HEX"

    /// OIDs of the INS, which one it is being in no way told by its digits.
    private static let insSystems = ["8", "9", "10", "11", "2"].map { "1.2.250.1.213.1.4." + $0 }

    /// As entries may name the patient themselves.
    private var identifiers: [String] {
        switch self {
        case .identifier(let system, let value): [system + "|" + value]
        case .ins(let matricule): [Self.insSystems[0] + "|" + matricule]
        case .local(let type, let id): [type + "/" + id]
        case .hash: []
        }
    }

    /// The keys under which a gate knows the patient, with this secret and these servers.
    func keys(_ hasher: PersonHasher) -> [UInt64] {
        func key(_ system: String, _ value: String) -> UInt64? {
            let (system, value) = (Array(system.utf8), Array(value.utf8))
            return hasher.identifier(system: system.span, value: value.span)?.hash
        }
        switch self {
        case .identifier(let system, let value): return [key(system, value)].compactMap(\.self)
        case .ins(let matricule):
            // A server's canonical identifier is compared whole, key digits and all.
            let whole = Array(matricule.prefix(13)) + insKey(matricule.prefix(13))
            return Self.insSystems.flatMap { system in
                [key(system, matricule), key(system, String(whole))].compactMap(\.self)
            }
        case .local(let type, let id):
            let (type, id) = (Array(type.utf8), Array(id.utf8))
            return [hasher.local(type: type.span, id: id.span)].compactMap { $0?.hash }
        case .hash(let hash): return [hash]
        }
    }

    /// What makes a mistake likely; nobody found is then no answer.
    private var doubt: String? {
        switch self {
        case .ins(let matricule) where matricule.utf8.count == 15:
            let key = insKey(matricule.prefix(13))
            guard !key.isEmpty, !matricule.hasSuffix(key) else { return nil }
            return "warning: the key digits do not fit this matricule INS (\(key) would): is a "
                + "digit wrong?"
        case .local(let type, _) where type.first?.isUppercase != true:
            return "warning: types of resources begin with a capital letter, as in Patient/123"
        default: return nil
        }
    }

    /// The patient as the record of this configuration's gate may know him, and what an operator
    /// should know of it.
    func names(_ configuration: String) throws(Failure) -> (names: PatientNames, note: String?) {
        var names = PatientNames(identifiers: identifiers)
        if case .hash(let hash) = self { names.keys = [hash] }
        let loaded = ConfigurationLoader(filesMustExist: false).load(path: configuration)
        let servers = loaded.configuration?.identityServers ?? []
        let state = loaded.configuration?.state ?? stateFolder(of: configuration)
        do throws(LimitTableError) {
            let file = try PersonsFile(stateFolder: state)
            var hashers = servers.map {
                PersonHasher(key: file.key, server: $0.name, canonicalSystem: $0.canonicalSystem)
            }
            if hashers.isEmpty { hashers = [PersonHasher(key: file.key, server: "")] }
            names.keys.formUnion(hashers.flatMap(keys))
            names.keys = try file.namesakes(of: names.keys)
            return (names, doubt)
        } catch {
            guard !names.identifiers.isEmpty else { return (names, doubt) }
            let words =
                "the patient is looked for in sealed entries alone: without the gate's state "
                + "nobody can tell its keyed hash (\(error.message))"
            return (names, [doubt, words].compactMap(\.self).joined(separator: "\n"))
        }
    }
}

private func isHexadecimal(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte | 0x20)
}

/// Whether a text is a matricule INS: 13 digits, or 15, the sixth and seventh of which may be the
/// department 2A or 2B.
private func isINS(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard bytes.count == 13 || bytes.count == 15 else { return false }
    return bytes.enumerated().allSatisfy { index, byte in
        (0x30...0x39).contains(byte) || (index == 6 && (byte | 0x20 == 0x61 || byte | 0x20 == 0x62))
    }
}

/// The two key digits of a matricule of 13 characters: 97 less the rest of its division by 97, with
/// 2A and 2B counting as 19 and 18.
private func insKey(_ matricule: Substring) -> String {
    let digits = matricule.uppercased()
    let counted = digits.replacing("A", with: "0").replacing("B", with: "0")
    guard var number = Int(counted) else { return "" }
    if digits.contains("A") { number -= 1_000_000 }
    if digits.contains("B") { number -= 2_000_000 }
    let key = 97 - number % 97
    return key < 10 ? "0\(key)" : String(key)
}
