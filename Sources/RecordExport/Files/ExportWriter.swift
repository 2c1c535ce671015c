// ExportWriter.swift: entries on their way into an export, in its form.

internal import RecordReading

/// Writes entries into a file.
final class ExportWriter {
    private let request: ExportRequest
    private let file: ExportFile
    private let events: AuditEvents
    private let messages: AuditMessages
    /// Events that wait for their bundle.
    private var waiting: [AuditEvent] = []

    init(_ request: ExportRequest, _ file: ExportFile, source: AuditSource, origin: String) {
        self.request = request
        self.file = file
        events = AuditEvents(source: source, origin: origin)
        messages = AuditMessages(source: source, origin: origin, spelling: request.spelling)
    }

    func begin() throws(ExportError) {
        if request.format == .csv { try file.write(Array(CSVRows.header.utf8)) }
    }

    /// Writes an entry; how many pieces it made.
    func write(_ entry: borrowing RecordedEntry, _ line: [UInt8]) throws(ExportError) -> Int {
        switch request.format {
        case .jsonl:
            try file.write(jsonLine(number: entry.sequence, line))
            return 1
        case .csv:
            try file.write(Array(CSVRows.rows(of: entry).utf8))
            return max(1, entry.persons.count)
        case .atna:
            let made = messages.messages(of: entry)
            for message in made { try document(Array(message.utf8), ending: "xml") }
            return made.count
        case .auditEvent:
            var made = 0
            try events.each(of: entry) { event throws(ExportError) in
                made += 1
                guard request.isBundled else {
                    return try document(event.bytes, ending: "json")
                }
                waiting.append(event)
                if waiting.count == Bundles.eventsMax { try bundle() }
            }
            return made
        }
    }

    func end() throws(ExportError) {
        if !waiting.isEmpty { try bundle() }
    }

    private func bundle() throws(ExportError) {
        try document(Bundles.batch(waiting, isConditional: false), ending: "json")
        waiting.removeAll(keepingCapacity: true)
    }

    /// One line, or one file.
    private func document(_ bytes: [UInt8], ending: String) throws(ExportError) {
        if file.isFolder {
            try file.writeDocument(bytes, ending: ending)
        } else {
            try file.write(bytes + [0x0A])
        }
    }
}
