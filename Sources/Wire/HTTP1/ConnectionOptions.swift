// ConnectionOptions.swift: what `Connection` asks for and which fields it nominates, RFC 9110 §7.6.1.

/// The options of every `Connection` field of a head.
struct ConnectionOptions: Sendable {
    var close = false
    var keepAlive = false
    var upgrade = false
    /// Names that are not hop by hop by themselves; kept as ranges of the head.
    private(set) var nominated: [Range<Int>] = []

    mutating func removeAll() {
        close = false
        keepAlive = false
        upgrade = false
        nominated.removeAll(keepingCapacity: true)
    }

    /// Takes in one field's list of tokens; empty elements are skipped, RFC 9110 §5.6.1.
    mutating func parse(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(HeadError) {
        var index = value.lowerBound
        while index < value.upperBound {
            let byte = bytes[index]
            if byte == Ascii.comma || Ascii.isBlank(byte) {
                index += 1
                continue
            }
            let start = index
            while index < value.upperBound, ByteSet.token.contains(bytes[index]) { index += 1 }
            guard index > start else { throw .connectionInvalid }
            try note(bytes, start..<index)
            while index < value.upperBound, Ascii.isBlank(bytes[index]) { index += 1 }
            guard index == value.upperBound || bytes[index] == Ascii.comma else {
                throw .connectionInvalid
            }
        }
    }

    private mutating func note(_ bytes: Span<UInt8>, _ option: Range<Int>) throws(HeadError) {
        if Ascii.matches(bytes, option, "close") {
            close = true
        } else if Ascii.matches(bytes, option, "keep-alive") {
            keepAlive = true
        } else if Ascii.matches(bytes, option, "upgrade") {
            upgrade = true
        } else {
            let known = KnownField(bytes, option)
            // Otherwise a client could have the fields that delimit its message left out.
            switch known {
            case .contentLength, .transferEncoding, .host: throw .connectionNominatesFraming
            default: break
            }
            if FieldSet.hopByHop.contains(known) { return }
            guard nominated.count < HeadLimits.nominatedMax else {
                throw .connectionOptionsTooMany
            }
            nominated.append(option)
        }
    }

    /// Whether a field of this name was nominated.
    func nominates(_ bytes: Span<UInt8>, _ name: Range<Int>) -> Bool {
        for index in nominated.indices {
            if Ascii.same(bytes, nominated[index], name) { return true }
        }
        return false
    }
}
