// Language.swift: which of its two languages a page speaks.

/// A language of the pages.
enum Language: String, CaseIterable, Sendable {
    case french = "fr"
    case english = "en"

    var words: Words { self == .french ? .french : .english }

    /// What was chosen on the page, else what the browser prefers, RFC 9110 §12.5.4; French, where
    /// it says neither.
    static func of(chosen: String?, accepted: String) -> Language {
        if let chosen, let language = Language(rawValue: chosen) { return language }
        var best: (language: Language, weight: Int)?
        for range in accepted.utf8.prefix(512).split(separator: UInt8(ascii: ",")).prefix(32) {
            let parts = range.split(separator: UInt8(ascii: ";"))
            guard let tag = parts.first.flatMap({ String(Substring($0)) }).map(trimmed),
                let language = Language(rawValue: String(tag.prefix(2)).lowercased()),
                tag.utf8.count == 2 || tag.utf8.dropFirst(2).first == UInt8(ascii: "-")
            else { continue }
            let weight =
                parts.dropFirst().lazy.compactMap { Self.weight(of: String(Substring($0))) }
                .first ?? 1000
            if weight > best?.weight ?? 0 { best = (language, weight) }
        }
        return best?.language ?? .french
    }

    private static func trimmed(_ text: String) -> String { text.filter { $0 != " " } }

    /// Thousandths of `q=0.8`.
    private static func weight(of parameter: String) -> Int? {
        let text = trimmed(parameter).lowercased()
        guard text.hasPrefix("q=") else { return nil }
        let digits = Array(text.utf8.dropFirst(2))
        guard let whole = digits.first, digits.count <= 5 else { return nil }
        if whole == UInt8(ascii: "1") { return 1000 }
        guard whole == UInt8(ascii: "0") else { return nil }
        var weight = 0
        for place in 2..<5 {
            guard place < digits.count else {
                weight *= 10
                continue
            }
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digits[place]) else {
                return nil
            }
            weight = weight * 10 + Int(digits[place] - UInt8(ascii: "0"))
        }
        return weight
    }
}
