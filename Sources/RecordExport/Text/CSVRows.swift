// CSVRows.swift: entries as rows of a table, RFC 4180; one for each patient that was shown.

internal import CSV
package import RecordReading

/// Rows of a table, lines ended by CRLF.
package enum CSVRows {
    /// The columns, in order.
    static let columns: [(name: String, value: @Sendable (borrowing RecordedEntry) -> String)] = [
        ("entry", { String($0.sequence) }),
        ("time", { Moment(milliseconds: $0.time).stamp }),
        ("clock", { $0.clock }),
        ("event", { $0.event }),
        ("act", { $0.act }),
        ("by", { $0.by }),
        ("what", { $0.what }),
        ("outcome", { $0.outcome }),
        ("ticket", { $0.ticket }),
        ("subjects", { $0.subjects.joined(separator: " ") }),
        ("request", { $0.request }),
        ("request_in", { $0.requestIn }),
        ("peer", { $0.peer }),
        ("forwarded", { $0.forwarded }),
        ("tls", { $0.tls }),
        ("professional", { $0.professional }),
        ("structure", { $0.structure }),
        ("method", { $0.method }),
        ("level", { $0.level }),
        ("issuer", { $0.issuer }),
        ("account", { $0.account }),
        ("client", { $0.client }),
        ("token", { $0.token }),
        ("session", { $0.session }),
        ("certificate", { $0.certificate }),
        ("route", { $0.route }),
        ("action", { $0.action }),
        ("interaction", { $0.interaction }),
        ("transaction", { $0.transaction }),
        ("decision", { $0.decision }),
        ("why", { $0.why }),
        ("rule", { $0.rule }),
        ("list", { $0.list }),
        ("status", { $0.status > 0 ? String($0.status) : "" }),
        ("delivery", { $0.delivery }),
        ("bytes", { $0.bytes.map { String($0) } ?? "" }),
        ("finding", { $0.finding }),
        ("assumed", { $0.assumed > 0 ? String($0.assumed) : "" }),
        ("withheld", { $0.withheld.isEmpty ? "" : String($0.withheld.count) }),
        ("break_glass", { $0.breakGlass ?? "" }),
    ]

    /// The names of all columns, those of the patient last.
    package static var header: String {
        row(columns.map(\.name) + ["patient", "identifiers", "fields"])
    }

    /// The rows of an entry; one without a patient when it showed none.
    package static func rows(of entry: borrowing RecordedEntry) -> String {
        var common: [String] = []
        for column in columns { common.append(column.value(entry)) }
        guard !entry.persons.isEmpty else { return row(common + ["", "", ""]) }
        var rows = ""
        for person in entry.persons {
            rows += row(
                common + [
                    spelled(person.key), person.identifiers.joined(separator: " "),
                    person.fields.joined(separator: " "),
                ])
        }
        return rows
    }

    private static func row(_ cells: [String]) -> String { csvRow(cells, controls: .kept) }
}
