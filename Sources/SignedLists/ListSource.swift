// ListSource.swift: a list of somebody else's: fetched or brought, verified, kept, never gone back.

package import Neutralization
package import Outbound
internal import Synchronization

/// Where a list comes from and what is believed of it.
package struct ListSettings: Equatable, Sendable {
    /// Where list and signature are.
    package enum Place: Equatable, Sendable {
        case address(list: String, signature: String)
        case file(list: String, signature: String)
        /// Brought by hand only.
        case hand
    }

    /// How it is signed, and whose word counts.
    package enum Trust: Equatable, Sendable {
        case keys([ListKey])
        /// PEM of the authorities that vouch for the signer.
        case authorities([UInt8])
    }

    /// Also the issuer in its header.
    package var name: String
    package var place = Place.hand
    package var trust: Trust
    package var scope: ListScope
    package var authority = ListAuthority.lower
    package var hashKeys: [String: ListHashKey] = [:]
    package var tls = FetchTLS()
    /// Seconds between two fetches, and those after which a list without `next-update` is stale.
    package var every: Int64 = 900
    package var staleAfter: Int64 = 26 * 3600
    package var folder: ListFolder

    package init(name: String, trust: Trust, scope: ListScope, folder: ListFolder) {
        self.name = name
        self.trust = trust
        self.scope = scope
        self.folder = folder
    }

    /// Bytes of a list.
    package static let bytesMax = 128 << 20
    /// Bytes of a signature.
    package static let signatureMax = 64 << 10
}

/// How a list is, for `herse lists show` and status.
package struct SignedListReport: Equatable, Sendable {
    package var name: String
    package var authority: ListAuthority
    package var standing: ListStanding
    package var sequence: UInt64?
    package var issued: UnixSeconds?
    package var nextUpdate: UnixSeconds?
    package var entries = 0
    /// Lines that its scope does not cover, and that are not in force.
    package var outsideScope = 0
    /// SHA-256 of the keys that are trusted for it now.
    package var keys: [String] = []
    package var problem: String?
    /// Whether the last that came was not taken.
    package var isRefused = false
}

