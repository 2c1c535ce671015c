// Luhn.swift: the check digit of an RPPS number, ISO/IEC 7812-1 annex B.

/// Whether the last of these ASCII digits is the Luhn key of the others; false for anything that
/// is not a digit, and for nothing at all.
package func luhnHolds(_ digits: some BidirectionalCollection<UInt8>) -> Bool {
    guard !digits.isEmpty else { return false }
    var sum = 0
    var doubled = false
    for byte in digits.reversed() {
        guard isDigit(byte) else { return false }
        let digit = Int(byte) - 0x30
        let weighed = doubled ? 2 * digit : digit
        // Wraps rather than traps after 10^17 digits; callers bound their input far below.
        sum &+= weighed > 9 ? weighed - 9 : weighed
        doubled.toggle()
    }
    return sum % 10 == 0
}
