// SamplePatient.swift: a patient who does not exist, drawn from a seed.

/// A synthetic patient; two runs with one seed make the same ones.
package struct SamplePatient: Equatable, Sendable {
    package let id: String
    package let family: String
    package let given: [String]
    package let isWoman: Bool
    package let birthDate: CalendarDay
    /// INSEE code of the commune of birth.
    package let birthPlace: String
    /// Matricule INS: 13 characters and the key of 2 digits, under the OID kept for tests.
    package let ins: String
    package let localIdentifier: String
    package let phone: String
    package let mail: String
    package let street: String
    package let city: String
    package let postalCode: String

    package static let insSystem = "urn:oid:1.2.250.1.213.1.4.10"
    package static let localSystem = "https://mpi.example/identifiers/ipp"
}

/// A day of the civil calendar.
package struct CalendarDay: Equatable, Sendable, CustomStringConvertible {
    package let year: Int
    package let month: Int
    package let day: Int

    /// As FHIR writes a date.
    package var description: String {
        "\(padded(year, to: 4))-\(padded(month, to: 2))-\(padded(day, to: 2))"
    }

    /// Grows with time, so that days compare as numbers.
    var ordinal: Int { (year * 100 + month) * 100 + day }
}

/// Makes `count` patients; the same ones for the same seed.
func samplePatients(count: Int, seed: UInt64) -> [SamplePatient] {
    var random = SeededGenerator(state: seed)
    return (1...max(1, count)).map { samplePatient(number: $0, using: &random) }
}

private func samplePatient(number: Int, using random: inout SeededGenerator) -> SamplePatient {
    let isWoman = Bool.random(using: &random)
    let names = isWoman ? SampleNames.women : SampleNames.men
    let family = random.pick(SampleNames.families)
    var given = [random.pick(names)]
    for _ in 0..<random.below(3) {
        let another = random.pick(names)
        if !given.contains(another) { given.append(another) }
    }
    let birth = CalendarDay(
        year: 1930 + random.below(95), month: 1 + random.below(12), day: 1 + random.below(28))
    let place = random.pick(SampleNames.communes)
    let home = random.pick(SampleNames.communes)
    let body =
        (isWoman ? "2" : "1") + padded(birth.year % 100, to: 2) + padded(birth.month, to: 2)
        + place.code + padded(1 + random.below(989), to: 3)
    let mailName = plainLetters(given[0]) + "." + plainLetters(family)
    return SamplePatient(
        id: "p\(padded(number, to: 6))", family: family, given: given, isWoman: isWoman,
        birthDate: birth, birthPlace: place.code, ins: body + padded(matriculeKey(body), to: 2),
        localIdentifier: "IPP\(padded(8_000_000 + number, to: 8))",
        // 06 39 98 is the range the regulator keeps for fiction.
        phone: "+3363998" + padded(random.below(10_000), to: 4),
        mail: "\(mailName).\(number)@patient.example",
        street: "\(1 + random.below(120)) \(random.pick(SampleNames.streets))", city: home.name,
        postalCode: home.postalCode)
}

/// The key of a matricule's first 13 characters: 97 less the rest of their division by 97, Corsica
/// counted as 19 (2A) and 18 (2B).
func matriculeKey(_ body: String) -> Int {
    var rest = 0
    let digits = body.replacing("2A", with: "19").replacing("2B", with: "18")
    for byte in digits.utf8 { rest = (rest * 10 + Int(byte & 0x0F)) % 97 }
    return 97 - rest
}

func padded(_ number: Int, to width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

/// Lower-case ASCII letters of `text`, accents and separators gone.
private func plainLetters(_ text: String) -> String {
    foldedForSearch(text).filter { $0.isASCII && $0.isLetter }
}

/// SplitMix64: small, and the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &self) }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}
