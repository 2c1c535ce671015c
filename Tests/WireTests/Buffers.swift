// Buffers.swift: the window of bytes, and what it refuses.

import Testing
import Wire

@Suite struct `A buffer` {
    @Test func `keeps its bytes in order as it moves and grows`() {
        let buffer = Buffer(capacity: 4)
        var expected: [UInt8] = []
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<2000 {
            if Bool.random(using: &generator) {
                let count = Int.random(in: 0...9, using: &generator)
                let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
                buffer.append(bytes.span)
                expected += bytes
            } else {
                let count = Int.random(in: 0...expected.count, using: &generator)
                buffer.consume(count)
                expected.removeFirst(count)
            }
            let held = buffer.withBytes { bytes in bytes.indices.map { bytes[$0] } }
            #expect(held == expected && buffer.count == expected.count)
        }
    }

    @Test func `writes numbers in decimal`() {
        let buffer = Buffer(capacity: 1)
        for value in [0, 9, 10, 1024, UInt64.max] {
            buffer.append(decimal: value)
            buffer.append(" ")
        }
        #expect(text(buffer) == "0 9 10 1024 18446744073709551615 ")
    }

    @Test func `does not move under whoever looks at it`() async {
        await #expect(processExitsWith: .failure) {
            let buffer = Buffer(capacity: 4)
            buffer.append("abcd")
            buffer.withBytes { bytes in buffer.append(bytes) }
        }
    }
}
