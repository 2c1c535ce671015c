// ListParser.swift: reads the neutralization list file, in place, a million lines at a time.
//
// Grammar: `[reinstate] kind value [since=TIME] [until=TIME] [reason=WORD] [ticket=WORD]`, separated
// by blanks; a line that reinstates needs its `since`; `#` at the start of a line or after a blank begins a comment; lines end in LF or CR LF; a UTF-8
// byte order mark at the very start is skipped. One bad line refuses the whole list: a list that
// is half in force is worse than the one before it.

/// The bounds of a list file.
package enum ListLimits {
    /// Bytes a line may take, its end not counted.
    package static let lineMax = 1024
    /// Lines a file may have, comments included.
    package static let linesMax = 10_000_000
    /// Bytes a file may have: 10 million lines of a hundred bytes.
    package static let bytesMax = 1 << 30
    /// Bytes of a reason or a ticket.
    package static let tokenMax = 64
    /// Lines of `issued-before`.
    package static let momentsMax = 256
}

/// Reads a whole list; throws every bad line (the first hundred) or returns every entry.
///
/// - Parameters:
///   - bytes: The lines.
///   - firstLine: The number of the first of them in its file.
///   - mayHash: Whether it is known how the list hashes the accounts it hides.
/// - Returns: Every entry.
/// - Throws: Every bad line, the first hundred of them.
package func parseList(
    _ bytes: Span<UInt8>, firstLine: Int = 1, mayHash: Bool = false
) throws(ListError) -> NeutralizedSet {
    guard bytes.count <= ListLimits.bytesMax else {
        let fault = ListProblem.Fault.fileTooLarge(bytes: bytes.count)
        throw ListError(
            problems: [ListProblem(line: 0, column: 0, fault: fault)], total: 1)
    }
    var reader = ListReader(expectedBytes: bytes.count, mayHash: mayHash)
    var position = startsWithByteOrderMark(bytes) ? 3 : 0
    var line = firstLine - 1
    while position < bytes.count {
        line += 1
        guard line - firstLine < ListLimits.linesMax else {
            reader.note(ListProblem(line: line, column: 1, fault: .tooManyLines))
            break
        }
        var end = position
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        let next = end + 1
        if end < bytes.count, end > position, bytes[end - 1] == 0x0D { end -= 1 }
        do {
            try reader.read(bytes, position..<end, line: line)
        } catch {
            reader.note(
                ListProblem(line: line, column: error.at - position + 1, fault: error.fault))
        }
        position = next
    }
    return try reader.finish()
}

private func startsWithByteOrderMark(_ bytes: Span<UInt8>) -> Bool {
    bytes.count >= 3 && bytes[0] == 0xEF && bytes[1] == 0xBB && bytes[2] == 0xBF
}

/// A fault and the offset of its first byte in the file.
private struct Misread: Error {
    let fault: ListProblem.Fault
    let at: Int
}

private struct ListReader {
    private var entries: [NeutralizedSet.Entry] = []
    private var texts = TextStore()
    private var problems: [ListProblem] = []
    private var total = 0
    private var moments = 0
    private let mayHash: Bool

    init(expectedBytes: Int, mayHash: Bool) {
        self.mayHash = mayHash
        // A line of a list takes some 20 to 100 bytes: at most doubled once or twice from here.
        entries.reserveCapacity(expectedBytes / 100)
    }

    mutating func note(_ problem: ListProblem) {
        total += 1
        if problems.count < ListError.problemsMax { problems.append(problem) }
    }

    mutating func finish() throws(ListError) -> NeutralizedSet {
        if total > 0 { throw ListError(problems: problems, total: total) }
        do {
            return try NeutralizedSet(entries: entries, texts: texts.bytes)
        } catch {
            let line = Int(entries[error.entry].line)
            throw ListError(
                problems: [ListProblem(line: line, column: 1, fault: .tooManyForSubject)], total: 1)
        }
    }

