// PatientSearch.swift: which patients a search asks for, FHIR R4 §3.1.1.4.

/// A search of patients: every criterion must hold, by any of its values.
struct PatientSearch: Sendable {
    private enum Criterion: Sendable {
        case family([TextMatch])
        case given([TextMatch])
        case name([TextMatch])
        case birthDate([DateMatch])
        case identifier([Token])
        case id([String])
        case gender([String])
    }

    private var criteria: [Criterion] = []
    /// Entries of a page.
    private(set) var count = 20

    static let countMax = 100

    init(_ form: SearchForm) throws(SearchError) {
        for field in form.fields {
            let sides = field.name.split(separator: ":", maxSplits: 1)
            guard let name = sides.first else { throw .unknownParameter("") }
            let modifier = sides.count > 1 ? String(sides[1]) : ""
            let values = field.value.split(separator: ",").map(String.init)
            switch name {
            case "family": criteria.append(.family(try texts(values, field.name, modifier)))
            case "given": criteria.append(.given(try texts(values, field.name, modifier)))
            case "name": criteria.append(.name(try texts(values, field.name, modifier)))
            case "birthdate" where modifier.isEmpty:
                var dates: [DateMatch] = []
                for value in values {
                    guard let date = DateMatch(value) else {
                        throw .badValue(parameter: field.name)
                    }
                    dates.append(date)
                }
                criteria.append(.birthDate(dates))
            case "identifier" where modifier.isEmpty:
                criteria.append(.identifier(values.map(Token.init)))
            case "_id" where modifier.isEmpty: criteria.append(.id(values))
            case "gender" where modifier.isEmpty: criteria.append(.gender(values))
            case "_count":
                guard let number = Int(field.value), number >= 0 else {
                    throw .badValue(parameter: field.name)
                }
                count = min(number, Self.countMax)
            case "_format", "_pretty", "_total": break
            default: throw .unknownParameter(String(field.name.prefix(64)))
            }
        }
    }

    /// Whether this patient is asked for.
    func matches(_ resource: PatientResource) -> Bool {
        criteria.allSatisfy { criterion in
            switch criterion {
            case .family(let texts): texts.contains { $0.matches(resource.family) }
            case .given(let texts):
                texts.contains { text in resource.given.contains { text.matches($0) } }
            case .name(let texts):
                texts.contains { text in
                    text.matches(resource.family) || resource.given.contains { text.matches($0) }
                }
            case .birthDate(let dates):
                dates.contains { $0.matches(resource.patient.birthDate.ordinal) }
            case .identifier(let tokens): tokens.contains { $0.matches(resource.patient) }
            case .id(let ids): ids.contains(resource.patient.id)
            case .gender(let words): words.contains(resource.patient.isWoman ? "female" : "male")
            }
        }
    }
}

/// A text to find: by its beginning, whole, or anywhere.
private struct TextMatch: Sendable {
    let wanted: [UInt8]
    let modifier: String

    func matches(_ folded: [UInt8]) -> Bool {
        switch modifier {
        case "exact": folded == wanted
        case "contains": folded.count >= wanted.count && contains(folded)
        default: folded.starts(with: wanted)
        }
    }

    private func contains(_ folded: [UInt8]) -> Bool {
        (0...(folded.count - wanted.count)).contains { folded[$0...].starts(with: wanted) }
    }
}

private func texts(
    _ values: [String], _ name: String, _ modifier: String
) throws(SearchError) -> [TextMatch] {
    guard ["", "exact", "contains"].contains(modifier) else {
        throw .unknownParameter(String(name.prefix(64)))
    }
    return values.map {
        TextMatch(wanted: Array(foldedForSearch($0).utf8), modifier: modifier)
    }
}

/// An identifier to find: `SYSTEM|VALUE`, `|VALUE` or `VALUE`.
private struct Token: Sendable {
    let system: String?
    let value: String

    init(_ text: String) {
        let sides = text.split(separator: "|", maxSplits: 1, omittingEmptySubsequences: false)
        system = sides.count > 1 ? String(sides[0]) : nil
        value = sides.last.map(String.init) ?? ""
    }

    func matches(_ patient: SamplePatient) -> Bool {
        (patient.localIdentifier == value && accepts(SamplePatient.localSystem))
            || (patient.ins == value && accepts(SamplePatient.insSystem))
    }

    private func accepts(_ known: String) -> Bool { system == nil || system == known }
}

/// A day, a month or a year, and how a date must stand to it.
private struct DateMatch: Sendable {
    private let comparison: String
    private let first: Int
    private let last: Int

    init?(_ text: String) {
        let prefix = text.prefix { $0.isLetter }
        guard ["", "eq", "ne", "gt", "ge", "lt", "le"].contains(prefix) else { return nil }
        let parts = text.dropFirst(prefix.count).split(
            separator: "-", omittingEmptySubsequences: false)
        let widths = [4, 2, 2]
        var numbers: [Int] = []
        for (part, width) in zip(parts, widths) {
            guard part.utf8.count == width, let number = Int(part), number >= 0 else { return nil }
            numbers.append(number)
        }
        guard (1...3).contains(parts.count), let year = numbers.first else { return nil }
        comparison = String(prefix)
        let months = numbers.count > 1 ? (numbers[1], numbers[1]) : (0, 99)
        let days = numbers.count > 2 ? (numbers[2], numbers[2]) : (0, 99)
        first = CalendarDay(year: year, month: months.0, day: days.0).ordinal
        last = CalendarDay(year: year, month: months.1, day: days.1).ordinal
    }

    func matches(_ ordinal: Int) -> Bool {
        switch comparison {
        case "ne": ordinal < first || ordinal > last
        case "gt": ordinal > last
        case "ge": ordinal >= first
        case "lt": ordinal < first
        case "le": ordinal <= last
        default: first <= ordinal && ordinal <= last
        }
    }
}
