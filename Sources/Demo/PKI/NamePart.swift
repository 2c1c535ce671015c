// NamePart.swift: the subject of a throw-away certificate, one relative name after the other.

import COpenSSL

/// One attribute of a subject.
package struct NamePart: Equatable, Sendable {
    package let name: String
    package let value: String

    /// `name` is a short name OpenSSL knows, such as `CN`, or a dotted object identifier.
    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// Fills `subject`, each inner list being one relative name, of several attributes on a card.
func fill(_ subject: OpaquePointer, with relativeNames: [[NamePart]]) throws(PKIError) {
    for parts in relativeNames {
        var isFirst = true
        for part in parts {
            let type = part.name == "C" ? V_ASN1_PRINTABLESTRING : V_ASN1_UTF8STRING
            let bytes = Array(part.value.utf8)
            // Safe because OpenSSL copies the bytes it is given the count of; -1 appends, and the
            // last argument says whether to begin a relative name (0) or join the last (-1).
            let answer = unsafe X509_NAME_add_entry_by_txt(
                subject, part.name, type, bytes, Int32(clamping: bytes.count), -1, isFirst ? 0 : -1)
            try expect(answer, "write the attribute `\(part.name)`")
            isFirst = false
        }
    }
}