    mutating func read(_ bytes: Span<UInt8>, _ range: Range<Int>, line: Int) throws(Misread) {
        guard range.count <= ListLimits.lineMax else {
            let at = range.lowerBound + ListLimits.lineMax
            throw Misread(fault: .lineTooLong(length: range.count), at: at)
        }
        var position = range.lowerBound
        guard var kindWord = try nextWord(bytes, &position, range.upperBound) else { return }
        let isReinstating = equals(bytes, kindWord, "reinstate")
        if isReinstating {
            guard let word = try nextWord(bytes, &position, range.upperBound) else {
                throw Misread(
                    fault: .missingSubject(kind: "reinstate"), at: kindWord.upperBound)
            }
            kindWord = word
        }
        guard let kind = listKind(bytes, kindWord) else {
            let word = printable(bytes.extracting(kindWord))
            throw Misread(fault: .unknownKind(word), at: kindWord.lowerBound)
        }
        guard let value = try nextWord(bytes, &position, range.upperBound) else {
            throw Misread(fault: .missingSubject(kind: kind.rawValue), at: kindWord.upperBound)
        }
        let (key, text) = try subject(bytes, kind, value)

        var since: UInt32 = 0
        var until: UInt32 = .max
        var reason: Range<Int>?
        var ticket: Range<Int>?
        var hasSince = false
        var hasUntil = false
        while let word = try nextWord(bytes, &position, range.upperBound) {
            let (field, rest) = try listField(bytes, word, of: kind)
            switch field {
            case .since:
                if hasSince { throw Misread(fault: .repeatedField(.since), at: word.lowerBound) }
                hasSince = true
                since = UInt32(listTime: try time(bytes, field, rest))
            case .until:
                if hasUntil { throw Misread(fault: .repeatedField(.until), at: word.lowerBound) }
                hasUntil = true
                until = UInt32(listTime: try time(bytes, field, rest))
            case .reason:
                if reason != nil {
                    throw Misread(fault: .repeatedField(field), at: word.lowerBound)
                }
                reason = try token(bytes, field, rest)
            case .ticket:
                if ticket != nil {
                    throw Misread(fault: .repeatedField(field), at: word.lowerBound)
                }
                ticket = try token(bytes, field, rest)
            }
        }
        if isReinstating, !hasSince {
            throw Misread(fault: .reinstatedSinceWhen, at: range.lowerBound)
        }
        if hasSince, hasUntil, until <= since {
            throw Misread(fault: .neverInForce, at: range.lowerBound)
        }
        let entry = NeutralizedSet.Entry(
            high: key.high, low: key.low, since: since, until: until, text: text,
            note: texts.note(bytes, reason, ticket), line: UInt32(line),
            tag: isReinstating ? key.reinstating.tag : key.tag)
        entries.append(entry)
    }

    /// The key of the subject, and where its text is kept.
    private mutating func subject(
        _ bytes: Span<UInt8>, _ kind: SubjectKind, _ value: Range<Int>
    ) throws(Misread) -> (IndexKey, UInt32) {
        do {
            switch kind {
            case .account:
                if let digits = digits(
                    of: bytes.extracting(value), after: HashedAccount.prefix)
                {
                    guard mayHash else {
                        throw Misread(fault: .hashedWithoutKey, at: value.lowerBound)
                    }
                    let (key, text) = try self.digest(bytes, value, digits)
                    return (IndexKey(hashedAccount: key), text)
                }
                let key = try SubjectKey(account: bytes.extracting(value))
                return (IndexKey(account: key), texts.identifier(bytes, value))
            case .structure:
                let key = try SubjectKey(structure: bytes.extracting(value))
                return (IndexKey(structure: key), texts.identifier(bytes, value))
            case .serial:
                let serial = try CertificateSerial(bytes.extracting(value))
                return (IndexKey(serial: SubjectKey(serial: serial)), texts.serial(serial))
            case .certificate:
                guard
                    let digits = digits(
                        of: bytes.extracting(value), after: CertificateFingerprint.prefix)
                else { throw SubjectError.notSHA256 }
                let (key, text) = try self.digest(bytes, value, digits)
                return (IndexKey(certificate: key), text)
            case .network:
                let network = try Network(bytes.extracting(value))
                return (IndexKey(network: network.address, length: network.length), 0)
            case .session, .token, .client:
                let key = try SubjectKey(name: bytes.extracting(value))
                return (IndexKey(name: key, of: kind), texts.name(bytes, value))
            case .issuedBefore:
                guard let moment = UnixSeconds(rfc3339: bytes.extracting(value)) else {
                    throw SubjectError.notAMoment
                }
                moments += 1
                guard moments <= ListLimits.momentsMax else {
                    throw Misread(fault: .tooManyMoments, at: value.lowerBound)
                }
                return (IndexKey(issuedBefore: UInt32(listTime: moment)), 0)
            }
        } catch let misread as Misread {
            throw misread
        } catch let error as SubjectError {
            throw Misread(fault: .subject(error), at: value.lowerBound + error.offset)
        } catch {
            throw Misread(fault: .missingSubject(kind: kind.rawValue), at: value.lowerBound)
        }
    }
}

