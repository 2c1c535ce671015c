// AttributeName.swift: which attribute of a distinguished name is meant.

import SwiftASN1

/// The type of an attribute, X.520 and RFC 4519, by its object identifier.
package struct AttributeName: Hashable, Sendable, CustomStringConvertible {
    /// Compared by encoded bytes; its dotted text is right for every arc below 2.40.
    private let identifier: ASN1ObjectIdentifier

    init(_ identifier: ASN1ObjectIdentifier) { self.identifier = identifier }

    package static let commonName = AttributeName([2, 5, 4, 3])
    package static let surname = AttributeName([2, 5, 4, 4])
    package static let serialNumber = AttributeName([2, 5, 4, 5])
    package static let country = AttributeName([2, 5, 4, 6])
    package static let locality = AttributeName([2, 5, 4, 7])
    package static let state = AttributeName([2, 5, 4, 8])
    package static let organisation = AttributeName([2, 5, 4, 10])
    package static let organisationalUnit = AttributeName([2, 5, 4, 11])
    package static let title = AttributeName([2, 5, 4, 12])
    package static let givenName = AttributeName([2, 5, 4, 42])
    package static let pseudonym = AttributeName([2, 5, 4, 65])
    package static let organisationIdentifier = AttributeName([2, 5, 4, 97])
    package static let userID = AttributeName([0, 9, 2342, 19_200_300, 100, 1, 1])

    private static let known: [(name: AttributeName, words: [String])] = [
        (.commonName, ["CN", "commonName"]), (.surname, ["SN", "surname"]),
        (.serialNumber, ["serialNumber"]), (.country, ["C", "countryName"]),
        (.locality, ["L", "localityName"]), (.state, ["ST", "stateOrProvinceName"]),
        (.organisation, ["O", "organizationName"]),
        (.organisationalUnit, ["OU", "organizationalUnitName"]), (.title, ["title"]),
        (.givenName, ["GN", "givenName"]), (.pseudonym, ["pseudonym"]),
        (.organisationIdentifier, ["organizationIdentifier"]), (.userID, ["UID", "userId"]),
    ]

    /// Words a configuration may use, for a "did you mean".
    package static var words: [String] { known.compactMap(\.words.first) }

    /// Reads a word such as `CN` in any case, or a dotted object identifier; nil for neither.
    package init?(_ text: String) {
        let wanted = text.lowercased()
        for (name, words) in Self.known where words.contains(where: { $0.lowercased() == wanted }) {
            self = name
            return
        }
        guard let arcs = Self.arcs(text), let parsed = try? ASN1ObjectIdentifier(elements: arcs)
        else { return nil }
        identifier = parsed
    }

    package var description: String {
        Self.known.first { $0.name == self }?.words.first ?? identifier.description
    }

    /// The numbers of a dotted identifier: 2 to 32 of them, bounded so that encoding cannot
    /// overflow.
    private static func arcs(_ text: String) -> [UInt]? {
        guard text.utf8.count <= 256 else { return nil }
        let arcs = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map { part in part.allSatisfy(isDigit) ? UInt(Substring(part)) : nil }
        let numbers = arcs.compactMap(\.self)
        guard numbers.count == arcs.count, (2...32).contains(numbers.count),
            numbers[0] <= 2, numbers[1] < 40, numbers.allSatisfy({ $0 <= UInt(UInt32.max) })
        else { return nil }
        return numbers
    }
}
