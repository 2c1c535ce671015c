// LogStormsTests.swift: of a storm of lines the first are written, and how it ended is told.

import Testing

@testable import Gate

@Suite struct `Lines of the log that come in a storm` {
    var storms = LogStorms()

    /// Says `count` lines of one kind; how many are written.
    private mutating func say(_ count: Int, _ kind: String, in second: Int) -> Int {
        (0..<count).count { storms.take("line \($0)", kind: kind, in: second).verdict == .written }
    }

    @Test mutating func `are written up to ten a second, each kind by itself`() {
        #expect(say(7, "disk", in: 1) == 7 && say(7, "peer", in: 1) == 7)
        #expect(say(7, "disk", in: 1) == 3)
        #expect(say(7, "disk", in: 2) == 7)
        #expect(!storms.isRaging)
    }

    @Test mutating func `are told of once they are over, with the last`() {
        #expect(say(14, "disk", in: 1) == 10 && say(10, "peer", in: 1) == 10)
        #expect(storms.isRaging)
        #expect(storms.end(in: 1) == [])
        #expect(storms.end(in: 2) == ["4 more of this kind, the last: line 13"])
        #expect(!storms.isRaging && storms.end(in: 3) == [])
    }

    @Test mutating func `are told of before the next line of their kind, at the latest`() {
        #expect(say(11, "disk", in: 1) == 10)
        let next = storms.take("again", kind: "disk", in: 2)
        #expect(next.verdict == .written)
        #expect(next.before == "1 more of this kind, the last: line 10")
        #expect(storms.end(in: 3) == [])
    }

    @Test mutating func `wake their writer once, and are all told of at the end`() {
        let verdicts = (0..<13).map { storms.take("\($0)", kind: "disk", in: 5).verdict }
        #expect(verdicts.count { $0 == .begins } == 1 && verdicts[10] == .begins)
        #expect(storms.end(in: nil) == ["3 more of this kind, the last: 12"])
    }
}
