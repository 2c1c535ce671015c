// ListHeader.swift: what a signed list says of itself before it names anybody.
//
//     herse-list 1
//     issuer cert-sante
//     sequence 42
//     issued 2026-11-20T08:00:00Z
//     next-update 2026-11-21T08:00:00Z
//     hash-key 2026-a
//     (an empty line, then the lines of a neutralization list)

package import Neutralization

/// The header of a signed list, and where its lines begin.
package struct ListHeader: Equatable, Sendable {
    /// Who issued it, as the configuration names them.
    package let issuer: String
    /// Grows with every issue: 1…2⁶²; an earlier one never replaces a later one.
    package let sequence: UInt64
    package let issued: UnixSeconds
    /// When another one is due at the latest.
    package let nextUpdate: UnixSeconds?
    /// Under which shared key its hashed accounts were hashed.
    package let hashKey: String?
    /// Offset of the first line after the empty one, and its number.
    package let bodyStart: Int
    package let bodyLine: Int

    /// Bytes and lines a header may take.
    static let bytesMax = 4096
    static let linesMax = 16
}

/// What is wrong with a header.
package struct ListHeaderError: Error, Equatable, Sendable {
    /// From 1.
    package let line: Int
    package let message: String
}

extension ListHeader {
    /// Reads the header of a whole list.
    package init(_ bytes: Span<UInt8>) throws(ListHeaderError) {
        var fields: [String: String] = [:]
        var position = 0
        var line = 0
        while true {
            line += 1
            guard line <= Self.linesMax, position < bytes.count, position < Self.bytesMax else {
                throw ListHeaderError(
                    line: line, message: "the header does not end (an empty line is expected)")
            }
            var end = position
            while end < bytes.count, bytes[end] != 0x0A { end += 1 }
            guard end < bytes.count else {
                throw ListHeaderError(line: line, message: "the line does not end")
            }
            let text = try headerText(bytes, position..<end, line: line)
            position = end + 1
            if text.isEmpty { break }
            let words = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard words.count == 2, !words[1].isEmpty, !words[1].contains(" ") else {
                throw ListHeaderError(line: line, message: "is not `NAME VALUE`")
            }
            let name = String(words[0])
            if line == 1, name != "herse-list" {
                throw ListHeaderError(line: 1, message: "a signed list begins with `herse-list 1`")
            }
            guard Self.names.contains(name) else {
                throw ListHeaderError(line: line, message: "unknown field `\(name)`")
            }
            guard fields.updateValue(String(words[1]), forKey: name) == nil else {
                throw ListHeaderError(line: line, message: "`\(name)` is given twice")
            }
        }
        try self.init(fields, start: position, line: line + 1)
    }

    private static let names: Set<String> = [
        "herse-list", "issuer", "sequence", "issued", "next-update", "hash-key",
    ]

    private init(
        _ fields: [String: String], start: Int, line: Int
    ) throws(ListHeaderError) {
        func needed(_ name: String) throws(ListHeaderError) -> String {
            guard let value = fields[name] else {
                throw ListHeaderError(line: 1, message: "`\(name)` is missing")
            }
            return value
        }
        func time(_ name: String, _ value: String) throws(ListHeaderError) -> UnixSeconds {
            guard let time = UnixSeconds(rfc3339: value) else {
                throw ListHeaderError(
                    line: 1, message: "`\(name)` is not a time (as in 2026-11-20T08:00:00Z)")
            }
            return time
        }
        guard try needed("herse-list") == "1" else {
            throw ListHeaderError(line: 1, message: "a list of another version")
        }
        issuer = try needed("issuer")
        let digits = try needed("sequence")
        guard digits.utf8.count <= 18, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let number = UInt64(digits), number > 0
        else { throw ListHeaderError(line: 1, message: "`sequence` is not a number from 1") }
        sequence = number
        issued = try time("issued", try needed("issued"))
        if let text = fields["next-update"] {
            nextUpdate = try time("next-update", text)
        } else {
            nextUpdate = nil
        }
        hashKey = fields["hash-key"]
        bodyStart = start
        bodyLine = line
    }
}

/// A line of printable ASCII, without its end.
private func headerText(
    _ bytes: Span<UInt8>, _ range: Range<Int>, line: Int
) throws(ListHeaderError) -> String {
    var text = ""
    for index in range {
        let byte = bytes[index]
        if byte == 0x0D, index + 1 == range.upperBound { break }
        guard byte >= 0x20, byte < 0x7F else {
            throw ListHeaderError(line: line, message: "is not printable ASCII")
        }
        text.unicodeScalars.append(Unicode.Scalar(byte))
    }
    return text
}
