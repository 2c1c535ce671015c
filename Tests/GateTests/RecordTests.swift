// RecordTests.swift: what the lines of the record are made of.

import Testing

@testable import Gate

@Suite struct `The body that was sent` {
    @Test func `is what went out after the head`() {
        var body = SentBody()
        #expect(body.count(sent: 1000) == 0)
        body.begins(at: 100, isChunked: false)
        body.stage(50, at: 100)
        body.stage(50, at: 150)
        #expect(
            [0, 100, 101, 150, 200, 900].map { body.count(sent: $0) } == [0, 0, 1, 50, 100, 100])
    }

    @Test func `leaves out what frames it`() {
        var body = SentBody()
        body.begins(at: 100, isChunked: true)
        // `5\r\n`, five bytes, `\r\n`, twice.
        body.stage(5, at: 103)
        body.stage(5, at: 113)
        #expect(
            [100, 103, 104, 108, 110, 113, 116, 120].map { body.count(sent: $0) }
                == [0, 0, 1, 5, 5, 5, 8, 10])
        body.allTaken()
        body.stage(7, at: 123)
        #expect([122, 124, 200].map { body.count(sent: $0) } == [10, 11, 17])
    }

    @Test func `is nothing once it is taken back`() {
        var body = SentBody()
        body.begins(at: 10, isChunked: true)
        body.stage(5, at: 13)
        body.forget()
        #expect(body.count(sent: 100) == 0)
    }
}

@Suite struct `The pace of lines` {
    @Test func `lets so many pass in a second and counts the others`() {
        var pace = LinePace(perSecond: 2)
        let told = (0..<5).map { _ in pace.mayTell(at: 7) }
        #expect(told == [true, true, false, false, false])
        let left = [7, 8, 9].map { pace.takeLeftOut(at: $0) }
        #expect(left == [0, 3, 0])
        let again = pace.mayTell(at: 8)
        #expect(again)
    }
}

@Suite struct `The clock of a worker` {
    @Test func `says whether it is kept in step`() {
        let stamp = String(decoding: WorkerClock().stamp, as: UTF8.self)
        let parts = stamp.split(separator: ",")
        #expect(parts.count == 2 && parts[0].utf8.count == 26)
        #expect(
            ["synchronized", "unsynchronized", "unknown"].contains { word in
                parts[1] == "\"clock\":\"\(word)\""
            })
    }
}

@Suite struct `Names of a list's states` {
    @Test func `never go back and are never alike`() {
        var versions = ListVersions()
        let names = (0..<1000).map { _ in versions.next() }
        #expect(names == names.sorted() && Set(names).count == 1000)
        #expect(names.allSatisfy { $0.utf8.count == 24 && $0.hasSuffix("Z") })
    }
}
