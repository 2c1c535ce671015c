// XMLWriting.swift: elements of XML as text, on one line.

/// An element that is written as it is told.
struct XMLElement {
    let name: String
    var attributes: [(String, String)] = []
    /// In the order they stand.
    var children: [XMLElement] = []
    var text = ""

    init(_ name: String, _ attributes: [(String, String)] = [], text: String = "") {
        self.name = name
        self.attributes = attributes
        self.text = text
    }

    /// The element, without a declaration before it.
    var spelled: String {
        var out = ""
        write(to: &out)
        return out
    }

    private func write(to out: inout String) {
        out += "<" + name
        for (key, value) in attributes { out += " \(key)=\"\(escaped(value))\"" }
        if children.isEmpty, text.isEmpty {
            out += "/>"
            return
        }
        out += ">" + escaped(text)
        for child in children { child.write(to: &out) }
        out += "</\(name)>"
    }
}

/// Text in which nothing is markup, and no character that XML 1.0 §2.2 does not have.
private func escaped(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": out.append(contentsOf: "&amp;".unicodeScalars)
        case "<": out.append(contentsOf: "&lt;".unicodeScalars)
        case ">": out.append(contentsOf: "&gt;".unicodeScalars)
        case "\"": out.append(contentsOf: "&quot;".unicodeScalars)
        // In an attribute a reader would make blanks of them.
        case "\t", "\n", "\r": out.append(contentsOf: "&#\(scalar.value);".unicodeScalars)
        case _ where scalar.value < 0x20 || scalar.value == 0xFFFE || scalar.value == 0xFFFF:
            out.append("\u{FFFD}")
        default: out.append(scalar)
        }
    }
    return String(out)
}
