// ProgressLine.swift: how far long work has come, said on standard error.

import Foundation
import RecordIndex
import Synchronization

/// Says how far work has come once it takes more than a second: one line rewritten on a terminal,
/// a line now and then elsewhere.
final class ProgressLine: Sendable {
    private struct State {
        var begun: ContinuousClock.Instant
        var told: ContinuousClock.Instant?
        var isOpen = false
    }

    private let state: Mutex<State>
    private let isTerminal = isatty(2) == 1
    private let console: Console

    init(_ console: Console) {
        self.console = console
        state = Mutex(State(begun: .now))
    }

    func update(_ progress: RecordProgress) {
        update(progress.what.rawValue, progress.done, of: progress.of)
    }

    /// So many bytes of the record are behind; `what` says what is done: `verifying`.
    func update(_ what: String, _ done: Int, of total: Int) {
        let now = ContinuousClock.now
        state.withLock { state in
            let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
            guard now - state.begun > .seconds(1), total > 0,
                state.told.map({ now - $0 >= pause }) ?? true
            else { return }
            state.told = now
            let percent = Int(Double(done) / Double(total) * 100)
            let line =
                "\(what) the record: \(percent) % of " + shownBytes(total)
            if isTerminal {
                state.isOpen = true
                try? FileHandle.standardError.write(contentsOf: Data("\r\(line)\u{1B}[K".utf8))
            } else {
                console.talk(line)
            }
        }
    }

    /// Leaves nothing on the line; called before anything else is said.
    func end() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            try? FileHandle.standardError.write(contentsOf: Data("\r\u{1B}[K".utf8))
        }
    }
}
