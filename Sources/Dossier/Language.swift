// Language.swift: the two languages of a dossier, and how each writes numbers and times.

internal import Foundation
internal import RecordReading

/// A language that a dossier is written in.
package enum Language: String, CaseIterable, Sendable {
    case french = "fr"
    case english = "en"
}

extension Language {
    /// The text of this language; French gets its no-break spaces.
    func of(_ french: String, _ english: String) -> String {
        self == .french ? typeset(french) : english
    }

    /// A number with its thousands apart: `54 000`, `54,000`.
    func number(_ value: some BinaryInteger) -> String {
        let digits = Array(String(value.magnitude).utf8)
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 {
                text += self == .french ? "\u{A0}" : ","
            }
            text.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return text
    }

    /// With one digit after the point: `1,6`, `1.6`.
    func number(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let whole = number(tenths / 10)
        guard tenths % 10 != 0 else { return whole }
        return whole + (self == .french ? "," : ".") + String(abs(tenths % 10))
    }

    /// A number and its noun: French takes the singular for 0.
    func counted(_ value: some BinaryInteger, _ noun: Noun) -> String {
        let isOne = self == .french ? value.magnitude < 2 : value == 1
        let forms = self == .french ? noun.french : noun.english
        return number(value) + "\u{A0}" + (isOne ? forms.0 : forms.1)
    }

    /// The minute in Paris: `28/11/2026 à 21 h 04`, `28 November 2026, 21:04`.
    func minute(_ milliseconds: UInt64) -> String {
        let local = Paris(milliseconds)
        return switch self {
        case .french: local.frenchDay + "\u{A0}à\u{A0}\(local.hour)\u{A0}h\u{A0}\(local.minute)"
        case .english: local.englishDay + ",\u{A0}\(local.hour):\(local.minute)"
        }
    }

    /// The day in Paris: `28/11/2026`, `28 November 2026`.
    func day(_ milliseconds: UInt64) -> String {
        let local = Paris(milliseconds)
        return self == .french ? local.frenchDay : local.englishDay
    }

    /// A span in its two largest units: `3 j 4 h`, `3 d 4 h`.
    func span(_ milliseconds: UInt64) -> String {
        let units: [(String, UInt64)] = [
            (self == .french ? "j" : "d", 86_400_000), ("h", 3_600_000), ("min", 60_000),
            ("s", 1000),
        ]
        var rest = milliseconds
        var parts: [String] = []
        for (name, length) in units {
            if rest >= length {
                parts.append("\(rest / length)\u{A0}\(name)")
            } else if !parts.isEmpty {
                break
            }
            rest %= length
            if parts.count == 2 { break }
        }
        return parts.isEmpty ? "0\u{A0}s" : parts.joined(separator: " ")
    }
}

/// A noun with its singular and plural in both languages.
struct Noun {
    let french: (String, String)
    let english: (String, String)

    static let patients = Noun(french: ("patient", "patients"), english: ("patient", "patients"))
    static let accesses = Noun(french: ("accès", "accès"), english: ("access", "accesses"))
    static let accounts = Noun(french: ("compte", "comptes"), english: ("account", "accounts"))
    static let structures = Noun(
        french: ("structure", "structures"), english: ("structure", "structures"))
    static let addresses = Noun(french: ("adresse", "adresses"), english: ("address", "addresses"))
    static let requests = Noun(french: ("requête", "requêtes"), english: ("request", "requests"))
    static let records = Noun(
        french: ("enregistrement", "enregistrements"), english: ("record", "records"))
    static let entries = Noun(french: ("entrée", "entrées"), english: ("entry", "entries"))
    static let days = Noun(french: ("jour", "jours"), english: ("day", "days"))
    static let letters = Noun(french: ("lettre", "lettres"), english: ("letter", "letters"))
    static let lines = Noun(french: ("ligne", "lignes"), english: ("line", "lines"))
}

/// A moment by the clocks of Paris.
struct Paris {
    /// `2026-11-28T21:04:05.123`, by which all parts are found.
    private let local: [UInt8]
    /// Seconds that Paris is ahead of UTC.
    let offset: Int

    init(_ milliseconds: UInt64) {
        offset = Self.offset(at: milliseconds)
        local = Array(Moment(milliseconds: milliseconds + UInt64(max(0, offset)) * 1000).stamp.utf8)
    }

    private static let zone = TimeZone(identifier: "Europe/Paris")

    /// Whether this machine knows the clocks of Paris; else times are UTC, and say so.
    static var isKnown: Bool { zone != nil }

    /// Seconds ahead of UTC; 0 where the machine has no table of zones.
    static func offset(at milliseconds: UInt64) -> Int {
        zone?.secondsFromGMT(for: Date(timeIntervalSince1970: Double(milliseconds) / 1000)) ?? 0
    }

    private func part(_ range: Range<Int>) -> String {
        String(decoding: local[range], as: UTF8.self)
    }

    var hour: String { part(11..<13) }
    var minute: String { part(14..<16) }
    var frenchDay: String { part(8..<10) + "/" + part(5..<7) + "/" + part(0..<4) }
    var englishDay: String {
        let month = Int(part(5..<7)) ?? 1
        return "\(Int(part(8..<10)) ?? 1)\u{A0}\(Self.months[max(0, min(11, month - 1))])\u{A0}"
            + part(0..<4)
    }
    /// `2026-11-28T21:04:05.123+01:00`.
    var stamp: String { String(decoding: local.dropLast(), as: UTF8.self) + shownOffset }

    private var shownOffset: String {
        let hours = offset / 3600
        return "+" + (hours < 10 ? "0" : "") + "\(hours):" + (offset % 3600 == 1800 ? "30" : "00")
    }

    private static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ]
}

/// A French text with no-break spaces where French wants them: before `: ; ! ? %` and within « ».
private func typeset(_ text: String) -> String {
    var text = text
    for sign in [":", ";", "!", "?", "%", "»"] {
        text = text.replacing(" " + sign, with: "\u{A0}" + sign)
    }
    return text.replacing("« ", with: "«\u{A0}")
}
