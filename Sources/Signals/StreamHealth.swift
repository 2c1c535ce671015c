// StreamHealth.swift: whether a stream lives: what came, what became of it, and whether our own
// question came back in time.

internal import Synchronization
internal import Tokens

/// How a stream is, for status.
package struct StreamReport: Equatable, Sendable {
    /// Whether events would come if there were any.
    package enum State: String, CaseIterable, Sendable {
        case fresh
        /// The sender paused it, did not answer in time, or cannot be reached.
        case stale
        /// Nothing was heard of it yet.
        case unknown
    }

    package var state = State.unknown
    package var received: UInt64 = 0
    package var applied: UInt64 = 0
    package var refused: UInt64 = 0
    package var unresolved: UInt64 = 0
    package var ignored: UInt64 = 0
    package var repeated: UInt64 = 0
    /// Seconds since 1970.
    package var lastEventAt: Int64?
    package var problem: String?
}

/// What became of an event.
package enum SignalOutcome: Equatable, Sendable {
    case applied
    /// Nothing is to be done about it, by its kind or by the configuration.
    case ignored
    /// Nobody here is known by its subject.
    case unresolved
    /// It came before.
    case repeated
    /// It is no event of this stream's, or not a good one.
    case refused(DeliveryError)
    /// It could not be made to last: it has to come again.
    case failed(String)
}

/// The life of one stream; every call may be made from any thread.
package final class StreamHealth: Sendable {
    private struct State {
        var report = StreamReport()
        /// When anything last showed that the stream lives.
        var livedAt: Int64?
        var question: String?
        var askedAt: Int64?
        /// States of questions asked before, which may still come back.
        var former: [String] = []
        /// Whether a question was not answered until the next was due.
        var wasLate = false
        var status = "enabled"
        var problems: [Kind: String] = [:]
    }

    /// What can be wrong, each with its last problem.
    package enum Kind: Hashable, Sendable, CaseIterable {
        case poll
        case verification
        case event
    }

    private let state = Mutex(State())
    /// Seconds after which silence means that it does not live; nil when silence means nothing.
    private let silenceMax: Int64?
    /// Whether the stream lives only as far as our own questions come back.
    private let asks: Bool

    package init(silenceMax: Int64?, asks: Bool) {
        self.silenceMax = silenceMax
        self.asks = asks
    }

    package func note(_ outcome: SignalOutcome, now: Int64) {
        state.withLock { state in
            state.report.received += 1
            switch outcome {
            case .applied: state.report.applied += 1
            case .ignored: state.report.ignored += 1
            case .unresolved: state.report.unresolved += 1
            case .repeated: state.report.repeated += 1
            case .refused(let error):
                state.report.refused += 1
                state.problems[.event] = "an event was refused: \(error.description)"
                return
            case .failed(let problem):
                state.problems[.event] = problem
                return
            }
            state.problems[.event] = nil
            state.report.lastEventAt = now
            if !asks { state.livedAt = now }
        }
    }

    /// Notes how a poll or a question to the sender went; nil for well.
    ///
    /// Returns whether that is news.
    package func note(_ kind: Kind, problem: String?, now: Int64) -> Bool {
        state.withLock { state in
            let isNews = state.problems[kind] != problem
            state.problems[kind] = problem
            if kind == .poll, problem == nil, !asks { state.livedAt = now }
            return isNews
        }
    }

    /// Whether the time for a question has come.
    package func isQuestionDue(every seconds: Int64, now: Int64) -> Bool {
        state.withLock { state in
            state.askedAt.map { now < $0 || now - $0 >= seconds } ?? true
        }
    }

    /// A new question, if the time for one has come: its `state`.
    package func question(every seconds: Int64, now: Int64) -> String? {
        state.withLock { state in
            if let askedAt = state.askedAt, now >= askedAt, now - askedAt < seconds { return nil }
            if let question = state.question {
                state.wasLate = true
                state.former = [question] + state.former.prefix(3)
            }
            let made = encodeBase64URL(randomBytes(16))
            state.question = made
            state.askedAt = now
            return made
        }
    }

    /// Whether a verification event is the answer to a question of ours, or to nobody's.
    package func answered(_ text: String?, now: Int64) -> Bool {
        state.withLock { state in
            guard let text else { return true }
            if let question = state.question, areSame(question, text) {
                state.question = nil
                state.former = []
                state.livedAt = now
                state.wasLate = false
                return true
            }
            return state.former.contains { areSame($0, text) }
        }
    }

    /// The sender's own word of the stream.
    package func update(status: String) {
        state.withLock { state in state.status = status }
    }

    package func report(now: Int64) -> StreamReport {
        state.withLock { state in
            var report = state.report
            report.problem = Kind.allCases.compactMap { state.problems[$0] }.first
            if state.status != "enabled" {
                report.state = .stale
                report.problem = "the transmitter says that the stream is \(state.status)"
            } else if state.wasLate {
                report.state = .stale
                report.problem =
                    report.problem ?? "the transmitter did not answer a verification in time"
            } else if let livedAt = state.livedAt {
                let isSilent = silenceMax.map { now - livedAt > $0 } ?? false
                report.state = isSilent ? .stale : .fresh
            } else {
                report.state = .unknown
            }
            return report
        }
    }
}
