// CSV.swift: rows that a spreadsheet opens and never executes.

/// One row of RFC 4180, its line end included.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
/// injection): what is in a record came over the network.
func csvRow(_ cells: [String]) -> String {
    var row = ""
    for (index, cell) in cells.enumerated() {
        if index > 0 { row += "," }
        row += csvCell(cell)
    }
    return row + "\r\n"
}

private func csvCell(_ text: String) -> String {
    guard let first = text.utf8.first else { return "" }
    // Most cells are identifiers and numbers.
    let isPlain = text.utf8.allSatisfy { byte in
        (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte == 0x2E || byte == 0x5F
    }
    if isPlain { return text }
    var cell = ""
    var needsQuotes = false
    if [0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0D].contains(first) { cell = "'" }
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x22:
            needsQuotes = true
            cell += "\"\""
        case 0x2C, 0x3B, 0x20, 0x27:
            needsQuotes = true
            cell.unicodeScalars.append(scalar)
        // Line ends too: a cell of an entry has one line.
        case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069: cell += "\u{FFFD}"
        default: cell.unicodeScalars.append(scalar)
        }
    }
    return needsQuotes ? "\"" + cell + "\"" : cell
}
