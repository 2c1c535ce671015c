// CertificateSubject.swift: the subject of a certificate, read from its DER, X.501 §9.2.
//
// Never from the one-line text: a professional's CN, SN and GN share one multi-valued RDN in any
// order, and a CN may hold the "/" and "+" that such text uses as separators.

import SwiftASN1

/// The attributes of a distinguished name, in the order they were encoded.
package struct CertificateSubject: Equatable, Sendable {
    /// One attribute, and which of the relative names it was in, from 0.
    package struct Attribute: Equatable, Sendable {
        package let name: AttributeName
        /// Nil when the value's type holds no text.
        package let value: String?
        package let relativeName: Int
    }

    package let attributes: [Attribute]

    /// Bytes an encoded name may take; a card's takes about 150.
    package static let lengthMax = 16 * 1024
    /// Attributes a name may hold; a card's holds 5 to 8.
    package static let attributesMax = 64

    package init(der: Span<UInt8>) throws(CertificateSubjectError) {
        guard der.count <= Self.lengthMax else { throw .tooLong(length: der.count) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(der.count)
        for index in der.indices { bytes.append(der[index]) }
        guard let name = try? DER.parse(bytes) else { throw .notDER }
        attributes = try Self.attributes(of: name)
    }

    package var isEmpty: Bool { attributes.isEmpty }

    /// Whether any attribute has this name, text or not.
    package func has(_ name: AttributeName) -> Bool {
        attributes.contains { $0.name == name }
    }

    /// The texts under this name, in order.
    package func values(of name: AttributeName) -> [String] {
        attributes.compactMap { $0.name == name ? $0.value : nil }
    }

    /// The one text under this name; two of them are a riddle, and a riddle is refused.
    package func value(of name: AttributeName) throws(CertificateSubjectError) -> String? {
        let found = attributes.filter { $0.name == name }
        guard found.count <= 1 else { throw .repeated(name) }
        guard let only = found.first else { return nil }
        guard let value = only.value else { throw .badValue }
        return value
    }

    private static func attributes(
        of name: ASN1Node
    ) throws(CertificateSubjectError) -> [Attribute] {
        var attributes: [Attribute] = []
        var relativeName = 0
        for set in try children(of: name, .sequence) {
            var isEmpty = true
            for pair in try children(of: set, .set) {
                guard attributes.count < attributesMax else { throw .tooManyAttributes }
                attributes.append(try attribute(pair, in: relativeName))
                isEmpty = false
            }
            // X.501: a relative name has at least one attribute.
            guard !isEmpty else { throw .notAName }
            relativeName += 1
        }
        return attributes
    }

    private static func attribute(
        _ pair: ASN1Node, in relativeName: Int
    ) throws(CertificateSubjectError) -> Attribute {
        var parts = try children(of: pair, .sequence).makeIterator()
        guard let type = parts.next(), let value = parts.next(), parts.next() == nil else {
            throw .notAName
        }
        guard let identifier = try? ASN1ObjectIdentifier(derEncoded: type) else { throw .notAName }
        return Attribute(
            name: AttributeName(identifier), value: try directoryString(value),
            relativeName: relativeName)
    }

    private static func children(
        of node: ASN1Node, _ identifier: ASN1Identifier
    ) throws(CertificateSubjectError) -> ASN1NodeCollection {
        guard node.identifier == identifier, case .constructed(let nodes) = node.content else {
            throw .notAName
        }
        return nodes
    }
}

/// Why a certificate's subject cannot be read without guessing; holds none of its text.
package enum CertificateSubjectError: Error, Equatable {
    case tooLong(length: Int)
    case notDER
    case notAName
    case tooManyAttributes
    case badValue
    case repeated(AttributeName)
}
