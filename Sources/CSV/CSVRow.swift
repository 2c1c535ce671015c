// CSVRow.swift: rows that a spreadsheet opens and never executes.

/// What becomes of control characters and line ends within a cell.
package enum CSVControls: Sendable {
    /// They stay, in quotes where RFC 4180 wants them: another program reads the value as it was.
    case kept
    /// U+FFFD stands for each, and for what turns the direction of writing: a row is one line, and
    /// reads as it is.
    case replaced
}

/// One row of RFC 4180, its line end included.
///
/// A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV
/// injection): what is in a record came over the network.
package func csvRow(_ cells: [String], controls: CSVControls) -> String {
    var row = ""
    for (index, cell) in cells.enumerated() {
        if index > 0 { row += "," }
        row += csvCell(cell, controls)
    }
    return row + "\r\n"
}

private func csvCell(_ text: String, _ controls: CSVControls) -> String {
    guard let first = text.utf8.first else { return "" }
    // Most cells are identifiers and numbers.
    let isPlain = text.utf8.allSatisfy { byte in
        (0x30...0x3A).contains(byte) || (0x41...0x5A).contains(byte)
            || (0x61...0x7A).contains(byte) || byte == 0x2E || byte == 0x5F
    }
    if isPlain { return text }
    // = + - @, a tab, a line's end.
    var cell = [0x3D, 0x2B, 0x2D, 0x40, 0x09, 0x0A, 0x0D].contains(first) ? "'" : ""
    var needsQuotes = false
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0x22:
            needsQuotes = true
            cell += "\"\""
        case 0..<0x20, 0x7F...0x9F, 0x202A...0x202E, 0x2066...0x2069:
            guard controls == .kept else {
                cell += "\u{FFFD}"
                continue
            }
            if scalar.value == 0x0A || scalar.value == 0x0D { needsQuotes = true }
            cell.unicodeScalars.append(scalar)
        // Commas; and what some spreadsheets take for a border of cells, or of a text.
        case 0x2C, 0x3B, 0x20, 0x27:
            needsQuotes = true
            cell.unicodeScalars.append(scalar)
        default: cell.unicodeScalars.append(scalar)
        }
    }
    return needsQuotes ? "\"" + cell + "\"" : cell
}
