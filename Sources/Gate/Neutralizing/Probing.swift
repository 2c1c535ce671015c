// Probing.swift: who tries again after having been cut off, and who comes from where they came.
//
// Criminals whose account is gone try it again, try its other number, or go on with the next account
// they hold, from the same address. Each is worth an alert; none may fill memory or log.

internal import Glibc
internal import Neutralization
internal import Synchronization

/// What was seen of attempts since the gate started, for `herse status`.
package struct ProbingReport: Sendable, Codable, Equatable {
    /// Requests and sign-ins refused because somebody is neutralized.
    package var attempts: UInt64 = 0
    /// Seconds since the last of them.
    package var secondsAgo: Int64?
    /// The subjects that were tried in the last day, the latest first, at most 20.
    package var subjects: [ProbedSubject] = []
    /// Others who asked from an address where somebody had been cut in the day before, at most 20.
    package var neighbours: [Neighbour] = []
}

/// A neutralized subject that was tried again.
package struct ProbedSubject: Sendable, Codable, Equatable {
    package var subject: String
    package var attempts: UInt64
    package var secondsAgo: Int64
    /// The address of the latest attempt.
    package var peer: String
}

/// Somebody else who asks from where one was cut.
package struct Neighbour: Sendable, Codable, Equatable {
    package var professional: String
    package var peer: String
    /// Who had been cut there.
    package var subject: String
    package var secondsAgo: Int64
}

/// Counts attempts after a neutralization; every call may be made from any thread.
final class ProbingWatch: Sendable {
    private struct Attempts {
        var count: UInt64 = 0
        var at: Int64 = 0
        var toldAt = Int64.min
        var peer = ""
    }

    private struct Origin {
        let subject: String
        let until: Int64
        var others: [String: Int64] = [:]
    }

    private struct State {
        var attempts: UInt64 = 0
        var lastAt: Int64?
        var subjects: [String: Attempts] = [:]
        var origins: [String: Origin] = [:]
    }

    private let state = Mutex(State())
    /// Whether anybody was cut lately, so that the others cost nothing while nobody was.
    private let hasOrigins = Atomic<Bool>(false)
    private let tell: @Sendable (_ text: String, _ subject: String) -> Void

    /// Subjects and addresses that are remembered.
    static let subjectsMax = 4096
    static let originsMax = 4096
    /// Others that are named for one address: behind a hospital's there are thousands.
    static let othersMax = 16
    /// Seconds for which they are.
    static let memorySeconds: Int64 = 86_400
    /// Seconds between two alerts about one subject.
    static let quietSeconds: Int64 = 600
    private static let shownMax = 20

    /// `tell` says a sentence to whoever must know, and names the subject.
    init(tell: @escaping @Sendable (_ text: String, _ subject: String) -> Void) {
        self.tell = tell
    }

    /// Notes that somebody neutralized by `subject` tried again; `now` is in seconds since 1970.
    func attempted(_ subject: String, from peer: String, now: Int64) {
        let count = state.withLock { state -> UInt64? in
            state.attempts += 1
            state.lastAt = now
            if state.subjects[subject] == nil, state.subjects.count >= Self.subjectsMax {
                state.subjects = state.subjects.filter { now - $0.value.at < Self.memorySeconds }
                guard state.subjects.count < Self.subjectsMax else { return nil }
            }
            var known = state.subjects[subject] ?? Attempts()
            known.count += 1
            known.at = now
            known.peer = peer
            let isQuiet = known.toldAt <= now && now - known.toldAt.clamped < Self.quietSeconds
            if !isQuiet { known.toldAt = now }
            state.subjects[subject] = known
            return isQuiet ? nil : known.count
        }
        guard let count else { return }
        tell(
            "probing: \(subject) is neutralized and was tried again from \(peer) "
                + "(\(count) \(count == 1 ? "time" : "times"))", subject)
    }

    /// Notes where somebody was cut: who else comes from there is worth a look for a day.
    func cut(_ subject: String, from peers: [String], now: Int64) {
        guard !peers.isEmpty else { return }
        state.withLock { state in
            state.origins = state.origins.filter { $0.value.until > now }
            for peer in peers where state.origins.count < Self.originsMax {
                state.origins[peer] = Origin(subject: subject, until: now + Self.memorySeconds)
            }
        }
        hasOrigins.store(true, ordering: .relaxed)
    }

    /// Whether `asked` has anything to look for.
    var isWatching: Bool { hasOrigins.load(ordering: .relaxed) }

    /// Notes that a professional who is not neutralized asks from an address.
    func asked(_ professional: String, from peer: String, now: Int64) {
        let subject = state.withLock { state -> String? in
            guard var origin = state.origins[peer], now < origin.until else { return nil }
            // A person's own certificate may be what was cut, and not the person.
            guard origin.subject != "account:\(professional)" else { return nil }
            if origin.others[professional] == nil, origin.others.count >= Self.othersMax {
                return nil
            }
            let isKnown = origin.others.updateValue(now, forKey: professional) != nil
            state.origins[peer] = origin
            return isKnown ? nil : origin.subject
        }
        guard let subject else { return }
        tell(
            "probing: account:\(professional) asks from \(peer), where \(subject) was cut",
            "account:\(professional)")
    }

    func report(now: Int64) -> ProbingReport {
        state.withLock { state in
            var report = ProbingReport()
            report.attempts = state.attempts
            report.secondsAgo = state.lastAt.map { max(0, now - $0) }
            report.subjects = Array(
                state.subjects.filter { now - $0.value.at < Self.memorySeconds }
                    .map {
                        ProbedSubject(
                            subject: $0.key, attempts: $0.value.count,
                            secondsAgo: max(0, now - $0.value.at), peer: $0.value.peer)
                    }
                    .sorted { ($0.secondsAgo, $0.subject) < ($1.secondsAgo, $1.subject) }
                    .prefix(Self.shownMax))
            report.neighbours = Array(
                state.origins.filter { now < $0.value.until }.flatMap { peer, origin in
                    origin.others.map {
                        Neighbour(
                            professional: $0.key, peer: peer, subject: origin.subject,
                            secondsAgo: max(0, now - $0.value))
                    }
                }
                .sorted { ($0.secondsAgo, $0.professional) < ($1.secondsAgo, $1.professional) }
                .prefix(Self.shownMax))
            return report
        }
    }
}

extension Int64 {
    /// Far enough from the ends that a difference of two does not overflow.
    fileprivate var clamped: Int64 { Swift.max(self, -(1 << 60)) }
}

extension WorkerCore {
    /// Tells the watch of a refusal to somebody who is neutralized.
    func noteAttempt(_ exchange: Exchange, _ client: ClientConnection) {
        let found =
            client.neutralized ?? exchange.identity?.neutralized ?? client.identity?.neutralized
        probing.attempted(
            found?.subject.description ?? "a sign-in", from: client.peer.host,
            now: clock.wallSeconds)
    }

    /// Tells the watch who asks, once for each of them on a connection.
    func noteNeighbour(_ identity: ProvenIdentity, _ client: ClientConnection) {
        guard probing.isWatching, client.watchedIdentity !== identity else { return }
        client.watchedIdentity = identity
        guard !identity.professional.isEmpty else { return }
        probing.asked(
            String(decoding: identity.professional, as: UTF8.self), from: client.peer.host,
            now: clock.wallSeconds)
    }
}
