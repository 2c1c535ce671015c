// InquiryRecord.swift: what the record says of a lookup: what was asked and who was shown, by keyed
// hashes; never what was searched for, never a name.

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
        if personCount > 0 {
            if isDelivered {
                writePersons(",\"persons\":[", to: writer)
                writeFields(to: writer)
            } else if isWithheld {
                writePersons(",\"withheld\":[", to: writer)
            }
        }
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
        guard assumed == 0 else { return }
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
