// Exporting.swift: a period of the record, written in one of the forms others take.

package import RecordReading

/// The forms there are.
package enum ExportFormat: String, CaseIterable, Sendable {
    /// FHIR R4 AuditEvent.
    case auditEvent = "audit-event"
    /// DICOM PS3.15 A.5, IHE ATNA.
    case atna
    /// JSON lines, as the record has them.
    case jsonl
    case csv
}

/// What is exported, and how.
package struct ExportRequest: Sendable {
    package var format: ExportFormat
    package var place: ExportPlace
    /// Milliseconds since 1970.
    package var since: UInt64 = 0
    package var until: UInt64 = .max
    /// Only entries of these, or of all when there are none.
    package var professionals: Set<String> = []
    package var structures: Set<String> = []
    package var decisions: Set<String> = []
    /// AuditEvents in bundles instead of one on each line.
    package var isBundled = false
    package var spelling = AuditSpelling.dicom
    /// Who is said to have seen it; the record's name when it is empty.
    package var site = ""
    /// Whether what is there already is replaced.
    package var isForced = false

    package init(_ format: ExportFormat, to place: ExportPlace) {
        self.format = format
        self.place = place
    }

    func takes(_ entry: borrowing RecordedEntry) -> Bool {
        (professionals.isEmpty || professionals.contains(entry.professional))
            && (structures.isEmpty || structures.contains(entry.structure))
            && (decisions.isEmpty || decisions.contains(entry.decision))
            && entry.time >= since && entry.time < until
    }
}

/// How much was exported.
package struct ExportReport: Equatable, Sendable {
    /// Entries that were looked at, and those that were taken.
    package var read = 0
    package var entries = 0
    /// AuditEvents, messages, lines or rows.
    package var pieces = 0
    /// What of the record is not in it.
    package var pass = RecordReader.Pass()
}

/// Writes what is asked for; memory does not grow with the record.
///
/// `progress` is called now and then, with the segment that is read and how far in there.
package func export(
    _ request: ExportRequest, of reader: RecordReader,
    progress: (Int, Int) -> Void
) throws(ExportError) -> ExportReport {
    let file = try ExportFile(request.place, isForced: request.isForced)
    let origin = reader.origin
    let source = AuditSource(site: request.site.isEmpty ? origin : request.site)
    let writer = ExportWriter(request, file, source: source, origin: origin)
    var report = ExportReport()
    var problem: ExportError?
    try writer.begin()
    let pass = try reading { () throws(RecordReadingError) in
        try reader.read(since: request.since, until: request.until) { entry, line in
            report.read += 1
            if report.read % 4096 == 0 { progress(entry.segment, entry.offset) }
            guard request.takes(entry) else { return true }
            report.entries += 1
            do throws(ExportError) {
                report.pieces += try writer.write(entry, line)
                return true
            } catch {
                problem = error
                return false
            }
        }
    }
    if let problem { throw problem }
    if let broken = pass.broken.first {
        throw ExportError(
            "\(broken): cannot be read to its end, so that entries would be missing",
            hint: "`herse record verify` says more; --until exports what is before")
    }
    report.pass = pass
    try writer.end()
    try file.finish()
    return report
}

/// Gives what `read` gives, or why it could not.
func reading<Value>(
    _ read: () throws(RecordReadingError) -> Value
) throws(ExportError) -> Value {
    do throws(RecordReadingError) {
        return try read()
    } catch {
        throw ExportError(error.message, hint: error.hint)
    }
}