extension ListReader {
    /// The key of the 32 bytes that `digits` of a value spell.
    private mutating func digest(
        _ bytes: Span<UInt8>, _ value: Range<Int>, _ digits: Range<Int>
    ) throws(SubjectError) -> (SubjectKey, UInt32) {
        let start = value.lowerBound + digits.lowerBound
        return try texts.digest(
            bytes, start..<value.upperBound, nameLength: digits.lowerBound)
    }
}

/// The next run of bytes between blanks; `nil` at the end of the line or where a comment begins.
private func nextWord(
    _ bytes: Span<UInt8>, _ position: inout Int, _ end: Int
) throws(Misread) -> Range<Int>? {
    while position < end, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    let start = position
    guard start < end else { return nil }
    if bytes[start] == 0x23 {
        // A carriage return in a comment could hide an entry from the eye, or from us.
        while position < end {
            if bytes[position] == 0x0D { throw Misread(fault: .bareCarriageReturn, at: position) }
            if bytes[position] == 0x00 { throw Misread(fault: .zeroByte, at: position) }
            position += 1
        }
        return nil
    }
    while position < end, bytes[position] != 0x20, bytes[position] != 0x09 {
        if bytes[position] == 0x0D { throw Misread(fault: .bareCarriageReturn, at: position) }
        if bytes[position] == 0x00 { throw Misread(fault: .zeroByte, at: position) }
        position += 1
    }
    return start..<position
}

private func equals(_ bytes: Span<UInt8>, _ range: Range<Int>, _ text: StaticString) -> Bool {
    guard range.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<range.count {
        // Safe because index lies within the static string's count.
        guard bytes[range.lowerBound + index] == (unsafe text.utf8Start[index]) else {
            return false
        }
    }
    return true
}

private func listKind(_ bytes: Span<UInt8>, _ word: Range<Int>) -> SubjectKind? {
    if equals(bytes, word, "account") { return .account }
    if equals(bytes, word, "certificate") { return .certificate }
    if equals(bytes, word, "network") { return .network }
    if equals(bytes, word, "structure") { return .structure }
    if equals(bytes, word, "serial") { return .serial }
    return SubjectKind(rawValue: printable(bytes.extracting(word)))
}

/// The field a word names, and where its value lies.
private func listField(
    _ bytes: Span<UInt8>, _ word: Range<Int>, of kind: SubjectKind
) throws(Misread) -> (ListField, Range<Int>) {
    var sign = word.lowerBound
    while sign < word.upperBound, bytes[sign] != 0x3D { sign += 1 }
    let name = word.lowerBound..<sign
    let field: ListField? =
        if equals(bytes, name, "since") { .since } else if equals(bytes, name, "until") {
            .until
        } else if equals(bytes, name, "reason") { .reason } else if equals(bytes, name, "ticket") {
            .ticket
        } else { nil }
    guard let field, sign < word.upperBound else {
        let shown = printable(bytes.extracting(word))
        // `serial 0A@AC IGC …`: the name of an issuer mostly has blanks.
        let isOfIssuer = kind == .serial && field == nil
        throw Misread(
            fault: isOfIssuer ? .unknownFieldAfterSerial(shown) : .unknownField(shown),
            at: word.lowerBound)
    }
    guard sign + 1 < word.upperBound else {
        throw Misread(fault: .emptyField(field), at: word.lowerBound)
    }
    return (field, sign + 1..<word.upperBound)
}

private func time(
    _ bytes: Span<UInt8>, _ field: ListField, _ range: Range<Int>
) throws(Misread) -> UnixSeconds {
    guard let time = UnixSeconds(rfc3339: bytes.extracting(range)) else {
        throw Misread(fault: .notATime(field), at: range.lowerBound)
    }
    return time
}

/// One word of printable ASCII, which every log and every terminal shows as it is.
private func token(
    _ bytes: Span<UInt8>, _ field: ListField, _ range: Range<Int>
) throws(Misread) -> Range<Int> {
    guard range.count <= ListLimits.tokenMax else {
        throw Misread(fault: .fieldTooLong(field, length: range.count), at: range.lowerBound)
    }
    for index in range where bytes[index] < 0x21 || bytes[index] > 0x7E {
        throw Misread(fault: .fieldByte(field, bytes[index]), at: index)
    }
    return range
}
