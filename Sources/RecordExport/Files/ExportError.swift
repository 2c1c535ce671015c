// ExportError.swift: why nothing was exported or fed, in words for the operator.

/// Why something could not be written or sent, and what to do about it.
package struct ExportError: Error, Equatable, Sendable {
    package let message: String
    package let hint: String?

    package init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}
