// SearchValue.swift: what stands in the value of a search parameter.

/// Goes through the alternatives of a value, which commas part.
///
/// An escaped comma parts as well: a server that does not know `\,` would search for less text
/// than was judged.
struct Alternatives {
    /// Alternatives gone through so far.
    private(set) var count = 0
    private var offset = 0

    /// Where the next one lies in `value`, which is the same at each call; nil after the last.
    mutating func next(_ value: Span<UInt8>) -> Range<Int>? {
        guard offset <= value.count else { return nil }
        var end = offset
        while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
        defer { offset = end + 1 }
        count += 1
        return offset..<end
    }
}

/// What a token (`system|value`) says.
enum TokenContent {
    case value
    /// A system, and any value in it.
    case domainOnly
    case nothing

    /// Only what has a letter or a digit says anything: `*` and `%` don't.
    init(_ token: Span<UInt8>) {
        var lastBar: Int?
        for index in token.indices where token[index] == UInt8(ascii: "|") { lastBar = index }
        guard let lastBar else {
            self = saysSomething(token) ? .value : .nothing
            return
        }
        if saysSomething(token.extracting((lastBar + 1)..<token.count)) {
            self = .value
        } else {
            self = saysSomething(token.extracting(0..<lastBar)) ? .domainOnly : .nothing
        }
    }
}

/// Whether there is a letter or a digit, of any script.
func saysSomething(_ text: Span<UInt8>) -> Bool {
    for index in text.indices {
        switch text[index] {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return true
        // Not a sign: some blanks of Unicode are cut away by servers.
        case 0x80...0xFF: return longestWord(text) > 0
        default: continue
        }
    }
    return false
}

/// Letters of the longest word of `text`, accents not counted; 0 when it is not UTF-8.
func longestWord(_ text: Span<UInt8>) -> Int {
    guard let text = try? UTF8Span(validating: text) else { return 0 }
    var scalars = text.makeUnicodeScalarIterator()
    var longest = 0
    var length = 0
    while let scalar = scalars.next() {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            length += 1
            longest = max(longest, length)
        case .nonspacingMark, .spacingMark, .enclosingMark: continue
        default: length = 0
        }
    }
    return longest
}