/// A signed list; every call may be made from any thread, and those that say so block.
package final class ListSource: Sendable {
    package let settings: ListSettings

    private struct Accepted {
        var header: ListHeader
        var list: NeutralizedSet
        var outsideScope: Int
        var bytes: [UInt8]
    }

    private struct State {
        var accepted: Accepted?
        /// Keys trusted, and those no longer trusted, since the configuration was written.
        var added: [ListKey] = []
        var revoked: Set<String> = []
        var attemptAt: Int64?
        var hasFailed = false
        var problem: String?
        var isRefused = false
    }

    private let state = Mutex(State())
    private let isAccepting = Mutex(())

    /// Seconds until a fetch is tried again that failed.
    private static let retrySeconds: Int64 = 60
    private static let deadline = 60_000
    private static let mark = Array("herse kept list 1\n".utf8)

    /// Knows what was kept; a copy that is no longer believed is told of as a problem, and its
    /// sequence still counts.
    package init(_ settings: ListSettings) {
        self.settings = settings
        do throws(ListRefusal) {
            try readTrust()
            guard let kept = try settings.folder.read(settings.name + ".list") else { return }
            guard let (list, signature) = Self.parts(kept) else {
                throw .notKept("\(settings.name).list is damaged (fetch or add the list again)")
            }
            let accepted = try verified(list, signature)
            state.withLock { $0.accepted = accepted }
        } catch {
            state.withLock {
                $0.problem = error.line
                $0.isRefused = true
            }
        }
    }

    // MARK: What it says

    /// The list as it is in force; nil while there is none.
    package var layer: NeutralizationLayer? {
        let accepted = state.withLock { $0.accepted }
        guard let accepted else { return nil }
        return NeutralizationLayer(
            name: settings.name, authority: settings.authority, entries: accepted.list,
            hashKey: accepted.header.hashKey.flatMap { settings.hashKeys[$0]?.hashing })
    }

    package func report(now: UnixSeconds) -> SignedListReport {
        let keys = trustedKeys.map(\.fingerprint).sorted()
        return state.withLock { state in
            var report = SignedListReport(
                name: settings.name, authority: settings.authority, standing: .unknown)
            report.keys = keys
            report.problem = state.problem
            report.isRefused = state.isRefused
            guard let accepted = state.accepted else { return report }
            report.sequence = accepted.header.sequence
            report.issued = accepted.header.issued
            report.nextUpdate = accepted.header.nextUpdate
            report.entries = accepted.list.count
            report.outsideScope = accepted.outsideScope
            let (age, overflows) = now.value.subtractingReportingOverflow(
                accepted.header.issued.value)
            let isOver =
                accepted.header.nextUpdate.map { !(now < $0) }
                ?? (overflows || age > settings.staleAfter)
            report.standing =
                isOver ? .stale(ageSeconds: age) : accepted.list.isEmpty ? .empty : .fresh
            return report
        }
    }

    // MARK: Taking a list

    /// Takes a list if it is one, is its issuer's, and is not an earlier one.
    ///
    /// Blocks on the disk. Returns whether it is another list now.
    @discardableResult
    package func accept(_ list: [UInt8], signature: [UInt8]) throws(ListRefusal) -> Bool {
        do throws(ListRefusal) {
            return try isAccepting.withLock { _ throws(ListRefusal) in
                try take(list, signature: signature)
            }
        } catch {
            note(error)
            throw error
        }
    }

    private func take(_ list: [UInt8], signature: [UInt8]) throws(ListRefusal) -> Bool {
        let accepted = try verified(list, signature)
        if let known = try knownSequence() {
            guard accepted.header.sequence >= known.sequence else {
                throw .earlier(sequence: accepted.header.sequence, known: known.sequence)
            }
            if accepted.header.sequence == known.sequence, known.bytes != list {
                throw .other(sequence: known.sequence)
            }
        }
        let isOther = state.withLock { $0.accepted?.bytes != list }
        if isOther {
            try settings.folder.write(
                settings.name + ".list",
                [Self.mark, Array("\(signature.count)\n".utf8), signature, list])
        }
        state.withLock {
            $0.accepted = accepted
            $0.problem = nil
            $0.isRefused = false
        }
        return isOther
    }

    private func note(_ refusal: ListRefusal) {
        state.withLock {
            $0.problem = refusal.line
            $0.isRefused = refusal.isRefusal
        }
    }

    /// What was accepted last, also when its key is trusted no longer.
    private func knownSequence() throws(ListRefusal) -> (sequence: UInt64, bytes: [UInt8])? {
        if let accepted = state.withLock({ $0.accepted }) {
            return (accepted.header.sequence, accepted.bytes)
        }
        guard let kept = try settings.folder.read(settings.name + ".list"),
            let (list, _) = Self.parts(kept), let header = try? ListHeader(list.span)
        else { return nil }
        return (header.sequence, list)
    }

    private func verified(
        _ list: [UInt8], _ signature: [UInt8]
    ) throws(ListRefusal) -> Accepted {
        guard list.count <= ListSettings.bytesMax, signature.count <= ListSettings.signatureMax
        else { throw .unreadable("a list or signature that is too large") }
        // Before a byte of it is understood.
        guard isSigned(list, signature) else { throw .signature }
        let header: ListHeader
        do throws(ListHeaderError) { header = try ListHeader(list.span) } catch {
            throw .header(line: error.line, error.message)
        }
        guard header.issuer == settings.name else {
            throw .issuer(header.issuer, expected: settings.name)
        }
        if let key = header.hashKey, settings.hashKeys[key] == nil { throw .hashKey(key) }
        let entries: NeutralizedSet
        do throws(ListError) {
            let body = list.span.extracting(header.bodyStart..<list.count)
            entries = try parseList(
                body, firstLine: header.bodyLine, mayHash: header.hashKey != nil)
        } catch {
            let lines = error.problems.prefix(10).map { $0.description(file: settings.name) }
            throw .lines(Array(lines), total: error.total)
        }
        guard entries.count <= settings.scope.entriesMax else {
            throw .tooMany(entries: entries.count, max: settings.scope.entriesMax)
        }
        let (kept, dropped) = entries.keeping { settings.scope.covers($0.subject) }
        return Accepted(header: header, list: kept, outsideScope: dropped, bytes: list)
    }

    private func isSigned(_ list: [UInt8], _ signature: [UInt8]) -> Bool {
        switch settings.trust {
        case .keys:
            guard let bytes = signatureBytes(signature) else { return false }
            return trustedKeys.contains { $0.verifies(bytes, of: list) }
        case .authorities(let pem): return verifiesCMS(signature, of: list, authorities: pem)
        }
    }

    /// The list and the signature of a kept copy.
    private static func parts(_ kept: [UInt8]) -> (list: [UInt8], signature: [UInt8])? {
        guard kept.starts(with: mark),
            let end = kept[mark.count...].firstIndex(of: 0x0A),
            let count = Int(String(decoding: kept[mark.count..<end], as: UTF8.self)),
            count >= 0, count <= ListSettings.signatureMax, end + 1 + count <= kept.count
        else { return nil }
        let start = end + 1
        return (Array(kept[(start + count)...]), Array(kept[start..<start + count]))
    }

    // MARK: Fetching

    /// Whether its time to be fetched has come.
    package func isDue(now: Int64) -> Bool {
        guard settings.place != .hand else { return false }
        return state.withLock { state in
            // A clock set back must not keep anybody waiting.
            guard let attemptAt = state.attemptAt, now >= attemptAt else { return true }
            let wait =
                state.hasFailed ? min(settings.every, Self.retrySeconds) : settings.every
            return now - attemptAt >= wait
        }
    }

    /// Fetches list and signature and takes them.
    ///
    /// Blocks on network and disk. Returns whether there is another list now.
    @discardableResult
    package func refresh(now: Int64) throws(ListRefusal) -> Bool {
        state.withLock { $0.attemptAt = now }
        do throws(ListRefusal) {
            let (list, signature) = try fetched()
            let isOther = try accept(list, signature: signature)
            state.withLock { $0.hasFailed = false }
            return isOther
        } catch {
            state.withLock { $0.hasFailed = true }
            note(error)
            throw error
        }
    }

    private func fetched() throws(ListRefusal) -> (list: [UInt8], signature: [UInt8]) {
        switch settings.place {
        case .address(let list, let signature):
            // The signature first: of a list that changes in between it is the earlier one, which
            // does not verify, and the next fetch has both.
            let bytes = try fetched(signature, max: ListSettings.signatureMax)
            return (try fetched(list, max: ListSettings.bytesMax), bytes)
        case .file(let list, let signature):
            let bytes = try file(signature)
            return (try file(list), bytes)
        case .hand:
            throw .notTrustable("`\(settings.name)` has no address: add it with `herse lists add`")
        }
    }

    private func fetched(_ url: String, max: Int) throws(ListRefusal) -> [UInt8] {
        var request = FetchRequest(url: url)
        request.tls = settings.tls
        request.deadline = Self.deadline
        request.answerMax = max
        let answer: FetchAnswer
        do throws(FetchError) { answer = try fetch(request) } catch { throw .fetch(error) }
        guard answer.status == 200 else { throw .status(url, answer.status) }
        return answer.body
    }

    private func file(_ path: String) throws(ListRefusal) -> [UInt8] {
        let cut = path.lastIndex(of: "/")
        let folder = cut.map { String(path[..<$0]) } ?? "."
        let name = cut.map { String(path[path.index(after: $0)...]) } ?? path
        guard let bytes = try ListFolder(folder.isEmpty ? "/" : folder).read(name) else {
            throw .unreadable(path)
        }
        return bytes
    }

    // MARK: Trust

    private var trustedKeys: [ListKey] {
        guard case .keys(let configured) = settings.trust else { return [] }
        return state.withLock { state in
            (configured + state.added).filter { !state.revoked.contains($0.fingerprint) }
        }
    }

    /// Trusts further keys from now on, or trusts them no longer, whatever the configuration says.
    ///
    /// Blocks on the disk, where it is kept before it counts.
    package func trust(_ keys: [ListKey], isRevoked: Bool) throws(ListRefusal) {
        guard case .keys = settings.trust else {
            throw .notTrustable(
                "`\(settings.name)` is verified by `authorities`: change the configuration")
        }
        let (added, revoked) = state.withLock { state in
            var added = state.added.filter { !keys.contains($0) }
            var revoked = state.revoked
            if isRevoked {
                revoked.formUnion(keys.map(\.fingerprint))
            } else {
                added += keys
                revoked.subtract(keys.map(\.fingerprint))
            }
            return (added, revoked)
        }
        guard added.count <= ListKey.keysMax, revoked.count <= 1024 else {
            throw .notTrustable("too many keys were trusted or revoked for `\(settings.name)`")
        }
        var lines = added.map { "trust \(hexadecimal($0.info))\n" }
        lines += revoked.sorted().map { "revoke \($0)\n" }
        try settings.folder.write(
            settings.name + ".trust", [Array(lines.joined().utf8)])
        state.withLock {
            $0.added = added
            $0.revoked = revoked
        }
    }

    private func readTrust() throws(ListRefusal) {
        guard let bytes = try settings.folder.read(settings.name + ".trust") else { return }
        var (added, revoked): ([ListKey], Set<String>) = ([], [])
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2 else { throw .notKept("\(settings.name).trust is damaged") }
            switch words[0] {
            case "trust":
                guard let info = SignedLists.bytes(hexadecimal: Array(words[1].utf8)[...]) else {
                    throw .notKept("\(settings.name).trust is damaged")
                }
                added.append(ListKey(info: info))
            case "revoke": revoked.insert(words[1])
            default: throw .notKept("\(settings.name).trust is damaged")
            }
        }
        state.withLock {
            $0.added = added
            $0.revoked = revoked
        }
    }
}
