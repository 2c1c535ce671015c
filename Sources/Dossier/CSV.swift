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
