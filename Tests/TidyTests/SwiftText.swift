// SwiftText.swift: a Swift file line by line, its code told apart from its comments and texts.
//
// Not a parser: it knows comments, string literals of every kind with the code interpolated in
// them, and names in backticks; that is enough for rules about single words.

/// One line of a Swift file.
struct SwiftLine {
    /// The line with comments, texts and names in backticks blanked out.
    var code: [UInt8] = []
    /// What its comment says, slashes left out; empty when there is none.
    var comment = ""

    /// Blanks before the first byte that is none.
    let indentation: Int
    let isBlank: Bool

    init(indentation: Int, isBlank: Bool) {
        self.indentation = indentation
        self.isBlank = isBlank
    }

    /// The code without the blanks around it.
    private(set) var text = ""

    /// The words of the code: runs of letters, digits and underscores.
    private(set) var words: [Substring] = []

    var isComment: Bool { !isBlank && text.isEmpty && !comment.isEmpty }

    /// Reads what is asked again and again, once; the code is whole.
    fileprivate mutating func finish() {
        text = String(decoding: code, as: UTF8.self).trimmingBlanks
        words = text.utf8.split { !isWordByte($0) }.map { Substring($0) }
    }
}

private func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        true
    default: false
    }
}

extension String {
    var trimmingBlanks: String {
        guard let first = firstIndex(where: { $0 != " " }),
            let last = lastIndex(where: { $0 != " " })
        else { return "" }
        return String(self[first...last])
    }
}

/// Splits a file into lines of code and comments.
struct SwiftText {
    private(set) var lines: [SwiftLine] = []

    private enum State {
        /// Depth of parentheses; code interpolated in a text ends at depth 0.
        case code(parentheses: Int, isInterpolated: Bool)
        case text(hashes: Int, isLong: Bool)
        case lineComment
        case blockComment(depth: Int)
        case name
    }

    private let bytes: [UInt8]
    private var index = 0
    private var states: [State] = [.code(parentheses: 0, isInterpolated: false)]
    private var comment: [UInt8] = []

    init(_ file: TextFile) {
        bytes = file.bytes
        beginLine()
        while index < bytes.count { step() }
        endComment()
        for line in lines.indices { lines[line].finish() }
    }

    private mutating func beginLine() {
        var end = index
        while end < bytes.count, bytes[end] == UInt8(ascii: " ") { end += 1 }
        let isBlank = end == bytes.count || bytes[end] == UInt8(ascii: "\n")
        lines.append(SwiftLine(indentation: end - index, isBlank: isBlank))
    }

    private mutating func endComment() {
        lines[lines.count - 1].comment += String(decoding: comment, as: UTF8.self)
        comment.removeAll()
    }

    private func starts(_ text: StaticString) -> Bool {
        let wanted = Array(text.description.utf8)
        return index + wanted.count <= bytes.count
            && bytes[index..<index + wanted.count].elementsEqual(wanted)
    }

    /// Moves over `count` bytes; they are code, a comment, or blanked.
    private mutating func take(_ count: Int, asCode: Bool = false) {
        for _ in 0..<count {
            lines[lines.count - 1].code.append(asCode ? bytes[index] : UInt8(ascii: " "))
            index += 1
        }
    }

    private mutating func step() {
        if bytes[index] == UInt8(ascii: "\n") {
            endComment()
            if case .lineComment = states.last { states.removeLast() }
            index += 1
            if index < bytes.count { beginLine() }
            return
        }
        switch states.last {
        case .lineComment:
            if bytes[index] != UInt8(ascii: "/") || !comment.isEmpty {
                comment.append(bytes[index])
            }
            take(1)
        case .blockComment(let depth): stepInBlockComment(depth)
        case .name:
            if bytes[index] == UInt8(ascii: "`") { states.removeLast() }
            take(1)
        case .text(let hashes, let isLong): stepInText(hashes, isLong)
        case .code(let depth, let isInterpolated): stepInCode(depth, isInterpolated)
        case nil: take(1)
        }
    }

    private mutating func stepInBlockComment(_ depth: Int) {
        if starts("*/") {
            states.removeLast()
            if depth > 1 { states.append(.blockComment(depth: depth - 1)) }
            take(2)
        } else if starts("/*") {
            states.removeLast()
            states.append(.blockComment(depth: depth + 1))
            take(2)
        } else {
            comment.append(bytes[index])
            take(1)
        }
    }

    private mutating func stepInText(_ hashes: Int, _ isLong: Bool) {
        guard bytes[index] == UInt8(ascii: "\"") || bytes[index] == UInt8(ascii: "\\") else {
            return take(1)
        }
        let marks = [UInt8](repeating: UInt8(ascii: "#"), count: hashes)
        let quotes = [UInt8](repeating: UInt8(ascii: "\""), count: isLong ? 3 : 1)
        if follows(quotes + marks) {
            states.removeLast()
            take(quotes.count + hashes)
        } else if follows([UInt8(ascii: "\\")] + marks + [UInt8(ascii: "(")]) {
            take(hashes + 2)
            states.append(.code(parentheses: 1, isInterpolated: true))
        } else if follows([UInt8(ascii: "\\")] + marks), index + hashes + 1 < bytes.count,
            bytes[index + hashes + 1] != UInt8(ascii: "\n")
        {
            take(hashes + 2)
        } else {
            take(1)
        }
    }

    private func follows(_ wanted: [UInt8]) -> Bool {
        index + wanted.count <= bytes.count
            && bytes[index..<index + wanted.count].elementsEqual(wanted)
    }

    private mutating func stepInCode(_ depth: Int, _ isInterpolated: Bool) {
        switch bytes[index] {
        case UInt8(ascii: "/") where starts("//"):
            states.append(.lineComment)
            take(2)
        case UInt8(ascii: "/") where starts("/*"):
            states.append(.blockComment(depth: 1))
            take(2)
        case UInt8(ascii: "`"):
            states.append(.name)
            take(1)
        case UInt8(ascii: "\""), UInt8(ascii: "#"):
            beginText()
        case UInt8(ascii: "("):
            states[states.count - 1] = .code(parentheses: depth + 1, isInterpolated: isInterpolated)
            take(1, asCode: true)
        case UInt8(ascii: ")"):
            if isInterpolated, depth == 1 {
                states.removeLast()
                take(1)
            } else {
                states[states.count - 1] = .code(
                    parentheses: depth - 1, isInterpolated: isInterpolated)
                take(1, asCode: true)
            }
        default: take(1, asCode: true)
        }
    }

    private mutating func beginText() {
        var hashes = 0
        while index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "#") {
            hashes += 1
        }
        guard index + hashes < bytes.count, bytes[index + hashes] == UInt8(ascii: "\"") else {
            take(max(hashes, 1), asCode: true)
            return
        }
        take(hashes)
        let isLong = starts("\"\"\"")
        take(isLong ? 3 : 1)
        states.append(.text(hashes: hashes, isLong: isLong))
    }
}
