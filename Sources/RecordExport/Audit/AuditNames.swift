// AuditNames.swift: people, places and patients as audit trails name them.

internal import Foundation
internal import RecordReading

/// A name within a system of names.
struct AuditName: Equatable, Sendable {
    /// A URI; empty when nobody knows it.
    var system: String
    var value: String

    /// ANS, idNat_PS: the national identifier of a professional, with its prefix.
    static let professionals = "urn:oid:1.2.250.1.71.4.2.1"
    /// ANS, Struct_IdNat: the national identifier of a structure, with its prefix.
    static let structures = "urn:oid:1.2.250.1.71.4.2.2"
    /// The record's own: a keyed hash, by which this gate alone knows a patient.
    static let patientKeys = "urn:herse:patient-key"

    init(system: String, value: String) {
        self.system = system
        self.value = value
    }

    /// Reads `system|value` as the record has it; an OID becomes a URI.
    init(recorded text: String) {
        guard let bar = text.firstIndex(of: "|") else {
            self.init(system: "", value: text)
            return
        }
        let system = String(text[..<bar])
        let isObjectIdentifier =
            !system.isEmpty && system.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == 0x2E }
        self.init(
            system: isObjectIdentifier ? "urn:oid:" + system : system,
            value: String(text[text.index(after: bar)...]))
    }

    /// The best that is known of a patient.
    init(_ person: RecordedPerson) {
        if let best = person.identifiers.first {
            self.init(recorded: best)
        } else {
            self.init(system: Self.patientKeys, value: spelled(person.key))
        }
    }

    /// HL7 v2's CX, as IHE has it in audit messages: `value^^^&system&ISO`.
    var cx: String {
        if system.isEmpty { return value }
        let oid = "urn:oid:"
        guard system.hasPrefix(oid) else { return "\(value)^^^&\(system)&URI" }
        return "\(value)^^^&\(system.dropFirst(oid.count))&ISO"
    }
}

/// The gate, as the source of what it tells.
package struct AuditSource: Equatable, Sendable {
    /// Its name: the record's, such as `herse.example.org/record`, unless the operator says
    /// otherwise.
    package var site: String

    package init(site: String) { self.site = site.isEmpty ? "herse" : site }

    /// The machine in that name.
    var host: String { String(site.prefix { $0 != "/" }) }
}

/// The address of a client without its port.
func address(ofPeer peer: String) -> String {
    guard let colon = peer.lastIndex(of: ":") else { return peer }
    let address = peer[..<colon]
    guard address.hasPrefix("[") else { return String(address) }
    return String(address.dropFirst().prefix { $0 != "]" })
}

/// What stands where a query is demanded: the gate keeps none, since patients' names are in them.
func queryWords(_ entry: borrowing RecordedEntry) -> String {
    var words = entry.action
    if !entry.interaction.isEmpty { words += " " + entry.interaction }
    if !entry.route.isEmpty { words += " on route " + entry.route }
    return words + " (the query itself is not kept)"
}

/// Base64 with padding, RFC 4648 §4.
func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
