// Canary.swift: a parser with a mistake, which fuzzing must find, or it finds nothing.

extension FuzzTarget {
    /// Reads past its input after a line of three bytes, as a careless parser would.
    static let canary = FuzzTarget(name: "canary") { bytes in
        guard bytes.count >= 3, bytes[0] == 0x47, bytes[1] == 0x0D, bytes[2] == 0x0A else { return }
        precondition(bytes[3] != 0, "the input has a fourth byte, and it is not zero")
    }
}
