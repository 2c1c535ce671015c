// DirectoryString.swift: the text of an attribute's value, RFC 5280 §4.1.2.4.

import SwiftASN1

/// The text of a value, or nil for a type that holds no text.
///
/// Each encoding is read strictly, so that two programs cannot read two names in one certificate.
/// TeletexString is read as Latin-1, which is what the authorities that still use it write.
func directoryString(_ node: ASN1Node) throws(CertificateSubjectError) -> String? {
    guard case .primitive(let bytes) = node.content else {
        if isText(node.identifier) { throw .badValue }
        return nil
    }
    switch node.identifier {
    case .utf8String:
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .badValue }
        return text
    case .printableString, .ia5String, .numericString, .visibleString:
        guard bytes.allSatisfy({ $0 < 0x80 }) else { throw .badValue }
        return String(decoding: bytes, as: UTF8.self)
    case .teletexString:
        return String(String.UnicodeScalarView(bytes.map { Unicode.Scalar($0) }))
    case .bmpString:
        guard bytes.count % 2 == 0 else { throw .badValue }
        let units = bigEndian(bytes, width: 2).map { UInt16(truncatingIfNeeded: $0) }
        guard let text = String(validating: units, as: UTF16.self) else { throw .badValue }
        return text
    case .universalString:
        guard bytes.count % 4 == 0 else { throw .badValue }
        guard let text = String(validating: bigEndian(bytes, width: 4), as: UTF32.self) else {
            throw .badValue
        }
        return text
    default:
        return nil
    }
}

private func isText(_ identifier: ASN1Identifier) -> Bool {
    switch identifier {
    case .utf8String, .printableString, .ia5String, .numericString, .visibleString,
        .teletexString, .bmpString, .universalString:
        true
    default: false
    }
}

/// Numbers of `width` bytes, at most 4, highest byte first.
private func bigEndian(_ bytes: ArraySlice<UInt8>, width: Int) -> [UInt32] {
    var numbers: [UInt32] = []
    numbers.reserveCapacity(bytes.count / width)
    var number: UInt32 = 0
    for (index, byte) in bytes.enumerated() {
        number = number << 8 | UInt32(byte)
        if index % width == width - 1 {
            numbers.append(number)
            number = 0
        }
    }
    return numbers
}
