// Telling.swift: the words that all pages of a dossier share.

internal import RecordReading

/// A dossier told in one language.
struct Telling {
    let language: Language
    let reckoning: Reckoning
    let order: DossierOrder
    /// Keys of the patients, in the order of their references.
    let patients: [UInt64]

    /// Rows of a table that the CSV beside it has in full.
    static let rowsMax = 100

    func say(_ french: String, _ english: String) -> String { language.of(french, english) }

    func number(_ value: some BinaryInteger) -> Markup { .text(language.number(value)) }

    /// The minute in Paris, and the moment in UTC below.
    func moment(_ milliseconds: UInt64) -> Markup {
        guard milliseconds != 0, milliseconds != .max else { return .text("–") }
        let utc = Markup.element(
            "span", [("class", "utc")], .text(utcSecond(milliseconds)))
        guard Paris.isKnown else { return utc }
        return .text(language.minute(milliseconds)) + .element("br") + utc
    }

    /// `2026-11-28T20:04:05Z`: milliseconds are in the lists.
    private func utcSecond(_ milliseconds: UInt64) -> String {
        String(Moment(milliseconds: milliseconds).stamp.dropLast(5)) + "Z"
    }

    /// The minute in Paris with its zone, in a sentence.
    func minute(_ milliseconds: UInt64) -> String {
        guard Paris.isKnown else { return language.minute(milliseconds) + " UTC" }
        return language.minute(milliseconds) + say(" (heure de Paris)", " (Paris time)")
    }

    /// Both ends of what was met.
    func ends(_ met: Frequency) -> [Markup] {
        met.count == 0 ? [.text("–"), .text("–")] : [moment(met.first), moment(met.last)]
    }

    func counted(_ value: some BinaryInteger, _ noun: Noun) -> String {
        language.counted(value, noun)
    }

    /// A structure by its number; words for none.
    func structure(_ number: Int32) -> Markup {
        let name = reckoning.structures.name(number)
        return name.isEmpty ? .text(say("sans structure", "without a structure")) : code(name)
    }

    /// What somebody must fill in.
    var blank: Markup {
        .element("span", [("class", "blank")], .text(say("à compléter", "to be completed")))
    }

    /// A text from the command line, or room for it.
    func given(_ text: String) -> Markup { text.isEmpty ? blank : .text(text) }

    /// Said below a table that was cut.
    func more(_ count: Int, _ file: String) -> Markup {
        guard count > Self.rowsMax else { return .empty }
        return paragraph(
            .text(
                say(
                    "Seules les \(Self.rowsMax) premières lignes sur "
                        + "\(language.number(count)) sont imprimées ici ; toutes sont dans ",
                    "Only the first \(Self.rowsMax) rows of \(language.number(count)) are printed "
                        + "here; all are in ")),
            code(file), .text("."))
    }

    /// Of what the dossier is, in words.
    var subject: [Markup] {
        let scope = reckoning.scope
        let kinds: [(String, [String])] = [
            (say("Comptes", "Accounts"), scope.professionals.sorted()),
            (say("Certificats", "Certificates"), scope.certificates.sorted()),
            (say("Sessions ou jetons", "Sessions or tokens"), scope.sessions.sorted()),
            (say("Structures", "Structures"), scope.structures.sorted()),
            (say("Réseaux", "Networks"), scope.networks),
        ]
        let named = kinds.filter { !$0.1.isEmpty }
        guard !named.isEmpty else {
            return [
                .text(say("étendue inconnue : tous les comptes", "extent unknown: all accounts"))
            ]
        }
        return named.map { kind, values in
            .text(kind + say(" : ", ": "))
                + values.enumerated().map { index, value in
                    (index > 0 ? Markup.text(", ") : .empty) + code(value)
                }.together
        }
    }

    /// Every field that was shown, with how many patients.
    var fields: [(FieldSet, Int)] {
        var counts = [Int](repeating: 0, count: FieldSet.each.count)
        for (_, patient) in reckoning.patients {
            let fields = patient.fields
            for (index, field) in FieldSet.each.enumerated() where fields.contains(field) {
                counts[index] += 1
            }
        }
        return zip(FieldSet.each, counts).filter { $0.1 > 0 }.map { ($0.0, $0.1) }
    }

    /// All fields that anybody's identity was shown with.
    var allFields: FieldSet { fields.reduce(FieldSet()) { $0.union($1.0) } }

    /// `12 patients`, and how many more there may be.
    var extent: String {
        var text = counted(reckoning.patients.count, .patients)
        if reckoning.assumed > 0 {
            text += say(
                " identifiés, et au plus \(language.number(reckoning.assumed)) inconnus",
                " known, and at most \(language.number(reckoning.assumed)) unknown")
        }
        return text
    }
}
