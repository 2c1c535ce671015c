// FieldWords.swift: the fields of an identity in plain words, as patients and authorities read them.

/// A set of fields, one bit each, in the order that a notice names them.
struct FieldSet: OptionSet, Hashable, Sendable {
    let rawValue: UInt16

    init(rawValue: UInt16) { self.rawValue = rawValue }

    /// What the record calls them, and what people do.
    private static let words: [(name: String, french: String, english: String)] = [
        ("name", "nom et prénoms", "family and given names"),
        ("birth-date", "date de naissance", "date of birth"),
        ("birth-place", "lieu de naissance", "place of birth"),
        ("gender", "sexe", "sex"),
        (
            "ins", "identité nationale de santé (numéro de sécurité sociale)",
            "national health identity number (social security number)"
        ),
        (
            "identifier", "identifiants internes d’établissements ou de services",
            "internal identifiers of hospitals or services"
        ),
        ("address", "adresse postale", "postal address"),
        ("phone", "numéro de téléphone", "telephone number"),
        ("mail", "adresse électronique", "e-mail address"),
        ("photo", "photographie", "photograph"),
        (
            "relatives", "proches (personne à prévenir, nom de la mère)",
            "relatives (contact person, mother’s name)"
        ),
        ("narrative", "texte libre", "free text"),
        ("other", "autres données", "other data"),
    ]

    /// The set of what the record names; what it names and nobody here knows is `other`.
    init(_ names: [String]) {
        var bits: UInt16 = 0
        for name in names {
            let index = Self.words.firstIndex { $0.name == name } ?? Self.words.count - 1
            bits |= 1 << UInt16(index)
        }
        self.init(rawValue: bits)
    }

    private var indices: [Int] { Self.words.indices.filter { rawValue >> UInt16($0) & 1 == 1 } }

    /// As the record names them.
    var names: [String] { indices.map { Self.words[$0].name } }

    /// In plain words.
    func words(_ language: Language) -> [String] {
        indices.map { language == .french ? Self.words[$0].french : Self.words[$0].english }
    }

    /// In one sentence; says so when the record does not tell.
    func sentence(_ language: Language) -> String {
        let words = words(language)
        guard !words.isEmpty else {
            return language.of("non précisées par le registre", "not told by the record")
        }
        return words.joined(separator: ", ")
    }

    /// Every field there is, alone.
    static var each: [FieldSet] { words.indices.map { FieldSet(rawValue: 1 << UInt16($0)) } }
}

/// What the record says of why nobody was shown, in plain words.
func words(ofRefusal why: String, _ language: Language) -> String {
    let known: [String: (String, String)] = [
        "limit": ("plafond atteint : réponse retenue", "limit reached: answer withheld"),
        "neutralized": ("compte ou accès neutralisé", "account or access neutralized"),
        "step-up": ("preuve d’identité renforcée exigée", "stronger proof of identity asked for"),
        "vague": ("recherche trop vague", "search too vague"),
        "miss": ("recherche sans résultat", "search that found nobody"),
        "answer-not-understood": (
            "réponse non comprise : retenue", "answer not understood: withheld"
        ),
        "not-recorded": (
            "enregistrement impossible : réponse retenue", "could not be recorded: withheld"
        ),
    ]
    guard let found = known[why] else { return why.isEmpty ? "–" : why }
    return language.of(found.0, found.1)
}
