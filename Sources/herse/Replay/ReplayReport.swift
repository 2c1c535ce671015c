// ReplayReport.swift: what a replay found, for people and for machines.

import Neutralization

/// The report of a replay, as `herse replay` prints it.
struct ReplayReport: Encodable {
    struct Totals: Encodable {
        let requests: Int
        let unchanged: Int
        let newlyStopped: Int
        let letThrough: Int
        /// Of those let through: whom they would have shown is not in the record.
        let letThroughUnseen: Int
        let notReplayed: Int
    }

    struct Reason: Encodable {
        let why: String
        let requests: Int
    }

    let candidate: String
    let since: String
    let until: String
    let totals: Totals
    let newlyStopped: [ReplayGroup]
    let letThrough: [ReplayGroup]
    /// What limits in shadow would stop, were they enforced.
    let shadowed: [ReplayGroup]
    /// What passes only with a card shown lately.
    let steppedUp: [ReplayGroup]
    let notReplayed: [Reason]
    let notes: [String]

    private let professionals: (stopped: Int, through: Int)

    private enum CodingKeys: String, CodingKey {
        case candidate, since, until, totals, newlyStopped, letThrough, shadowed, steppedUp
        case notReplayed, notes
    }

    init(_ result: ReplayResult, candidate: String, since: UInt64, until: UInt64, notes: [String]) {
        self.candidate = candidate
        self.since = shownMoment(since)
        self.until = shownMoment(until)
        self.notes = notes
        totals = Totals(
            requests: result.requests, unchanged: result.unchanged,
            newlyStopped: result.newlyStopped.requests, letThrough: result.letThrough.requests,
            letThroughUnseen: result.letThroughUnseen,
            notReplayed: result.notReplayed.values.reduce(0, +))
        newlyStopped = result.newlyStopped.ranked
        letThrough = result.letThrough.ranked
        shadowed = result.shadowed.ranked
        steppedUp = result.steppedUp.ranked
        notReplayed = result.notReplayed
            .map { Reason(why: $0.key.words, requests: $0.value) }
            .sorted { ($1.requests, $0.why) < ($0.requests, $1.why) }
        professionals = (result.newlyStopped.professionals, result.letThrough.professionals)
    }

    /// For people; of each list the first `top`.
    func text(top: Int) -> String {
        var lines = [
            "\(counted(totals.requests, "request")) from \(since) to \(until), decided by \(candidate)"
        ]
        lines += list(
            "newly stopped: \(counted(totals.newlyStopped, "request")) of "
                + counted(professionals.stopped, "professional"), newlyStopped, top)
        lines += list(
            "let through: \(counted(totals.letThrough, "request")) of "
                + counted(professionals.through, "professional"), letThrough, top)
        if !shadowed.isEmpty {
            lines += list("limits in shadow would stop", shadowed, top)
        }
        if !steppedUp.isEmpty {
            lines += list("would have to show the card again, if not shown lately", steppedUp, top)
        }
        lines += ["", "decided as before: \(totals.unchanged)"]
        if totals.notReplayed > 0 {
            lines.append("not decided anew: \(totals.notReplayed)")
            lines += notReplayed.map { "  \($0.requests)  \($0.why)" }
        }
        lines += notes.map { "note: \($0)" }
        return lines.joined(separator: "\n")
    }

    private func list(_ heading: String, _ groups: [ReplayGroup], _ top: Int) -> [String] {
        guard !groups.isEmpty else { return ["", heading] }
        var table = Table("PROFESSIONAL", "STRUCTURE", ">REQUESTS", "BY", "AT", "FIRST", "LAST")
        for group in groups.prefix(top) {
            table.add(
                group.professional, group.structure, String(group.requests), group.rule,
                group.place, shownMoment(group.first), shownMoment(group.last))
        }
        let more = groups.count > top ? ["… and \(groups.count - top) more"] : []
        return ["", heading, table.text] + more
    }
}

/// A moment in milliseconds since 1970, as RFC 3339 to the second.
func shownMoment(_ milliseconds: UInt64) -> String {
    UnixSeconds(Int64(clamping: milliseconds / 1000)).description
}
