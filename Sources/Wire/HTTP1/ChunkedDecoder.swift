// ChunkedDecoder.swift: the chunked transfer coding, RFC 9112 §7.1, read in pieces of any cut.

/// Why a chunked body was refused: 400 when a client sent it, 502 when a server did; either way
/// the connection is closed.
package enum ChunkError: UInt8, Error, Equatable, Sendable, CaseIterable {
    case sizeInvalid
    case sizeTooLarge
    case extensionInvalid
    case extensionTooLong
    case lineEndInvalid
    case trailerInvalid
    case trailersTooLong

    /// What the log is told: never a byte of the input.
    package var reason: StaticString {
        switch self {
        case .sizeInvalid: "chunk size is malformed"
        case .sizeTooLarge: "chunk size is too large"
        case .extensionInvalid: "chunk extension holds a control byte"
        case .extensionTooLong: "chunk extension is too long"
        case .lineEndInvalid: "chunk does not end in CRLF"
        case .trailerInvalid: "trailer field is malformed"
        case .trailersTooLong: "trailer section is too long"
        }
    }
}

/// What comes next in a chunked body; offsets are those of the bytes given.
package enum ChunkEvent: Equatable, Sendable {
    /// Bytes of the body, never none; go on from where they end.
    case data(Range<Int>)
    /// All was consumed, up to this offset, and the body is not over.
    case needMore(Int)
    /// The body is over, trailers included; what follows belongs to the next message.
    case end(Int)
}

/// Reads a chunked body; extensions and trailers are checked, bounded and dropped.
package struct ChunkedDecoder: Sendable, Equatable {
    /// Bytes the extensions of one chunk may take.
    ///
    /// The ones in use sign a chunk in about 90; the bound keeps a peer from having 8 KiB of line read for each byte it delivers.
    package static let extensionLengthMax = 256
    /// Bytes the trailer section may take, its line ends included.
    package static let trailersLengthMax = 4096
    /// Hexadecimal digits of a size, leading zeros included.
    package static let sizeDigitsMax = 16

    private enum State: UInt8 {
        case size, blank, extensions, sizeLineFeed
        case data, dataReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, lastLineFeed
        case ended
    }

    private var state = State.size
    /// Digits, or bytes of extensions or of trailers, taken so far.
    private var taken = 0
    /// The size being read, then the bytes of the chunk still to come.
    private var remaining: UInt64 = 0

    package init() {}

    /// Reads on from `offset`, to the next piece of data, the end, or the end of `bytes`.
    ///
    /// After a refusal or the end it must not be called again.
    package mutating func next(
        _ bytes: Span<UInt8>, from offset: Int
    ) throws(ChunkError) -> ChunkEvent {
        precondition(offset >= 0 && offset <= bytes.count, "reads within the bytes it was given")
        precondition(state != .ended, "a body ends once")
        var index = offset
        while index < bytes.count {
            if state == .data {
                let count = Int(min(remaining, UInt64(bytes.count - index)))
                remaining -= UInt64(count)
                if remaining == 0 { state = .dataReturn }
                return .data(index..<(index + count))
            }
            let byte = bytes[index]
            index += 1
            switch state {
            case .size, .blank, .extensions, .sizeLineFeed:
                try takeSizeLine(byte)
            case .dataReturn:
                guard byte == Ascii.carriageReturn else { throw .lineEndInvalid }
                state = .dataLineFeed
            case .dataLineFeed:
                guard byte == Ascii.lineFeed else { throw .lineEndInvalid }
                state = .size
            case .data, .ended, .trailerStart, .trailerName, .trailerValue, .trailerLineFeed,
                .lastLineFeed:
                try takeTrailer(byte)
                if state == .ended { return .end(index) }
            }
        }
        return .needMore(index)
    }

    /// Takes a byte of `1A;name=value` CRLF.
    private mutating func takeSizeLine(_ byte: UInt8) throws(ChunkError) {
        if state == .sizeLineFeed {
            guard byte == Ascii.lineFeed else { throw .lineEndInvalid }
            taken = 0
            state = remaining > 0 ? .data : .trailerStart
            return
        }
        if state == .size, let digit = Ascii.hexValue(byte) {
            // Sixteen digits fill the integer exactly: it cannot overflow.
            guard taken < ChunkedDecoder.sizeDigitsMax else { throw .sizeTooLarge }
            remaining = remaining << 4 | UInt64(digit)
            taken += 1
            return
        }
        if state == .size {
            guard taken > 0 else { throw .sizeInvalid }
            taken = 0
            if byte == Ascii.carriageReturn {
                state = .sizeLineFeed
                return
            }
            // Blanks may come before a semicolon only, RFC 9112 §7.1.1.
            state = .blank
        }
        guard taken < ChunkedDecoder.extensionLengthMax || byte == Ascii.carriageReturn else {
            throw .extensionTooLong
        }
        taken += 1
        if state == .blank {
            if byte == Ascii.semicolon {
                state = .extensions
            } else if !Ascii.isBlank(byte) {
                throw .sizeInvalid
            }
        } else if byte == Ascii.carriageReturn {
            state = .sizeLineFeed
        } else if !isFieldText(byte) {
            throw .extensionInvalid
        }
    }

    /// Takes a byte of the trailer section, which an empty line ends.
    private mutating func takeTrailer(_ byte: UInt8) throws(ChunkError) {
        taken += 1
        guard taken <= ChunkedDecoder.trailersLengthMax else { throw .trailersTooLong }
        switch state {
        case .trailerStart where byte == Ascii.carriageReturn:
            state = .lastLineFeed
        case .trailerStart:
            guard ByteSet.token.contains(byte) else { throw .trailerInvalid }
            state = .trailerName
        case .trailerName:
            if byte == Ascii.colon {
                state = .trailerValue
            } else if !ByteSet.token.contains(byte) {
                throw .trailerInvalid
            }
        case .trailerValue:
            if byte == Ascii.carriageReturn {
                state = .trailerLineFeed
            } else if !isFieldText(byte) {
                throw .trailerInvalid
            }
        case .trailerLineFeed:
            guard byte == Ascii.lineFeed else { throw .trailerInvalid }
            state = .trailerStart
        default:
            guard byte == Ascii.lineFeed else { throw .trailerInvalid }
            state = .ended
        }
    }
}
