// Shortcomings.swift: when something that is not as it should be becomes an alert, and when no more.

import Alerts
import Testing

@testable import Gate

private let stale = Shortcoming(.listStale, "list `a`", "list `a` is stale", .error)
private let disk = Shortcoming(.journalFailed, "journal", "journal: no room", .critical)

/// What a watch tells of each look.
private func told(_ looks: [[Shortcoming]]) -> [[String]] {
    var watch = ShortcomingWatch()
    return looks.map { found in
        watch.look(found).map { "\($0.kind.rawValue) \($0.severity.rawValue) \($0.text)" }
    }
}

@Suite struct `A watch over shortcomings` {
    @Test func `tells of one that lasts, once, and once of its end`() {
        #expect(
            told([[stale], [stale], [stale], [], []]) == [
                [], ["list-stale error list `a` is stale"], [],
                ["list-stale notice no longer: list `a` is stale"], [],
            ])
    }

    @Test func `says nothing of one that is gone at the next look`() {
        #expect(told([[stale], [], [stale], []]) == [[], [], [], []])
    }

    @Test func `tells at once of a disk that fails`() {
        #expect(
            told([[disk], []]) == [
                ["journal-failed critical journal: no room"],
                ["journal-failed notice no longer: journal: no room"],
            ])
    }

    @Test func `tells again of what gets worse, and not of other words`() {
        let soon = Shortcoming(.certificateEnds, "l", "ends soon")
        let later = Shortcoming(.certificateEnds, "l", "ends sooner")
        let over = Shortcoming(.certificateEnds, "l", "has ended", .error)
        #expect(
            told([[soon], [soon], [later], [over], [over], [over]]) == [
                [], ["certificate-ends warning ends soon"], [], [],
                ["certificate-ends error has ended"], [],
            ])
    }

    @Test func `tells the end to whoever was told of the beginning`() {
        #expect(stale.end.weight == .error)
        #expect(stale.end.severity == .notice)
    }

    @Test func `takes a bare sentence for a shortcoming of no special kind`() {
        let plain: Shortcoming = "something is odd"
        #expect(plain.kind == .degraded)
        #expect(plain.alert.text == "something is odd")
    }
}
