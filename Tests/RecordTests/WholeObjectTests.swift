// WholeObjectTests.swift: whether a line is whole, looked at eight bytes at a time and one by one.

import Testing

@testable import Record

@Suite struct `A line` {
    /// The same, a byte at a time.
    private func isWhole(_ line: [UInt8]) -> Bool {
        guard line.count > 1, line.first == 0x7B, line.last == 0x7D else { return false }
        var depth = 0
        var (isInText, isEscaped) = (false, false)
        for (index, byte) in line.enumerated() {
            if isInText {
                if !isEscaped, byte == 0x22 { isInText = false }
                isEscaped = !isEscaped && byte == 0x5C
            } else if byte == 0x22 {
                isInText = true
            } else if byte == 0x7B {
                depth += 1
            } else if byte == 0x7D {
                depth -= 1
                if depth == 0 { return index == line.count - 1 }
            }
        }
        return false
    }

    @Test func `is whole when it ends as it begins, wherever it is torn`() {
        let line = Array(
            #"{"a":"twenty letters and {braces}","b\\":"\"}","c":{"d":"\\\\"},"é":"é"}"#.utf8)
        let isWholeAtAll = isWholeObject(line.span)
        #expect(isWholeAtAll)
        for end in 0..<line.count {
            let torn = Array(line[..<end])
            let isSaidWhole = isWholeObject(torn.span)
            #expect(!isSaidWhole && !isWhole(torn), "\(end)")
        }
    }

    @Test func `is judged alike eight bytes at a time`() {
        var random = SystemRandomNumberGenerator()
        let letters = Array(#"{}"\a:,"#.utf8) + [0xA2, 0xDC, 0x23, 0x21, 0x5D, 0x5B]
        var whole = 0
        for _ in 0..<20_000 {
            let inside = (0..<Int.random(in: 0..<30, using: &random)).map { _ in
                letters.randomElement(using: &random) ?? 0
            }
            let line = [0x7B] + inside + [0x7D]
            if isWhole(line) { whole += 1 }
            let isSaidWhole = isWholeObject(line.span)
            #expect(isSaidWhole == isWhole(line), "\(line)")
        }
        #expect(whole > 100)
    }
}
