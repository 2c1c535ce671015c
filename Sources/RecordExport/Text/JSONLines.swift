// JSONLines.swift: entries as the record has them, in clear, with their number.

/// An entry's own JSON with its number before all else, and a line feed.
package func jsonLine(number: UInt64, _ line: [UInt8]) -> [UInt8] {
    guard line.first == UInt8(ascii: "{") else { return line + [0x0A] }
    let isEmpty = line.dropFirst().first { $0 != 0x20 } == UInt8(ascii: "}")
    let head = "{\"entry\":\(number)" + (isEmpty ? "" : ",")
    return Array(head.utf8) + line.dropFirst() + [0x0A]
}
