// NeutralizationVerdict.swift: whether somebody is neutralized, by the list on disk and by the
// orders of the running gate if it can be asked.

import Foundation
import Gate
import Neutralization
import Policy

/// What `explain` knows of a neutralization.
struct NeutralizationVerdict {
    let isNeutralized: Bool
    /// By what, or what was looked at.
    let detail: String
    /// `FILE:LINE`.
    let place: String?
    let gateConsulted: Bool
    let notes: [String]

    init(
        _ asker: Asker, _ configuration: Configuration, gate: GateOptions, assumed: Bool
    ) throws(Failure) {
        var notes: [String] = []
        let list = try Self.list(configuration, &notes)
        let listed = list.flatMap { Self.listed(asker, $0) }
        let orders = Self.orders(asker, gate: gate, listed: listed != nil, &notes)
        gateConsulted = orders != nil
        self.notes = notes
        if assumed {
            (isNeutralized, detail) = (true, "taken for neutralized, as asked")
            place = configuration.neutralized?.place.description
        } else if let order = orders?.first {
            (isNeutralized, place) = (true, nil)
            detail = "\(order.subject), by \(order.source)" + Self.until(order.until)
        } else if let listed, case .list(let line) = listed.source {
            isNeutralized = true
            detail = "\(listed.subject), by the list" + Self.until(listed.until?.description)
            place = configuration.neutralized.map { "\($0.path):\(line)" }
        } else {
            isNeutralized = false
            let list =
                configuration.neutralized == nil
                ? "no list" : list == nil ? "list unknown" : "not on the list"
            detail = list + (gateConsulted ? ", no order of the running gate" : "")
            place = configuration.neutralized?.place.description
        }
    }

    private static func until(_ until: String?) -> String { until.map { " until \($0)" } ?? "" }

    /// The list on disk, nil when there is none that can be read; a bad line is a failure.
    private static func list(
        _ configuration: Configuration, _ notes: inout [String]
    ) throws(Failure) -> NeutralizedSet? {
        guard let file = configuration.neutralized else { return nil }
        guard FileManager.default.isReadableFile(atPath: file.path) else {
            notes.append("\(file.path) cannot be read: the gate would refuse this configuration")
            return nil
        }
        return try readList(file.path)
    }

    /// The list's own entry about whoever asks.
    private static func listed(_ asker: Asker, _ list: NeutralizedSet) -> Neutralized? {
        let state = NeutralizationState(list: list)
        let now = UnixSeconds(Int64(Date().timeIntervalSince1970))
        let certificate = asker.certificate.flatMap { SubjectKey(sha256: $0.bytes.span) }
        if let found = state.verdict(
            account: asker.accountID.map { SubjectKey(account: $0) },
            structure: asker.structureCode.map { SubjectKey(structure: $0) },
            certificate: certificate, serial: asker.serial.map { SubjectKey(serial: $0) },
            address: asker.address, now: now)
        {
            return found
        }
        for alias in asker.aliasIDs {
            if let found = state.verdict(account: SubjectKey(account: alias), now: now) {
                return found
            }
        }
        return state.verdict(
            session: asker.session.map { SubjectKey($0) },
            token: asker.token.map { SubjectKey($0) },
            client: asker.client.map { SubjectKey($0) }, now: now)
    }

    /// Orders of the running gate in force about whoever asks; nil when it cannot be asked.
    private static func orders(
        _ asker: Asker, gate: GateOptions, listed: Bool, _ notes: inout [String]
    ) -> [NeutralizedReport]? {
        guard !asker.subjects.isEmpty else { return nil }
        var found: [NeutralizedReport] = []
        for subject in asker.subjects {
            let request = ControlRequest.neutralized(subject: subject.description)
            guard case .entries(let entries)? = try? gate.ask(request) else {
                notes.append("no gate could be asked: orders of `herse neutralize` do not count")
                return nil
            }
            found += entries.filter(\.inForce)
        }
        if listed, found.isEmpty {
            notes.append(
                "the running gate does not hold the list's line: somebody was reinstated, or the "
                    + "list changed since the last reload")
        }
        return found.filter { !$0.source.hasPrefix("list:") }
    }
}
