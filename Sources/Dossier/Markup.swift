// Markup.swift: HTML that can only be made with its texts escaped.
//
// What is in a record came over the network: a name in a certificate, a reason for breaking the
// glass. Every text goes through `Markup.text` or an attribute, and both escape. The result is
// well-formed XML too, so that a test can read it with a parser that forgives nothing.

/// A piece of HTML.
struct Markup {
    private(set) var html = ""

    private init(html: String) { self.html = html }

    /// Nothing.
    static let empty = Markup(html: "")

    /// A text, escaped.
    static func text(_ text: String) -> Markup { Markup(html: escaped(text)) }

    /// A markup that is a constant of the program.
    static func constant(_ text: StaticString) -> Markup { Markup(html: String(describing: text)) }

    static func + (left: Markup, right: Markup) -> Markup { Markup(html: left.html + right.html) }

    static func += (left: inout Markup, right: Markup) { left.html += right.html }

    /// An element; one without content closes itself, as XML and HTML's void elements do.
    static func element(
        _ name: String, _ attributes: [(String, String)] = [], _ content: Markup? = nil
    ) -> Markup {
        var html = "<\(name)"
        for (attribute, value) in attributes { html += " \(attribute)=\"\(escaped(value))\"" }
        guard let content else { return Markup(html: html + " />") }
        return Markup(html: html + ">" + content.html + "</\(name)>")
    }
}

extension [Markup] {
    /// One after the other.
    var together: Markup { reduce(into: .empty) { $0 += $1 } }
}

/// `text` for HTML and XML: neither markup, nor controls, nor what turns the direction of reading.
private func escaped(_ text: String) -> String {
    let isPlain = text.utf8.allSatisfy { byte in
        (0x20..<0x7F).contains(byte) && ![0x22, 0x26, 0x27, 0x3C, 0x3E].contains(byte)
    }
    if isPlain { return text }
    var escaped = ""
    escaped.reserveCapacity(text.utf8.count)
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x26: escaped += "&amp;"
        case 0x3C: escaped += "&lt;"
        case 0x3E: escaped += "&gt;"
        case 0x22: escaped += "&quot;"
        case 0x27: escaped += "&#39;"
        case 0x09, 0x0A: escaped.unicodeScalars.append(scalar)
        case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069, 0xFFFE, 0xFFFF:
            escaped += "\u{FFFD}"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}

// What pages are made of.

func paragraph(_ content: Markup...) -> Markup { .element("p", [], content.together) }

func paragraph(_ text: String) -> Markup { .element("p", [], .text(text)) }

/// A paragraph that must be read.
func warning(_ text: String) -> Markup { .element("p", [("class", "warning")], .text(text)) }

/// An identifier; a long one may break anywhere.
func code(_ text: String) -> Markup {
    .element("code", text.utf8.count <= 18 ? [("class", "short")] : [], .text(text))
}

func strong(_ text: String) -> Markup { .element("strong", [], .text(text)) }

func list(_ items: [Markup]) -> Markup {
    guard !items.isEmpty else { return .empty }
    return .element("ul", [], items.map { .element("li", [], $0) }.together)
}

/// A heading and what stands below it.
func section(_ id: String, _ title: String, _ content: Markup...) -> Markup {
    let head = Markup.element("h2", [], .text(title))
    return .element("section", [("id", id)], head + content.together)
}

/// A table whose heads are repeated on every page; columns whose head begins with ">" hold numbers.
func table(_ caption: String, _ heads: [String], _ rows: [[Markup]]) -> Markup {
    let isNumber: [Bool] = heads.map { $0.hasPrefix(">") }
    func row(_ cells: [Markup], _ name: String) -> Markup {
        .element(
            "tr", [],
            cells.enumerated().map { index, cell in
                var attributes: [(String, String)] = []
                if name == "th" { attributes.append(("scope", "col")) }
                if index < isNumber.count, isNumber[index] {
                    attributes.append(("class", "number"))
                }
                return .element(name, attributes, cell)
            }.together)
    }
    let shown = heads.map { Markup.text($0.hasPrefix(">") ? String($0.dropFirst()) : $0) }
    // A short one stays on one page.
    return .element(
        "table", rows.count <= 8 ? [("class", "small")] : [],
        [
            .element("caption", [], .text(caption)), .element("thead", [], row(shown, "th")),
            .element("tbody", [], rows.map { row($0, "td") }.together),
        ].together)
}

/// A table of two columns: what, and its value.
func facts(_ caption: String, _ rows: [(String, Markup)]) -> Markup {
    let shown = rows.map { name, value -> Markup in
        let head = Markup.element("th", [("scope", "row")], .text(name))
        return .element("tr", [], head + .element("td", [], value))
    }
    return .element(
        "table", [("class", "facts")],
        [.element("caption", [], .text(caption)), .element("tbody", [], shown.together)].together)
}
