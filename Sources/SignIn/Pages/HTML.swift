// HTML.swift: HTML in which whatever is not written in this source is escaped.

/// A piece of HTML.
///
/// A literal stands as it is; what is interpolated into it is escaped unless it is HTML itself.
/// There is no other way to make one from a text.
struct HTML: ExpressibleByStringInterpolation, Sendable {
    let text: String

    struct StringInterpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + interpolationCount * 16)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        mutating func appendInterpolation(_ html: HTML) { text += html.text }
        mutating func appendInterpolation(_ pieces: [HTML]) {
            for piece in pieces { text += piece.text }
        }
        mutating func appendInterpolation(_ value: String) { text += escaped(value) }
        mutating func appendInterpolation(_ value: Int64) { text += String(value) }
    }

    init(stringLiteral text: String) { self.text = text }
    init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

    /// The form for security keys, which escapes what it is given.
    init(_ form: KeyForm) { text = form.html }

    static let keyScript = HTML(stringLiteral: KeyForm.script)
}

/// `text` for between tags and for an attribute in double quotes; control characters, which no
/// HTML may have, become blanks.
private func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": out += "&amp;"
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "\"": out += "&quot;"
        case "'": out += "&#39;"
        case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": out += " "
        // Marks that turn the direction of what follows could make one text read as another.
        case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": out += " "
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}
