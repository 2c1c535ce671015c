// JSONError.swift: why a text is no JSON, or none that is read here.

/// Why a JSON text was refused.
package enum JSONError: Error, Equatable, Sendable {
    /// Not JSON, RFC 8259, at this byte.
    case syntax(at: Int)
    /// More containers within one another than are read.
    case tooDeep
    /// More bytes or values than are read.
    case tooLarge
    /// One object has a key twice: readers differ on which counts.
    case duplicateKey(at: Int)
}
