// Field.swift: where one field of a head lies.

/// One field line, as byte ranges into the head it was parsed from.
package struct Field: Sendable, Equatable {
    private let nameStart: UInt32
    private let nameEnd: UInt32
    private let valueStart: UInt32
    private let valueEnd: UInt32
    package let known: KnownField
    /// Whether the line already reads `name: value`, so that it can be copied as it stands.
    let isCanonical: Bool
    /// Whether `Connection` named it, so that it goes no further than this connection.
    package internal(set) var isNominated = false

    package var name: Range<Int> { Int(nameStart)..<Int(nameEnd) }
    /// The value without the white space around it.
    package var value: Range<Int> { Int(valueStart)..<Int(valueEnd) }

    // INVARIANT: offsets fit, since a head has at most HeadLimits.headLengthMax bytes, ≤ 1 MiB.
    @inline(__always)
    init(name: Range<Int>, value: Range<Int>, known: KnownField, isCanonical: Bool) {
        nameStart = UInt32(truncatingIfNeeded: name.lowerBound)
        nameEnd = UInt32(truncatingIfNeeded: name.upperBound)
        valueStart = UInt32(truncatingIfNeeded: value.lowerBound)
        valueEnd = UInt32(truncatingIfNeeded: value.upperBound)
        self.known = known
        self.isCanonical = isCanonical
    }
}
