// WordTable.swift: fixed words and what each stands for, found by their bytes.
//
// No string is made of what a client sends: a lookup compares bytes, eight times at most for the
// hundred and fifty types of FHIR.

/// Words of a protocol and their meanings.
struct WordTable<Meaning: Sendable>: Sendable {
    private let bytes: [UInt8]
    /// Where each word begins in `bytes`, and where the last one ends.
    private let starts: [Int]
    private let meanings: [Meaning]

    /// Each meaning with its words, which blanks part; no two words differ in case alone.
    init(_ groups: [(Meaning, String)]) {
        var words: [(word: [UInt8], meaning: Meaning)] = []
        for (meaning, text) in groups {
            for word in text.split(whereSeparator: \.isWhitespace) {
                words.append((Array(word.utf8), meaning))
            }
        }
        words.sort { $0.word.map(folded).lexicographicallyPrecedes($1.word.map(folded)) }
        var bytes: [UInt8] = []
        var starts = [0]
        for (word, _) in words {
            bytes.append(contentsOf: word)
            starts.append(bytes.count)
        }
        self.bytes = bytes
        self.starts = starts
        meanings = words.map(\.meaning)
    }

    /// What the word stands for, whatever its case, and whether it is spelled as it should be.
    func find(_ word: Span<UInt8>) -> (meaning: Meaning, isExact: Bool)? {
        var low = 0
        var high = meanings.count
        while low < high {
            let middle = (low + high) / 2
            switch order(of: word, at: middle) {
            case 0: return (meanings[middle], isExact(word, at: middle))
            case ..<0: high = middle
            default: low = middle + 1
            }
        }
        return nil
    }

    /// What the word stands for, spelled exactly so.
    func exactly(_ word: Span<UInt8>) -> Meaning? {
        guard let found = find(word), found.isExact else { return nil }
        return found.meaning
    }

    /// Below 0 when `word` comes before the one at `place`, above when after it.
    private func order(of word: Span<UInt8>, at place: Int) -> Int {
        let start = starts[place]
        let length = starts[place + 1] - start
        var offset = 0
        while offset < word.count, offset < length {
            let left = Int(folded(word[offset]))
            let right = Int(folded(bytes[start + offset]))
            if left != right { return left - right }
            offset += 1
        }
        return word.count - length
    }

    private func isExact(_ word: Span<UInt8>, at place: Int) -> Bool {
        for offset in word.indices where word[offset] != bytes[starts[place] + offset] {
            return false
        }
        return true
    }
}

/// An ASCII capital as its small letter, anything else as it is.
@inline(__always)
func folded(_ byte: UInt8) -> UInt8 {
    byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte + 0x20 : byte
}

/// Whether the text begins with `prefix`, which has no capitals, in any case.
func hasPrefix(_ text: Span<UInt8>, _ prefix: StaticString) -> Bool {
    let count = prefix.utf8CodeUnitCount
    guard text.count >= count else { return false }
    for offset in 0..<count {
        // Safe because offset is below the length of the text, which lives for ever.
        guard folded(text[offset]) == (unsafe prefix.utf8Start[offset]) else { return false }
    }
    return true
}
