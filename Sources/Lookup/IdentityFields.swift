// IdentityFields.swift: which traits of a person an answer exposes.

/// Fields of an identity, as a breach notice names them.
package struct IdentityFields: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let name = IdentityFields(rawValue: 1 << 0)
    package static let birthDate = IdentityFields(rawValue: 1 << 1)
    package static let gender = IdentityFields(rawValue: 1 << 2)
    package static let phone = IdentityFields(rawValue: 1 << 3)
    package static let mail = IdentityFields(rawValue: 1 << 4)
    package static let address = IdentityFields(rawValue: 1 << 5)
    /// The national health identity number: INS-NIR, INS-NIA.
    package static let ins = IdentityFields(rawValue: 1 << 6)
    /// An identifier of a domain or a server.
    package static let identifier = IdentityFields(rawValue: 1 << 7)
    package static let photo = IdentityFields(rawValue: 1 << 8)
    /// Text written for people, which may hold anything.
    package static let narrative = IdentityFields(rawValue: 1 << 9)
    /// A mother's maiden name, a contact, a related person.
    package static let relatives = IdentityFields(rawValue: 1 << 10)
    package static let birthPlace = IdentityFields(rawValue: 1 << 11)

    /// Names in the record and in messages, by bit.
    package static let names: [StaticString] = [
        "name", "birth-date", "gender", "phone", "mail", "address", "ins", "identifier", "photo",
        "narrative", "relatives", "birth-place",
    ]
}
