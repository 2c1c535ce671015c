// SubjectIdentifier.swift: whom an event is about, RFC 9493 and SSF 1.0 §3.

internal import JSON

/// Whom or what an event names.
package indirect enum SubjectIdentifier: Equatable, Sendable {
    /// `acct:USER@HOST`.
    case account(String)
    case email(String)
    case issuerSubject(issuer: String, subject: String)
    case opaque(String)
    case phone(String)
    case did(String)
    case uri(String)
    /// Several names of one.
    case aliases([SubjectIdentifier])
    /// Parts that together name one: `user`, `session`, `device`…
    case complex([Part])

    /// One member of a complex subject.
    package struct Part: Equatable, Sendable {
        package let name: String
        package let subject: SubjectIdentifier
    }

    /// Names of one subject, and parts of a complex one.
    static let aliasesMax = 16
    static let partsMax = 16
    /// Bytes of a name.
    static let bytesMax = 1024

    init(_ value: JSONValue) throws(DeliveryError) {
        guard value.members != nil, let format = value["format"]?.text else {
            throw Self.malformed
        }
        switch format {
        case "aliases": self = .aliases(try Self.aliases(value))
        case "complex": self = .complex(try Self.parts(value))
        default: self = try Self.simple(format, value)
        }
    }

    private static let malformed = DeliveryError(
        .invalidRequest, "`sub_id` is no subject identifier of RFC 9493")

    private static func simple(
        _ format: String, _ value: JSONValue
    ) throws(DeliveryError) -> SubjectIdentifier {
        func text(_ name: String) throws(DeliveryError) -> String {
            guard let text = value[name]?.text, isPlain(text) else { throw malformed }
            return text
        }
        switch format {
        case "account": return .account(try text("uri"))
        case "email": return .email(try text("email"))
        case "iss_sub":
            return .issuerSubject(issuer: try text("iss"), subject: try text("sub"))
        case "opaque": return .opaque(try text("id"))
        case "phone_number": return .phone(try text("phone_number"))
        case "did": return .did(try text("url"))
        case "uri": return .uri(try text("uri"))
        default:
            throw DeliveryError(.invalidRequest, "`sub_id` has a format that is not known here")
        }
    }

    private static func aliases(_ value: JSONValue) throws(DeliveryError) -> [SubjectIdentifier] {
        guard let items = value["identifiers"]?.items, (1...aliasesMax).contains(items.count) else {
            throw malformed
        }
        var found: [SubjectIdentifier] = []
        for item in items {
            // RFC 9493 §3.2.8: none within one another.
            guard let format = item["format"]?.text else { throw malformed }
            found.append(try simple(format, item))
        }
        return found
    }

    private static func parts(_ value: JSONValue) throws(DeliveryError) -> [Part] {
        let members = (value.members?.members ?? []).filter { $0.key != "format" }
        guard (1...partsMax).contains(members.count) else { throw malformed }
        var found: [Part] = []
        for member in members {
            guard isPlain(member.key), let format = member.value["format"]?.text else {
                throw malformed
            }
            found.append(Part(name: member.key, subject: try simple(format, member.value)))
        }
        return found
    }

    private static func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= bytesMax
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// A part of a complex subject; of a simple one, itself for `user`.
    package func part(_ name: String) -> SubjectIdentifier? {
        if case .complex(let parts) = self { return parts.first { $0.name == name }?.subject }
        return name == "user" ? self : nil
    }
}
