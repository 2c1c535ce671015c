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
        let now = ContinuousClock.now
        state.withLock { state in
            let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(10)
            guard now - state.begun > .seconds(1), progress.of > 0,
                state.told.map({ now - $0 >= pause }) ?? true
            else { return }
            state.told = now
            let percent = Int(Double(progress.done) / Double(progress.of) * 100)
            let line =
                "\(progress.what.rawValue) the record: \(percent) % of "
                + shownBytes(progress.of)
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

/// `512 bytes`, `1.5 MB`, `40 GB`: decimal units, with as many digits as say something.
func shownBytes(_ bytes: Int) -> String {
    let units = ["kB", "MB", "GB", "TB"]
    guard bytes >= 1000 else { return counted(bytes, "byte") }
    var value = Double(bytes) / 1000
    var unit = 0
    while value >= 1000, unit < units.count - 1 {
        value /= 1000
        unit += 1
    }
    let whole = Int(value)
    let digits = value < 10 ? "\(whole).\(Int(value * 10) % 10)" : "\(whole)"
    return digits + " " + units[unit]
}
