// LookupMethod.swift: the method of a request, as far as it says what is asked.

/// Methods that FHIR gives a meaning.
package enum LookupMethod: Sendable {
    case get
    case head
    case post
    case put
    case patch
    case delete
    case other

    private static let names = WordTable<LookupMethod>([
        (.get, "GET"), (.head, "HEAD"), (.post, "POST"), (.put, "PUT"), (.patch, "PATCH"),
        (.delete, "DELETE"),
    ])

    /// The method of that name, which is in capitals; RFC 9110 §9.1.
    package init(_ name: Span<UInt8>) {
        self = Self.names.exactly(name) ?? .other
    }
}
