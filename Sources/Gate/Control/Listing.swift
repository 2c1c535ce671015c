// Listing.swift: signed lists: fetched when they are due, brought by hand, trusted, put in force.

package import Foundation
internal import Neutralization
internal import SignedLists

extension ControlPlane {
    /// Fetches the lists that are due, each by itself, and puts in force what came.
    func keepUpLists(now moment: Int64) {
        let (log, changed) = (self.log, services.signedListsChanged)
        for source in generation.signedLists where source.isDue(now: moment) {
            _ = services.lanes.upkeep.run {
                let before = source.report(now: UnixSeconds(moment)).problem
                let isOther = try? source.refresh(now: moment)
                if isOther == true { changed.set() }
                let after = source.report(now: UnixSeconds(moment)).problem
                if after != before {
                    log.say("list \(source.settings.name): \(after ?? "taken again")")
                }
            }
        }
        if changed.take() { Task { await self.applySignedLists() } }
    }

    /// Puts the lists as they were accepted in force.
    @discardableResult
    private func applySignedLists() async -> Result<CutCount, Problem> {
        if isStopping { return .failure(Problem(text: "the gate is stopping")) }
        return await exclusively {
            let result = await putInForce(layers: generation.signedLists.compactMap(\.layer))
            switch result {
            case .failure(let problem):
                // Tried again at the next upkeep: what was accepted must not wait for the next list.
                services.signedListsChanged.set()
                log.say("a signed list that was accepted is not in force: \(problem.text)")
            case .success(let cut):
                log.say("a signed list is in force: \(cut.connections) connections cut")
            }
            return result
        }
    }

    func listReports() -> [SignedListStatus] {
        generation.signedLists.map { SignedListStatus($0.report(now: now), now: now) }
    }

    /// Fetches one list, or all that have an address, now.
    func fetchLists(_ name: String?) async -> ControlAnswer {
        var sources = generation.signedLists
        if let name {
            sources = sources.filter { $0.settings.name == name }
            if sources.isEmpty { return .refused([unknownList(name)]) }
        } else {
            sources = sources.filter { $0.settings.place != .hand }
            if sources.isEmpty { return .refused(["no list of the configuration has an address"]) }
        }
        var changes: [ListChange] = []
        let moment = now.value
        for source in sources {
            let before = source.report(now: now).sequence
            let problem = await problem { () throws(ListRefusal) in
                try source.refresh(now: moment)
            }
            changes.append(ListChange(source, before: before, now: now, problem: problem))
        }
        return await answer(changes)
    }

    /// Takes a list that an administrator brings.
    func addList(_ delivery: ListDelivery) async -> ControlAnswer {
        guard
            let source = generation.signedLists.first(where: { $0.settings.name == delivery.name })
        else { return .refused([unknownList(delivery.name)]) }
        let before = source.report(now: now).sequence
        let problem = await problem { () throws(ListRefusal) in
            try source.accept(Array(delivery.list), signature: Array(delivery.signature))
        }
        return await answer([ListChange(source, before: before, now: now, problem: problem)])
    }

    private func answer(_ changes: [ListChange]) async -> ControlAnswer {
        var changes = changes
        if changes.contains(where: { $0.problem.isEmpty }) {
            switch await applySignedLists() {
            case .failure(let problem): return .refused([problem.text])
            case .success(let cut):
                for index in changes.indices { changes[index].cut = cut }
            }
        }
        return .listsChanged(changes)
    }

    /// Trusts a key for a list from now on, or no longer.
    func trust(_ order: TrustOrder) async -> ControlAnswer {
        guard let source = generation.signedLists.first(where: { $0.settings.name == order.name })
        else { return .refused([unknownList(order.name)]) }
        guard let keys = ListKey.read(pem: Array(order.key)) else {
            return .refused(["--key: is no Ed25519 public key in PEM"])
        }
        let problem = await problem { () throws(ListRefusal) in
            try source.trust(keys, isRevoked: order.isRevoked)
        }
        guard problem.isEmpty else { return .refused(problem) }
        return .lists(listReports().filter { $0.name == order.name })
    }

    private func unknownList(_ name: String) -> String {
        let names = generation.signedLists.map(\.settings.name).joined(separator: ", ")
        return "no list `\(name)` in `neutralization_lists`"
            + (names.isEmpty ? "" : " (there is \(names))")
    }

    /// Does with a list what blocks on the disk or the network, beside this thread.
    ///
    /// Returns what went wrong, line by line; nothing when it is done.
    private func problem(
        _ work: @escaping @Sendable () throws(ListRefusal) -> Void
    ) async -> [String] {
        await withCheckedContinuation { continuation in
            let accepted = services.lanes.upkeep.run {
                do throws(ListRefusal) {
                    try work()
                    continuation.resume(returning: [])
                } catch {
                    continuation.resume(returning: error.lines)
                }
            }
            if !accepted {
                continuation.resume(
                    returning: ["too much is under way: try again in a moment"])
            }
        }
    }
}

/// A signed list, as `herse lists show` prints it.
package struct SignedListStatus: Codable, Sendable, Equatable {
    package var name: String
    /// `lower`, `same` or `higher` than the operators'.
    package var authority: String
    /// `fresh`, `stale`, `empty` or `unknown`.
    package var state: String
    package var sequence: UInt64?
    package var issued: String?
    package var nextUpdate: String?
    package var ageSeconds: Int64?
    package var entries: Int
    /// Lines its scope does not cover; they are not in force.
    package var outsideScope: Int
    /// SHA-256 of the Ed25519 keys that are trusted for it.
    package var keys: [String]
    package var problem: String?

    init(_ report: SignedListReport, now: UnixSeconds) {
        name = report.name
        authority = report.authority.rawValue
        state =
            switch report.standing {
            case .fresh: "fresh"
            case .stale: "stale"
            case .empty: "empty"
            case .unknown: "unknown"
            }
        sequence = report.sequence
        issued = report.issued?.description
        nextUpdate = report.nextUpdate?.description
        ageSeconds = report.issued.map { now.value - $0.value }
        entries = report.entries
        outsideScope = report.outsideScope
        keys = report.keys
        problem = report.problem
    }
}

/// What became of a list that was fetched or brought.
package struct ListChange: Codable, Sendable, Equatable {
    package var name: String
    package var sequenceBefore: UInt64?
    package var sequence: UInt64?
    package var entries: Int
    package var outsideScope: Int
    /// Why it was not taken, line by line; empty when it was.
    package var problem: [String]
    package var cut = CutCount()

    init(_ source: ListSource, before: UInt64?, now: UnixSeconds, problem: [String]) {
        let report = source.report(now: now)
        name = report.name
        sequenceBefore = before
        sequence = report.sequence
        entries = report.entries
        outsideScope = report.outsideScope
        self.problem = problem
    }
}

/// A list brought by hand.
package struct ListDelivery: Codable, Sendable {
    package var name: String
    package var list: Data
    package var signature: Data

    package init(name: String, list: Data, signature: Data) {
        self.name = name
        self.list = list
        self.signature = signature
    }
}

/// A key to trust for a list, or no longer.
package struct TrustOrder: Codable, Sendable {
    package var name: String
    /// PEM.
    package var key: Data
    package var isRevoked: Bool

    package init(name: String, key: Data, isRevoked: Bool) {
        self.name = name
        self.key = key
        self.isRevoked = isRevoked
    }
}
