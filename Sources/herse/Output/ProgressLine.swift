// ProgressLine.swift: how far long work has come, for whoever waits at a terminal.

import Foundation

/// Says how far something is, not before it takes a second and not more often than that.
struct ProgressLine {
    private let total: Int
    private let done: String
    private let console: Console
    private var count = 0
    private let began = Date()
    private var toldAt = Date()
    private var isTold = false

    /// `total` units of work; `done` is what is said of those behind: `verified`.
    init(of total: Int, _ done: String, _ console: Console) {
        self.total = total
        self.done = done
        self.console = console
    }

    /// So many units more are behind.
    mutating func add(_ units: Int) {
        count += units
        let now = Date()
        guard now.timeIntervalSince(toldAt) >= 1, total > 0 else { return }
        toldAt = now
        isTold = true
        let part = min(1, Double(count) / Double(total))
        let left = now.timeIntervalSince(began) * (1 - part) / max(part, 0.001)
        console.talk("\(shownPercent(part)) \(done), about \(shownSeconds(Int(left))) left")
    }

    func end() {
        if isTold { console.talk("done in \(shownSeconds(Int(-began.timeIntervalSinceNow)))") }
    }
}
