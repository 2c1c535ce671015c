// NeutralizationState.swift: who is cut off right now, by the lists or by command.
//
// The rules, for whoever reads them at night:
// 1. A subject is neutralized if any list says so or if the last command about it says so.
// 2. `reinstate` undoes the last command, and overrides the lines that lists of the same or a lower
//    authority have about the subject at that moment, except a line whose `since` is later: that
//    one comes in force then.
// 3. It overrides those very lines and no others: as soon as a list is loaded whose lines about
//    the subject have been removed, changed or added to, the lists decide alone again ("settled").
//    So to name someone again is to cut him off again, whatever was commanded before.
// 4. A later command replaces an earlier one. A neutralization that is over counts as no command.
// 5. A line that reinstates overrides what the same or a lower authority said before its `since`,
//    be it a line or a command.

/// Who is neutralized: the lists, shared and never copied, and over them the commands.
package struct NeutralizationState: Sendable {
    /// The operator's own list.
    package let list: NeutralizedSet
    /// Lists from elsewhere.
    package let layers: [NeutralizationLayer]
    /// What the record calls this state: the moment it was put in force, empty until it is.
    package var version = ""
    private var commands: [IndexKey: Command] = [:]
    /// All lists, the highest authority first.
    private let sources: [ListSource]
    private let hashKeys: [AccountHashKey]
    /// Prefix lengths of networks in a list or in a command, longest first.
    private var lengths4: [UInt8] = []
    private var lengths6: [UInt8] = []
    /// Moments of `issued-before` in a list or in a command, latest first.
    private var moments: [UInt32] = []
    /// Kinds of subject in a list or in a command, one bit each.
    private var kinds: UInt16 = 0

    package init(list: NeutralizedSet = .empty, layers: [NeutralizationLayer] = []) {
        self.list = list
        self.layers = layers
        let own = ListSource(name: nil, authority: .same, entries: list)
        sources = ([own] + layers.map { ListSource($0) }).sorted { $0.authority > $1.authority }
        hashKeys = layers.compactMap(\.hashKey)
        gather()
    }

    /// The state after a start: the lists, and what the journal kept.
    ///
    /// Commands to append to the journal before this state is in force come with it.
    package static func restored(
        list: NeutralizedSet, layers: [NeutralizationLayer] = [], commands: [Command],
        at now: UnixSeconds
    ) -> (state: NeutralizationState, settled: [Command]) {
        NeutralizationState().obeying(commands).replacing(list: list, layers: layers, at: now)
    }
}

/// A list, whoever wrote it.
private struct ListSource: Sendable {
    /// Nil for the operator's own.
    let name: String?
    let authority: ListAuthority
    let entries: NeutralizedSet

    init(name: String?, authority: ListAuthority, entries: NeutralizedSet) {
        self.name = name
        self.authority = authority
        self.entries = entries
    }

    init(_ layer: NeutralizationLayer) {
        self.init(name: layer.name, authority: layer.authority, entries: layer.entries)
    }
}

/// A subject found neutralized, for logs and operators; a client is never told why.
package struct Neutralized: Equatable, Sendable {
    /// Who says so.
    package enum Source: Equatable, Sendable {
        case list(line: Int)
        /// A list from elsewhere, by its name.
        case signedList(String, line: Int)
        case command(at: UnixSeconds, by: String)
    }
    package let subject: Subject
    package let source: Source
    package let since: UnixSeconds?
    package let until: UnixSeconds?
    package let reason: String?
    package let ticket: String?
}

extension NeutralizationState {
    /// Why this caller is cut off, or `nil`.
    ///
    /// Looks at the account, the structure it acts for, the certificate by fingerprint and by
    /// serial number, then every network the address is in, the smallest first. Allocates only
    /// when it finds something; a kind that nobody is named by costs nothing.
    package func verdict(
        account: SubjectKey? = nil, structure: SubjectKey? = nil, certificate: SubjectKey? = nil,
        serial: SubjectKey? = nil, address: NetworkAddress? = nil, now: UnixSeconds
    ) -> Neutralized? {
        let time = UInt32(listTime: now)
        if let account, let found = verdict(IndexKey(account: account), now, time) { return found }
        if let structure, let found = verdict(IndexKey(structure: structure), now, time) {
            return found
        }
        if let certificate, let found = verdict(IndexKey(certificate: certificate), now, time) {
            return found
        }
        if let serial, let found = verdict(IndexKey(serial: serial), now, time) { return found }
        guard let address else { return nil }
        let lengths = address.family == .v4 ? lengths4 : lengths6
        for length in lengths {
            let network = address.masked(to: Int(length))
            let key = IndexKey(network: network, length: Int(length))
            if let found = verdict(key, now, time) { return found }
        }
        return nil
    }

