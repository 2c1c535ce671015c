// Mutations.swift: no text, however broken, stops the gate that is asked to read it.

import Testing

@testable import Policy

@Suite struct `A broken configuration` {
    @Test(arguments: [UInt64(1), 2, 3, 4])
    func `is answered with diagnostics, never with a trap`(seed: UInt64) {
        var random = Seeded(seed)
        let good = Array(sample.utf8)
        let pieces = [
            "&a ", "*a", "!!str ", "\n", "  ", "{", "}", "[", "]", ": ", "- ", "? ", "\"", "'", "|",
            ">", "#", "%", "999999999999999999999", "1m", "~", "<<: ", "é", "\u{FEFF}", "---\n",
            "...\n", "\\x", "\"\\ud800\"", "name: ", "limits: ", "\t", "\r", ",",
        ].map { Array($0.utf8) }
        for _ in 0..<500 {
            var bytes = good
            for _ in 0...Int(random.next() % 4) {
                mutate(&bytes, pieces, &random)
            }
            let loaded = ConfigurationLoader.load(text: bytes)
            // Seen as one line each: a message holds nothing of the input that could break it.
            let lines = loaded.diagnostics.map(\.description)
            #expect(lines.allSatisfy { !$0.contains { $0.isNewline } }, "seed \(seed)")
            #expect(
                (loaded.configuration == nil)
                    == loaded.diagnostics.contains { $0.severity == .error }, "seed \(seed)")
        }
    }

    private func mutate(_ bytes: inout [UInt8], _ pieces: [[UInt8]], _ random: inout Seeded) {
        let at = Int(random.next() % UInt64(bytes.count + 1))
        switch random.next() % 5 {
        case 0:
            bytes.insert(contentsOf: pieces.randomElement(using: &random) ?? [], at: at)
        case 1:
            let end = min(bytes.count, at + Int(random.next() % 12))
            bytes.removeSubrange(at..<end)
        case 2:
            guard at < bytes.count else { return }
            bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 3:
            let end = min(bytes.count, at + Int(random.next() % 60))
            bytes.insert(contentsOf: Array(bytes[at..<end]), at: at)
        default:
            bytes.removeSubrange(at...)
        }
    }
}
