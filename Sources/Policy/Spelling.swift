// Spelling.swift: what a mistyped word was probably meant to be.

/// The known word nearest to `word`, if it is near enough to be a slip of the hand.
func nearest(to word: String, among known: [String]) -> String? {
    let lengthMax = 48
    guard !word.isEmpty, word.utf8.count <= lengthMax else { return nil }
    let wanted = plain(word)
    var best: (word: String, distance: Int)?
    for candidate in known {
        let distance = editDistance(wanted, plain(candidate))
        guard distance <= max(1, candidate.utf8.count / 3) else { continue }
        if distance < best?.distance ?? .max { best = (candidate, distance) }
    }
    return best?.word
}

/// The hint that goes with an unknown word: the near one, or all that are known.
func hint(for word: String, among known: [String]) -> String {
    if let near = nearest(to: word, among: known) { return "did you mean `\(near)`?" }
    return "known: " + known.joined(separator: ", ")
}

/// Case and the choice between `-` and `_` are no difference of spelling.
private func plain(_ word: String) -> [UInt8] {
    word.utf8.map { byte in
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte | 0x20
        case UInt8(ascii: "-"): UInt8(ascii: "_")
        default: byte
        }
    }
}

/// Insertions, deletions, replacements and swaps of neighbours between two short words.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, byte) in left.enumerated() {
        var current = [row + 1]
        for (column, other) in right.enumerated() {
            var distance = last[column] + (byte == other ? 0 : 1)
            distance = min(distance, last[column + 1] + 1, current[column] + 1)
            let isSwap =
                row > 0 && column > 0 && byte == right[column - 1] && left[row - 1] == other
            if isSwap { distance = min(distance, beforeLast[column - 1] + 1) }
            current.append(distance)
        }
        beforeLast = last
        last = current
    }
    return last[right.count]
}
