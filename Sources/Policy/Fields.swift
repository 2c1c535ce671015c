// Fields.swift: a mapping read key by key, strictly.
//
// Whoever reads a mapping declares its keys first; a key nobody declared is an error, since a
// misspelt limit that is silently ignored protects nobody.

/// The entries of one mapping, and the problems found in them.
struct Fields {
    let place: SourceLocation
    /// What the mapping describes, with its article: `a route`.
    let subject: String
    let problems: Problems
    private let entries: [Entry]

    /// Nil, with an error, when `value` is no mapping.
    init?(_ value: Value, of subject: String, keys: [String], problems: Problems) {
        guard case .mapping(let entries) = value.content else {
            problems.error(
                value.place, "\(subject) must be a mapping, not \(value.kind)",
                hint: "write `key: value` lines")
            return nil
        }
        place = value.place
        self.subject = subject
        self.problems = problems
        self.entries = entries
        for entry in entries where !keys.contains(entry.key) && !problems.isFull {
            problems.error(
                entry.place, "unknown key \(quoted(entry.key)) in \(subject)",
                hint: hint(for: entry.key, among: keys))
        }
    }

    /// The entry of `key`, if it stands here.
    subscript(key: String) -> Entry? { entries.first { $0.key == key } }

    /// All entries, in the order they were written.
    var all: [Entry] { entries }

    /// Where `key` stands, or else the mapping.
    func place(of key: String) -> SourceLocation { self[key]?.place ?? place }

    /// The entry of `key`; an error when there is none.
    func required(_ key: String) -> Entry? {
        if let entry = self[key] { return entry }
        problems.error(place, "\(subject) needs `\(key)`")
        return nil
    }

    /// The text of `key` as `read` understands it; nil when missing, or wrong (then an error).
    func optional<Result>(
        _ key: String, _ read: (Scalar) throws(Complaint) -> Result
    ) -> Result? {
        guard let entry = self[key] else { return nil }
        return scalar(entry.value, called: key, problems, read)
    }

    /// The same, where a missing `key` is an error.
    func required<Result>(
        _ key: String, _ read: (Scalar) throws(Complaint) -> Result
    ) -> Result? {
        guard let entry = required(key) else { return nil }
        return scalar(entry.value, called: key, problems, read)
    }

    /// The same, where a missing `key` means `standard`.
    func optional<Result>(
        _ key: String, default standard: Result, _ read: (Scalar) throws(Complaint) -> Result
    ) -> Result {
        optional(key, read) ?? standard
    }

    /// The values of a list; empty when `key` is missing or is no list (then an error).
    func list(_ key: String, countMax: Int) -> [Value] {
        guard let entry = self[key] else { return [] }
        guard case .list(let values) = entry.value.content else {
            problems.error(
                entry.value.place, "`\(key)` must be a list, not \(entry.value.kind)",
                hint: "write `[a, b]` or lines that begin with `- `")
            return []
        }
        guard values.count <= countMax else {
            problems.error(
                entry.place, "`\(key)` has \(values.count) items, at most \(countMax) are allowed")
            return []
        }
        return values
    }

    /// The texts of a list as `read` understands them, each with its place.
    func texts<Result>(
        _ key: String, countMax: Int, _ read: (Scalar) throws(Complaint) -> Result
    ) -> [(value: Result, place: SourceLocation)] {
        list(key, countMax: countMax).compactMap { value in
            scalar(value, called: key, problems, read).map { ($0, value.place) }
        }
    }
}

/// A text as it was written.
struct Scalar {
    let text: String
    let isQuoted: Bool
    let place: SourceLocation
}

/// Reads one value as a text; `name` is the key it belongs to.
func scalar<Result>(
    _ value: Value, called name: String, _ problems: Problems,
    _ read: (Scalar) throws(Complaint) -> Result
) -> Result? {
    switch value.content {
    case .scalar(let text, let isQuoted):
        do {
            return try read(Scalar(text: text, isQuoted: isQuoted, place: value.place))
        } catch {
            problems.error(value.place, "`\(name)`: \(error.message)", hint: error.hint)
        }
    case .nothing:
        problems.error(value.place, "`\(name)` has no value")
    case .list, .mapping:
        problems.error(value.place, "`\(name)` must be a single value, not \(value.kind)")
    }
    return nil
}
