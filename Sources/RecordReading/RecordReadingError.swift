// RecordReadingError.swift: why the record could not be read, in words for the operator.

/// Why the record could not be read, and what to do about it.
package struct RecordReadingError: Error, Equatable, Sendable {
    package let message: String
    package let hint: String

    package init(_ message: String, hint: String) {
        self.message = message
        self.hint = hint
    }
}
