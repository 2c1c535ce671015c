// Screening.swift: what is refused of a configuration's bytes before YAML is read at all.
//
// Encoding, control characters and tabs get their exact place here, and the two shapes of text
// that cost a YAML reader more than their size (nesting, aliases as keys) never reach it.

/// A text that may be read as YAML, or the place and reason why it may not.
func screen(_ bytes: [UInt8], file: String, problems: Problems) -> String? {
    let start = SourceLocation(startOf: file)
    guard bytes.count <= Screening.sizeMax else {
        problems.error(
            start, "the file has \(bytes.count) bytes, at most \(Screening.sizeMax) are read")
        return nil
    }
    var screening = Screening(file: file)
    screening.read(bytes.span)
    if let (place, complaint) = screening.refusal {
        problems.error(place, complaint)
        return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
        problems.error(placeOfBadEncoding(bytes, file: file), "not UTF-8", hint: "save it as UTF-8")
        return nil
    }
    guard screening.hasContent else {
        problems.error(start, "the file is empty", hint: "nothing but blank lines and comments")
        return nil
    }
    return text
}

struct Screening {
    /// Bytes of one file, 4 MiB.
    static let sizeMax = 4 << 20
    /// Brackets open at once; a configuration needs four.
    static let nestingMax = 64
    /// Words that begin with `*`; aliases are refused once read, but a few dozen of them, used as
    /// keys of one another, take a YAML reader hours.
    static let aliasesMax = 24

    private let file: String
    private var line = 1
    private var column = 1
    private var nesting = 0
    private var aliases = 0
    private var lineHasContent = false
    private(set) var hasContent = false
    private(set) var refusal: (place: SourceLocation, complaint: Complaint)?

    init(file: String) { self.file = file }

    mutating func read(_ bytes: Span<UInt8>) {
        var index = 0
        var isComment = false
        var previous = UInt8(ascii: "\n")
        while index < bytes.count, refusal == nil {
            let byte = bytes[index]
            let next = index + 1 < bytes.count ? bytes[index + 1] : UInt8(ascii: "\n")
            if byte == UInt8(ascii: "#"), !lineHasContent {
                isComment = true
            }
            judge(byte, previous: previous, next: next, isComment: isComment)
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
                isComment = false
                lineHasContent = false
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
            previous = byte
            index += 1
        }
    }

    private mutating func judge(_ byte: UInt8, previous: UInt8, next: UInt8, isComment: Bool) {
        switch byte {
        case UInt8(ascii: "\t"):
            refuse("a tab character", hint: "indent with spaces")
        case UInt8(ascii: "\r") where next != UInt8(ascii: "\n"):
            refuse("a carriage return in the middle of a line")
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: " "):
            break
        case 0..<0x20, 0x7F:
            refuse("a control character (0x\(String(byte, radix: 16)))")
        default:
            guard !isComment else { return }
            hasContent = true
            lineHasContent = true
            judgeShape(byte, previous: previous, next: next)
        }
    }

    private mutating func judgeShape(_ byte: UInt8, previous: UInt8, next: UInt8) {
        switch byte {
        case UInt8(ascii: "["), UInt8(ascii: "{"):
            nesting += 1
            if nesting > Self.nestingMax {
                refuse("more than \(Self.nestingMax) brackets are open")
            }
        case UInt8(ascii: "]"), UInt8(ascii: "}"):
            nesting = max(0, nesting - 1)
        case UInt8(ascii: "*") where !isWordByte(previous) && isWordByte(next):
            aliases += 1
            if aliases > Self.aliasesMax {
                refuse(Screening.aliasRefused.message, hint: Screening.aliasRefused.hint)
            }
        default:
            break
        }
    }

    private mutating func refuse(_ message: String, hint: String? = nil) {
        guard refusal == nil else { return }
        let place = SourceLocation(file: file, line: line, column: column)
        refusal = (place, Complaint(message, hint: hint))
    }

    static let aliasRefused = Complaint(
        "YAML anchors and aliases are not accepted", hint: "write the value out")
}

private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), 0x80...:
        true
    default: false
    }
}

/// The first line that is not UTF-8, and the column its readable part ends at.
private func placeOfBadEncoding(_ bytes: [UInt8], file: String) -> SourceLocation {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated()
    where String(validating: line, as: UTF8.self) == nil {
        let repaired = String(decoding: line, as: UTF8.self).unicodeScalars
        let column = repaired.firstIndex(of: "\u{FFFD}")
            .map { repaired.distance(from: repaired.startIndex, to: $0) }
        return SourceLocation(file: file, line: index + 1, column: (column ?? 0) + 1)
    }
    return SourceLocation(startOf: file)
}
