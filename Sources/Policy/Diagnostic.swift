// Diagnostic.swift: what is wrong with a configuration, and where.

/// A place in a file an operator wrote.
package struct SourceLocation: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Path as it was given or found, relative to the working directory or absolute.
    package let file: String
    /// Line, from 1.
    package let line: Int
    /// Column in characters, from 1.
    package let column: Int

    package init(file: String, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }

    /// The first character of a file, for problems of the whole file.
    package init(startOf file: String) { self.init(file: file, line: 1, column: 1) }

    /// `FILE:LINE`, as decisions name their rule.
    package var description: String { "\(file):\(line)" }

    package static func < (left: SourceLocation, right: SourceLocation) -> Bool {
        (left.file, left.line, left.column) < (right.file, right.line, right.column)
    }
}

/// One problem of a configuration, printed `FILE:LINE:COLUMN: error: WHAT (hint)`.
package struct Diagnostic: Equatable, Sendable, CustomStringConvertible {
    /// Whether it keeps the configuration from being put in force.
    package enum Severity: String, Sendable {
        /// The configuration cannot be put in force.
        case error
        /// It can, but is likely not what was meant.
        case warning
    }

    package let place: SourceLocation
    package let severity: Severity
    /// What is wrong: lower case, no final period, input in backticks.
    package let message: String
    /// What to do about it.
    package let hint: String?

    package init(
        _ place: SourceLocation, _ severity: Severity, _ message: String, hint: String? = nil
    ) {
        self.place = place
        self.severity = severity
        self.message = message
        self.hint = hint
    }

    package var file: String { place.file }
    package var line: Int { place.line }
    package var column: Int { place.column }

    package var description: String {
        let tail = hint.map { " (\($0))" } ?? ""
        return "\(file):\(line):\(column): \(severity.rawValue): \(message)\(tail)"
    }
}

/// Why a value was refused, before it is known where it stands.
struct Complaint: Error {
    let message: String
    let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}

/// Everything found wrong so far, collected so that an operator sees all of it at once.
final class Problems {
    /// Errors kept, and as many warnings; a file of garbage must not answer with a flood.
    static let countMax = 1000

    private var found: [Diagnostic] = []
    /// All errors, those not kept included.
    private(set) var errorCount = 0
    private var warningCount = 0

    func error(_ place: SourceLocation, _ message: String, hint: String? = nil) {
        if !isFull { found.append(Diagnostic(place, .error, message, hint: hint)) }
        errorCount += 1
    }

    func error(_ place: SourceLocation, _ complaint: Complaint) {
        error(place, complaint.message, hint: complaint.hint)
    }

    func warning(_ place: SourceLocation, _ message: String, hint: String? = nil) {
        guard warningCount < Self.countMax else { return }
        found.append(Diagnostic(place, .warning, message, hint: hint))
        warningCount += 1
    }

    /// Whether no further error would be kept, so that looking for one is idle.
    var isFull: Bool { errorCount >= Self.countMax }

    /// In order of place; those of one place in the order they were found.
    var sorted: [Diagnostic] {
        found.enumerated()
            .sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .map(\.element)
    }
}

/// Input as a message shows it: in backticks, without characters that could break or reorder the
/// line it stands in, shortened.
func quoted(_ text: String, shownMax: Int = 60) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(shownMax) {
        shown.unicodeScalars.append(isPlain(scalar) && scalar != "`" ? scalar : "\u{FFFD}")
    }
    return text.unicodeScalars.count > shownMax ? "`\(shown)…`" : "`\(shown)`"
}

/// Whether a character stays within its line and leaves its neighbours where they are.
func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator: false
    default: true
    }
}