    /// The first entry that concerns the session, the token or the client of a proof.
    package func verdict(
        session: SubjectKey?, token: SubjectKey?, client: SubjectKey?, now: UnixSeconds
    ) -> Neutralized? {
        let time = UInt32(listTime: now)
        if let session, let found = verdict(IndexKey(name: session, of: .session), now, time) {
            return found
        }
        if let token, let found = verdict(IndexKey(name: token, of: .token), now, time) {
            return found
        }
        guard let client else { return nil }
        return verdict(IndexKey(name: client, of: .client), now, time)
    }

    /// Whether any entry asks when a proof was given; mostly none does, and a request costs nothing.
    package var asksForProofTimes: Bool { !moments.isEmpty }

    /// The entry by which a proof is worth nothing that was given at `provenAt`, in seconds since
    /// 1970; nil stands for a time that nobody knows, which is before every other.
    package func verdict(provenAt: Int64?, now: UnixSeconds) -> Neutralized? {
        for moment in moments {
            if let provenAt, provenAt >= Int64(moment) { return nil }
            let key = IndexKey(issuedBefore: moment)
            if let found = verdict(key, now, UInt32(listTime: now)) { return found }
        }
        return nil
    }

    /// The entry that names one of these accounts, upper-cased, without showing it.
    package func verdict(hashing accounts: [[UInt8]], now: UnixSeconds) -> Neutralized? {
        guard kinds & Self.hashedBit != 0 else { return nil }
        for account in accounts {
            guard let key = try? SubjectKey(account: account.span) else { continue }
            if let found = verdictByHash(account, IndexKey(account: key), now) { return found }
        }
        return nil
    }

    /// Whether a list or a command names this very subject at `now`.
    package func verdict(on subject: Subject, now: UnixSeconds) -> Neutralized? {
        let key = IndexKey(subject)
        if let found = verdict(key, now, UInt32(listTime: now)) { return found }
        guard case .account(let account) = subject else { return nil }
        return verdictByHash(Array(account.id.utf8), key, now)
    }

    private static let hashedBit =
        IndexKey(high: 0, low: 0, tag: IndexKey.hashedAccountTag).kindBit

    private func verdictByHash(
        _ account: [UInt8], _ key: IndexKey, _ now: UnixSeconds
    ) -> Neutralized? {
        guard kinds & Self.hashedBit != 0 else { return nil }
        for hashed in hashedKeys(of: account) {
            // What was ordered about the account holds for the hash that stands for it.
            let found = verdict(hashed, now, UInt32(listTime: now), command: commands[key])
            if let found { return found }
        }
        return nil
    }

    private func hashedKeys(of account: [UInt8]) -> [IndexKey] {
        hashKeys.compactMap { key in
            let digest = key.digest(account.span)
            return SubjectKey(sha256: digest.span).map { IndexKey(hashedAccount: $0) }
        }
    }

    @inline(__always)
    private func verdict(_ key: IndexKey, _ now: UnixSeconds, _ time: UInt32) -> Neutralized? {
        guard kinds & key.kindBit != 0 else { return nil }
        if layers.isEmpty, commands.isEmpty, !list.reinstates {
            guard let number = list.find(key, now: time) else { return nil }
            return listed(number, in: sources[0])
        }
        return verdict(key, now, time, command: commands[key])
    }

    /// What all lists and the last command say together.
    @inline(never)
    private func verdict(
        _ key: IndexKey, _ now: UnixSeconds, _ time: UInt32, command: Command?
    ) -> Neutralized? {
        // Until when what an authority said is overridden, by itself or by a higher one.
        var overridden = Overridden()
        for source in sources {
            guard let moment = source.entries.reinstated(key, now: time) else { continue }
            overridden.note(moment, by: source.authority)
        }
        switch command?.verb {
        case .reinstate:
            if let command { overridden.note(UInt32(listTime: command.at), by: .same) }
        case .neutralize(let until):
            guard let command, until.map({ now < $0 }) ?? true,
                !overridden.covers(UInt32(listTime: command.at), of: .same)
            else { break }
            return Neutralized(
                subject: command.subject, source: .command(at: command.at, by: command.by),
                since: command.at, until: until, reason: command.reason, ticket: command.ticket)
        case .settle, nil: break
        }
        for source in sources {
            let found = source.entries.find(
                key, now: time, overriddenTo: overridden[source.authority])
            if let found { return listed(found, in: source) }
        }
        return nil
    }

    private func listed(_ number: Int, in source: ListSource) -> Neutralized {
        let entry = source.entries.entry(number)
        return Neutralized(
            subject: entry.subject,
            source: source.name.map { .signedList($0, line: entry.line) }
                ?? .list(line: entry.line), since: entry.since, until: entry.until,
            reason: entry.reason, ticket: entry.ticket)
    }
}

/// Until when the word of each authority has been overridden.
private struct Overridden {
    private var lower: UInt32?
    private var same: UInt32?
    private var higher: UInt32?

    subscript(authority: ListAuthority) -> UInt32? {
        switch authority {
        case .lower: lower
        case .same: same
        case .higher: higher
        }
    }

