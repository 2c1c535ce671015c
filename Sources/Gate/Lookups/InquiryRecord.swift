// InquiryRecord.swift: what the record says of a lookup: what was asked and who was shown, by keyed
// hashes, and in a sealed record by identifiers; never what was searched for, never a name.

internal import Lookup
internal import Record

extension Inquiry {
    /// Writes the fields of a line that a lookup adds; `isDelivered` tells whether its persons were
    /// shown, else they were withheld.
    func write(to writer: borrowing LineWriter, isDelivered: Bool) {
        writer.raw(",\"interaction\":\"")
        writer.raw(question.interaction.rawValue)
        writer.raw("\",\"lookups\":")
        writer.number(UInt64(clamping: weight))
        if let transaction = question.interaction.transaction {
            writer.raw(",\"transaction\":\"")
            writer.raw(transaction)
            writer.raw("\"")
        }
        if let vagueness = question.vagueness {
            writer.raw(",\"vague\":\"")
            writer.raw(vagueness.rawValue)
            writer.raw("\"")
        }
        if !emergency.isEmpty {
            // The reason is the asker's own text: whatever could break the line becomes `?`.
            writer.raw(",\"break_glass\":\"")
            writer.plain(emergency.span.extracting(0..<min(emergency.count, Self.reasonMax)))
            writer.raw("\"")
        }
        writeFinding(to: writer)
        if isDelivered, question.page != nil || !links.isEmpty {
            writer.raw(",\"page\":")
            writer.number(UInt64(clamping: page))
        }
        guard personCount > 0, isDelivered || isWithheld else { return }
        writePersons(isDelivered ? ",\"persons\":[" : ",\"withheld\":[", to: writer)
        // Nobody knows what was shown of whom when an answer was not understood.
        guard assumed == 0 else { return }
        if isDelivered { writeFields(to: writer) }
        // Nothing was shown of the withheld: what would have been is told of each.
        if !isDelivered || fieldsDiffer { writeMasks(to: writer) }
        if let notebook { writeIdentifiers(notebook, to: writer) }
    }

    private var fieldsDiffer: Bool {
        let first = fields(of: 0)
        for person in 1..<max(1, personCount) where fields(of: person) != first { return true }
        return false
    }

    /// Writes what was shown of each person, one bit for each field.
    private func writeMasks(to writer: borrowing LineWriter) {
        writer.raw(",\"masks\":[")
        for person in 0..<personCount {
            if person > 0 { writer.byte(0x2C) }
            writer.number(UInt64(fields(of: person).rawValue))
        }
        writer.raw("]")
    }

    /// Identifiers written of one person, the best first.
    private static let identifiersMax = 8

    /// Writes by which identifiers the answer names each person, 4 MiB at most in all.
    private func writeIdentifiers(_ notebook: PersonNotebook, to writer: borrowing LineWriter) {
        let (keys, starts) = (personKeys, personStarts)
        let end = writer.count + PersonNotebook.bytesMax
        var isCut = notebook.isCut
        writer.raw(",\"identifiers\":[")
        for person in 0..<personCount {
            writer.raw(person == 0 ? "[" : ",[")
            var count = 0
            for place in starts[person]..<starts[person + 1] where count < Self.identifiersMax {
                guard writer.count < end else {
                    isCut = true
                    break
                }
                notebook.read(keys[place]) { identifier in
                    writer.raw(count == 0 ? "\"" : ",\"")
                    writer.escaped(identifier)
                    writer.raw("\"")
                    count += 1
                }
            }
            writer.raw("]")
        }
        writer.raw(isCut ? "],\"identifiers_cut\":true" : "]")
    }

    /// Bytes kept of the reason of a broken glass.
    private static let reasonMax = 200

    private func writeFinding(to writer: borrowing LineWriter) {
        switch finding {
        case .nothing: return
        case .understood: writer.raw(",\"finding\":\"understood\"")
        case .miss: writer.raw(",\"finding\":\"miss\"")
        case .unparsed(let why):
            writer.raw(",\"finding\":\"unparsed\",\"unparsed\":\"")
            writer.raw(why.rawValue)
            writer.raw("\"")
            if assumed > 0 {
                writer.raw(",\"assumed\":")
                writer.number(UInt64(assumed))
            }
        }
    }

    /// Each distinct person by the best of their keys.
    private func writePersons(_ name: StaticString, to writer: borrowing LineWriter) {
        writer.raw(name)
        let keys = personKeys
        let starts = personStarts
        for person in 0..<personCount {
            writer.raw(person == 0 ? "\"" : ",\"")
            writer.hexadecimal(keys[starts[person]])
            writer.raw("\"")
        }
        writer.raw("]")
    }

    private func writeFields(to writer: borrowing LineWriter) {
        let fields = fields
        var isFirst = true
        for (bit, name) in IdentityFields.names.enumerated()
        where fields.contains(IdentityFields(rawValue: 1 << UInt16(bit))) {
            writer.raw(isFirst ? ",\"fields\":[\"" : ",\"")
            writer.raw(name)
            writer.raw("\"")
            isFirst = false
        }
        if !isFirst { writer.raw("]") }
    }
}
