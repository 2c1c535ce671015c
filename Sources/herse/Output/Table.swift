// Table.swift: aligned columns for people.

/// A table: a heading and rows of as many cells; numbers to the right.
struct Table {
    private let headings: [String]
    private let numeric: Set<Int>
    private var rows: [[String]] = []

    /// A heading that begins with ">" is of a column of numbers.
    init(_ headings: String...) {
        numeric = Set(headings.indices.filter { headings[$0].hasPrefix(">") })
        self.headings = headings.map { $0.hasPrefix(">") ? String($0.dropFirst()) : $0 }
    }

    /// Adds a row; what is nil or empty shows as "-".
    mutating func add(_ cells: String?...) {
        rows.append(cells.map { $0.map(printable) ?? "" }.map { $0.isEmpty ? "-" : $0 })
    }

    var text: String {
        let all = [headings] + rows
        let widths = headings.indices.map { column in
            all.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
        }
        return all.map { row in
            var line = ""
            for (column, cell) in row.enumerated() where column < widths.count {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                if column > 0 { line += "  " }
                line += numeric.contains(column) ? padding + cell : cell + padding
            }
            while line.last == " " { line.removeLast() }
            return line
        }.joined(separator: "\n")
    }
}

/// `text` without control characters: what came over the network must not drive a terminal.
func printable(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars {
        let isPlain = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
        shown.unicodeScalars.append(isPlain ? scalar : "\u{FFFD}")
    }
    return shown
}
