// FieldSection.swift: the field lines of a head and the empty line after them, RFC 9112 §5.
//
// The hot loop of the gate: one pass, no allocation once the array has grown to its size.

/// The fields of a head and what they say about the message.
package struct FieldSection: Sendable {
    package internal(set) var fields: [Field] = []
    /// The value of `Host`; on a request only.
    package internal(set) var host: Range<Int>?
    var contentLength: UInt64?
    var isChunked = false
    var connection = ConnectionOptions()
    var hasUpgrade = false
    var expectsContinue = false

    init() {}

    mutating func removeAll() {
        fields.removeAll(keepingCapacity: true)
        host = nil
        contentLength = nil
        isChunked = false
        connection.removeAll()
        hasUpgrade = false
        expectsContinue = false
    }

    /// Which kind of head the fields belong to: some mean something in one only.
    enum Kind { case request, response }

    /// Parses field lines from `start` to the empty line; returns where the head ends, or nil
    /// when that lies past `available`.
    @inline(__always)
    mutating func parse(
        _ bytes: Span<UInt8>, from start: Int, available: Int, limits: HeadLimits, kind: Kind
    ) throws(HeadError) -> Int? {
        var index = start
        while true {
            let line = HeadLine(start: index, available: available)
            guard index < line.limit else {
                return try line.unfinished(limits, tooLong: .fieldTooLong)
            }

            // The name, up to its colon.
            var isOdd = false
            while index < line.limit {
                let byte = bytes[index]
                if ByteSet.plainName.contains(byte) {
                    index &+= 1
                } else if byte == Ascii.colon {
                    break
                } else if ByteSet.token.contains(byte) {
                    isOdd = true
                    index &+= 1
                } else if byte == Ascii.carriageReturn && index == line.start {
                    guard index &+ 1 < line.limit else {
                        return try line.unfinished(limits, tooLong: .fieldTooLong)
                    }
                    guard bytes[index &+ 1] == Ascii.lineFeed else { throw .bareCarriageReturn }
                    markNominated(bytes)
                    return index &+ 2
                } else {
                    throw refusal(ofNameByte: byte, isFirst: index == line.start)
                }
            }
            let name = line.start..<index
            guard index < line.limit else {
                return try line.unfinished(limits, tooLong: .fieldTooLong)
            }
            guard !name.isEmpty else { throw .fieldNameEmpty }

            // The value, between blanks, up to CRLF.
            index &+= 1
            while index < line.limit, Ascii.isBlank(bytes[index]) { index &+= 1 }
            let valueStart = index
            index = endOfFieldText(bytes, from: index, to: line.limit)
            guard index &+ 1 < line.limit else {
                if index < line.limit { try FieldSection.checkLineEnd(bytes[index]) }
                return try line.unfinished(limits, tooLong: .fieldTooLong)
            }
            try FieldSection.checkLineEnd(bytes[index])
            guard bytes[index &+ 1] == Ascii.lineFeed else { throw .bareCarriageReturn }
            var valueEnd = index
            while valueEnd > valueStart, Ascii.isBlank(bytes[valueEnd &- 1]) { valueEnd &-= 1 }

            guard fields.count < limits.fieldsMax else { throw .fieldsTooMany }
            let isCanonical =
                valueEnd == index && valueStart == name.upperBound &+ 2
                && bytes[valueStart &- 1] == Ascii.space
            let known = KnownField(bytes, name, isOdd: isOdd)
            let value = valueStart..<valueEnd
            fields.append(
                Field(name: name, value: value, known: known, isCanonical: isCanonical))
            switch known {
            case .host, .contentLength, .transferEncoding, .connection, .expect, .upgrade:
                try interpret(known, bytes, value, kind: kind)
            default: break
            }
            index &+= 2
        }
    }

    /// Whether `byte`, where the text of a value stopped, is the first of a line's end.
    @inline(__always)
    static func checkLineEnd(_ byte: UInt8) throws(HeadError) {
        if byte == Ascii.carriageReturn { return }
        throw byte == Ascii.lineFeed ? .bareLineFeed : .fieldValueInvalid
    }

    @inline(never)
    private func refusal(ofNameByte byte: UInt8, isFirst: Bool) -> HeadError {
        switch byte {
        case Ascii.space, Ascii.tab:
            guard isFirst else { return .fieldNameFollowedByBlank }
            return fields.isEmpty ? .fieldPrecededByBlank : .lineFolded
        case Ascii.lineFeed: return isFirst ? .bareLineFeed : .colonMissing
        case Ascii.carriageReturn: return .colonMissing
        default: return .fieldNameInvalid
        }
    }

    /// Takes in what a field that rules the message says.
    @inline(never)
    private mutating func interpret(
        _ known: KnownField, _ bytes: Span<UInt8>, _ value: Range<Int>, kind: Kind
    ) throws(HeadError) {
        switch known {
        case .host where kind == .request:
            guard host == nil else { throw .hostRepeated }
            guard isHost(bytes, value) else { throw .hostInvalid }
            host = value
        case .contentLength:
            // Even an equal copy is refused: a server behind might join or choose.
            guard contentLength == nil else { throw .contentLengthRepeated }
            guard !isChunked else { throw .contentLengthWithTransferEncoding }
            contentLength = try FieldSection.length(bytes, value)
        case .transferEncoding:
            guard !isChunked else { throw .transferEncodingRepeated }
            guard contentLength == nil else { throw .contentLengthWithTransferEncoding }
            guard Ascii.matches(bytes, value, "chunked") else {
                throw .transferEncodingUnsupported
            }
            isChunked = true
        case .connection:
            try connection.parse(bytes, value)
        case .upgrade:
            hasUpgrade = true
        case .expect where kind == .request:
            guard Ascii.matches(bytes, value, "100-continue") else { throw .expectationUnknown }
            expectsContinue = true
        default: break
        }
    }

    /// The number of 1 to 18 digits, and nothing else, that `value` is: it cannot overflow.
    private static func length(
        _ bytes: Span<UInt8>, _ value: Range<Int>
    ) throws(HeadError) -> UInt64 {
        guard (1...18).contains(value.count) else { throw .contentLengthInvalid }
        var length: UInt64 = 0
        for index in value {
            guard Ascii.isDigit(bytes[index]) else { throw .contentLengthInvalid }
            length = length * 10 + UInt64(bytes[index] - Ascii.zero)
        }
        return length
    }

    private mutating func markNominated(_ bytes: Span<UInt8>) {
        guard !connection.nominated.isEmpty else { return }
        for index in fields.indices where connection.nominates(bytes, fields[index].name) {
            fields[index].isNominated = true
        }
    }

    /// The value of the first field of this kind.
    package func value(of known: KnownField) -> Range<Int>? {
        for index in fields.indices where fields[index].known == known {
            return fields[index].value
        }
        return nil
    }

    /// How many fields of this kind there are.
    package func count(of known: KnownField) -> Int {
        var count = 0
        for index in fields.indices where fields[index].known == known { count += 1 }
        return count
    }
}

/// The line being parsed: where it begins, and how far it may be looked at.
struct HeadLine {
    let start: Int
    let limit: Int

    /// A line that begins at `start`, in `available` bytes.
    @inline(__always)
    init(start: Int, available: Int) {
        self.start = start
        limit = min(available, start &+ HeadLimits.lineLengthMax &+ 2)
    }

    /// The answer when `limit` was reached before the line's end: nil when more bytes may come.
    @inline(never)
    func unfinished(_ limits: HeadLimits, tooLong: HeadError) throws(HeadError) -> Int? {
        if limit - start == HeadLimits.lineLengthMax + 2 { throw tooLong }
        if limit == limits.headLengthMax { throw .headTooLong }
        return nil
    }
}
