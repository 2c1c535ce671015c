// Drilling.swift: cuts one synthetic professional after the other, and takes the time.

import Foundation
import Gate
import Glibc
import Synchronization

/// What became of one professional.
struct DrillSample: Sendable {
    let way: DrillProtocol
    /// From sending the order to the end of the connection, as the client saw it; nil when it did
    /// not end.
    let milliseconds: Double?
    /// What the gate took, as its answer says, the disk left out.
    let insideMilliseconds: Double
    /// Whether somebody with the same proof was served afterwards.
    let isServedAgain: Bool

    var isLeak: Bool { milliseconds == nil || isServedAgain }
}

/// A drill on a stage that stands.
struct Drilling {
    let scene: DrillStage.Scene
    let sessions: Int

    /// How long a connection may take to end before it counts as not cut.
    private static let endNanoseconds: UInt64 = 5_000_000_000

    /// Opens a professional of every kind, `sessions` times, and cuts them one by one.
    func run() throws(Failure) -> [DrillSample] {
        var samples: [DrillSample] = []
        for round in 0..<sessions {
            var open: [DrillSession] = []
            for (index, way) in DrillProtocol.allCases.enumerated() {
                let number = round * DrillProtocol.allCases.count + index
                do throws(DrillError) {
                    open.append(try DrillSession(way, professional(number), scene))
                } catch { throw Failure("\(way.rawValue): \(error.what)") }
            }
            // All are live while one of them is cut.
            for session in open { samples.append(try cut(session)) }
        }
        return samples
    }

    /// An RPPS number that nobody has: they begin with 1, and this with 99.
    private func professional(_ number: Int) -> String {
        let digits = String(number)
        return "899" + String(repeating: "0", count: max(0, 9 - digits.count)) + digits
    }

    private func cut(_ session: DrillSession) throws(Failure) -> DrillSample {
        session.connection.drain()
        let order = Order(session.professional, socket: scene.socket)
        let end = session.connection.end(by: drillClock() + Self.endNanoseconds)
        let outcome = order.wait()
        let report: NeutralizeReport
        switch outcome.answer {
        case .neutralized(let told)?: report = told
        case .notDurable(let problem, _)?: throw Failure("NOT ON DISK: \(problem)")
        case .refused(let problems)?: throw Failure(lines: problems)
        default: throw Failure("the gate of the drill does not answer")
        }
        return DrillSample(
            way: session.way,
            milliseconds: end.map { Double($0 - min($0, outcome.sentAt)) / 1e6 },
            insideMilliseconds: max(
                0, ((report.milliseconds - report.durableMilliseconds) * 1000).rounded() / 1000),
            isServedAgain: session.isServedAgain())
    }
}

/// An order on its way, sent on a thread of its own while the connection is watched.
private final class Order: Sendable {
    struct Outcome {
        var sentAt: UInt64
        var answer: ControlAnswer?
    }

    private let outcome = Mutex<Outcome?>(nil)
    private let isDone = DispatchSemaphore(value: 0)

    init(_ professional: String, socket: String) {
        let request = ControlRequest.neutralize(
            NeutralizeOrder(
                subjects: ["account:\(professional)"], reason: "drill", until: nil, ticket: nil,
                preview: false))
        Thread.detachNewThread { [self] in
            let sentAt = drillClock()
            let answer = try? ControlClient.ask(request, socket: socket)
            outcome.withLock { $0 = Outcome(sentAt: sentAt, answer: answer) }
            isDone.signal()
        }
    }

    func wait() -> Outcome {
        isDone.wait()
        return outcome.withLock { $0 } ?? Outcome(sentAt: 0, answer: nil)
    }
}
