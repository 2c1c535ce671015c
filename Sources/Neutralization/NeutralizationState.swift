// NeutralizationState.swift: who is cut off right now, by the operator's list or by command.
//
// The rules, for whoever reads them at night:
// 1. A subject is neutralized if the list says so or if the last command about it says so.
// 2. `reinstate` undoes the last command, and overrides the lines that the list has about the
//    subject at that moment, except a line whose `since` is later: that one comes in force then.
// 3. It overrides those very lines and no others: as soon as a list is loaded whose lines about
//    the subject have been removed, changed or added to, the list decides alone again ("settled").
//    So to name someone again is to cut him off again, whatever was commanded before.
// 4. A later command replaces an earlier one. A neutralization that is over counts as no command.

/// Who is neutralized: the list, shared and never copied, and over it the commands.
package struct NeutralizationState: Sendable {
    package let list: NeutralizedSet
    private var commands: [IndexKey: Command] = [:]
    /// Prefix lengths of networks in the list or in a command, longest first.
    private var lengths4: [UInt8]
    private var lengths6: [UInt8]
    /// Kinds of subject in the list or in a command, one bit each.
    private var kinds: UInt16

    package init(list: NeutralizedSet = .empty) {
        self.list = list
        lengths4 = list.lengths4
        lengths6 = list.lengths6
        kinds = list.kinds
    }

    /// The state after a start: the list, and what the journal kept.
    ///
    /// Commands to append to the
    /// journal before this state is in force come with it.
    package static func restored(
        list: NeutralizedSet, commands: [Command], at now: UnixSeconds
    ) -> (state: NeutralizationState, settled: [Command]) {
        NeutralizationState().obeying(commands).replacing(list: list, at: now)
    }
}

/// A subject found neutralized, for logs and operators; a client is never told why.
package struct Neutralized: Equatable, Sendable {
    /// Who says so.
    package enum Source: Equatable, Sendable {
        case list(line: Int)
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

    /// Whether the list or a command names this very subject at `now`.
    package func verdict(on subject: Subject, now: UnixSeconds) -> Neutralized? {
        verdict(IndexKey(subject), now, UInt32(listTime: now))
    }

    @inline(__always)
    private func verdict(_ key: IndexKey, _ now: UnixSeconds, _ time: UInt32) -> Neutralized? {
        guard kinds & key.kindBit != 0 else { return nil }
        if commands.isEmpty {
            guard let number = list.find(key, now: time) else { return nil }
            return listed(number)
        }
        return verdictWithCommands(key, now, time)
    }

    @inline(never)
    private func verdictWithCommands(
        _ key: IndexKey, _ now: UnixSeconds, _ time: UInt32
    ) -> Neutralized? {
        var overriddenTo: UInt32?
        if let command = commands[key] {
            switch command.verb {
            case .neutralize(let until):
                if until.map({ now < $0 }) ?? true {
                    return Neutralized(
                        subject: command.subject, source: .command(at: command.at, by: command.by),
                        since: command.at, until: until, reason: command.reason,
                        ticket: command.ticket)
                }
            case .reinstate:
                overriddenTo = UInt32(listTime: command.at)
            case .settle:
                break
            }
        }
        return list.find(key, now: time, overriddenTo: overriddenTo).map(listed)
    }

    private func listed(_ number: Int) -> Neutralized {
        let entry = list.entry(number)
        return Neutralized(
            subject: entry.subject, source: .list(line: entry.line), since: entry.since,
            until: entry.until, reason: entry.reason, ticket: entry.ticket)
    }
}

extension NeutralizationState {
    /// The command that reinstates `subject` against the list as it is now; journal it, then obey.
    package func reinstatement(
        of subject: Subject, at: UnixSeconds, reason: String, ticket: String? = nil, by: String
    ) -> Command {
        let verb = Command.Verb.reinstate(over: list.digest(IndexKey(subject)))
        return Command(verb, subject, at: at, reason: reason, ticket: ticket, by: by)
    }

    /// The state once `commands`, already durable, are obeyed.
    ///
    /// The list is shared, the commands
    /// are copied: give many at once.
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

    /// The state with another list, and the settlements it causes (rule 3): append them to the
    /// journal before the new state is in force.
    package func replacing(
        list: NeutralizedSet, at now: UnixSeconds
    ) -> (state: NeutralizationState, settled: [Command]) {
        var next = NeutralizationState(list: list)
        var settled: [Command] = []
        for (key, command) in commands {
            if case .reinstate(let over) = command.verb, over != list.digest(key) {
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
    /// Reads the whole list: ask off the workers.
    package func nextChange(after now: UnixSeconds) -> UnixSeconds? {
        var next = list.nextChange(after: UInt32(listTime: now)).map { UnixSeconds(Int64($0)) }
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

    private mutating func gather() {
        kinds = commands.keys.reduce(list.kinds) { $0 | $1.kindBit }
        var present4 = Set(list.lengths4)
        var present6 = Set(list.lengths6)
        for key in commands.keys {
            guard let network = key.network else { continue }
            switch network.address.family {
            case .v4: present4.insert(UInt8(clamping: network.length))
            case .v6: present6.insert(UInt8(clamping: network.length))
            }
        }
        lengths4 = present4.sorted(by: >)
        lengths6 = present6.sorted(by: >)
    }
}