    /// Notes that `authority` reinstated at `moment`: against itself and what is below it.
    mutating func note(_ moment: UInt32, by authority: ListAuthority) {
        lower = max(lower ?? moment, moment)
        if authority >= .same { same = max(same ?? moment, moment) }
        if authority == .higher { higher = max(higher ?? moment, moment) }
    }

    /// Whether what `authority` said at `moment` is overridden.
    func covers(_ moment: UInt32, of authority: ListAuthority) -> Bool {
        self[authority].map { moment <= $0 } ?? false
    }
}

extension NeutralizationState {
    /// The command that reinstates `subject` against the lists as they are now; journal it, then
    /// obey.
    ///
    /// What a higher authority denies stays denied: ask for the verdict again.
    package func reinstatement(
        of subject: Subject, at: UnixSeconds, reason: String, ticket: String? = nil, by: String
    ) -> Command {
        let verb = Command.Verb.reinstate(over: digest(of: subject))
        return Command(verb, subject, at: at, reason: reason, ticket: ticket, by: by)
    }

    /// What the lists say about a subject that the operators may reinstate, in 64 bits; 0 when they
    /// say nothing.
    private func digest(of subject: Subject) -> UInt64 {
        var keys = [IndexKey(subject)]
        if case .account(let account) = subject {
            keys += hashedKeys(of: Array(account.id.utf8))
        }
        var sum: UInt64 = 0
        for source in sources where source.authority <= .same {
            for key in keys { sum &+= source.entries.digest(key) }
        }
        return sum
    }

    /// The state once `commands`, already durable, are obeyed.
    ///
    /// The lists are shared, the commands are copied: give many at once.
    package func obeying(_ commands: [Command]) -> NeutralizationState {
        var next = self
        for command in commands {
            let key = IndexKey(command.subject)
            switch command.verb {
            case .neutralize: next.commands[key] = command
            case .reinstate(let over): next.commands[key] = over == 0 ? nil : command
            case .settle: next.commands[key] = nil
            }
        }
        next.gather()
        return next
    }

    /// The state with other lists, and the settlements it causes (rule 3): append them to the
    /// journal before the new state is in force.
    ///
    /// What is not given stays as it is.
    package func replacing(
        list: NeutralizedSet? = nil, layers: [NeutralizationLayer]? = nil, at now: UnixSeconds
    ) -> (state: NeutralizationState, settled: [Command]) {
        var next = NeutralizationState(list: list ?? self.list, layers: layers ?? self.layers)
        var settled: [Command] = []
        for (key, command) in commands {
            if case .reinstate(let over) = command.verb, over != next.digest(of: command.subject) {
                settled.append(
                    Command(
                        .settle, command.subject, at: now, reason: "list-changed", by: "herse"))
            } else {
                next.commands[key] = command
            }
        }
        next.gather()
        return (next, settled)
    }

    /// The first moment after `now` at which an entry comes in force or is over, so that live
    /// connections can be looked at again then.
    ///
    /// Reads all lists: ask off the workers.
    package func nextChange(after now: UnixSeconds) -> UnixSeconds? {
        let changes = sources.compactMap { $0.entries.nextChange(after: UInt32(listTime: now)) }
        var next = changes.min().map { UnixSeconds(Int64($0)) }
        for command in commands.values {
            guard case .neutralize(let until?) = command.verb, until > now else { continue }
            next = min(next ?? until, until)
        }
        return next
    }

    /// The last command about each subject, latest first.
    package var commandsInForce: [Command] {
        commands.values.sorted { $0.at > $1.at }
    }

    /// The latest moment before which no proof counts now, if there is one.
    package func provenSince(now: UnixSeconds) -> UnixSeconds? {
        let time = UInt32(listTime: now)
        let moment = moments.first { verdict(IndexKey(issuedBefore: $0), now, time) != nil }
        return moment.map { UnixSeconds(Int64($0)) }
    }

    private mutating func gather() {
        kinds = 0
        var present4: Set<UInt8> = []
        var present6: Set<UInt8> = []
        var present: Set<UInt32> = []
        for source in sources {
            kinds |= source.entries.kinds
            present4.formUnion(source.entries.lengths4)
            present6.formUnion(source.entries.lengths6)
            present.formUnion(source.entries.moments)
        }
        for key in commands.keys {
            kinds |= key.kindBit
            if key.tag == IndexKey.issuedBeforeTag {
                present.insert(UInt32(truncatingIfNeeded: key.low))
            }
            guard let network = key.network else { continue }
            switch network.address.family {
            case .v4: present4.insert(UInt8(clamping: network.length))
            case .v6: present6.insert(UInt8(clamping: network.length))
            }
        }
        lengths4 = present4.sorted(by: >)
        lengths6 = present6.sorted(by: >)
        moments = present.sorted(by: >)
    }
}
