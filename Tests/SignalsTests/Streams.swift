// Streams.swift: polls, the life of a stream, what is remembered of events, what is told others.

import JSON
import Testing
import Tokens

@testable import Signals

@Suite struct `A poll` {
    @Test func `tells what became of the events before it`() {
        var request = PollRequest()
        #expect(
            String(decoding: request.json.encoded, as: UTF8.self)
                == #"{"maxEvents":100,"returnImmediately":true}"#)
        request.acknowledged = ["a"]
        request.refused = [("b", DeliveryError(.invalidKey, "why"))]
        #expect(request.json["ack"]?.texts == ["a"])
        #expect(request.json["setErrs"]?["b"]?["err"]?.text == "invalid_key")
    }

    @Test(arguments: [
        (#"{"sets":{"a":"x.y.z"},"moreAvailable":true}"#, 1), (#"{"sets":{}}"#, 0), ("{}", 0),
    ])
    func `is answered with events, or none`(text: String, count: Int) {
        let bytes = Array(text.utf8)
        let answer = PollAnswer(json: bytes.span)
        #expect(answer?.items.count == count)
    }

    @Test(arguments: ["", "[]", #"{"sets":[]}"#, #"{"sets":{"a":7}}"#, #"{"sets":"x"}"#])
    func `is not answered by what is no answer`(text: String) {
        let bytes = Array(text.utf8)
        let answer = PollAnswer(json: bytes.span)
        #expect(answer == nil)
    }
}

@Suite struct `A stream` {
    @Test func `is unknown, then fresh, then stale once a question came back too late`() throws {
        let health = StreamHealth(silenceMax: nil, asks: true)
        #expect(health.report(now: 0).state == .unknown)
        let first = try #require(health.question(every: 60, now: 0))
        #expect(health.question(every: 60, now: 59) == nil)
        #expect(health.answered(first, now: 30))
        #expect(health.report(now: 30).state == .fresh)
        let second = try #require(health.question(every: 60, now: 60))
        let third = try #require(health.question(every: 60, now: 120))
        #expect(health.report(now: 120).state == .stale)
        // Late, and still an answer; only the last makes it fresh.
        #expect(health.answered(second, now: 121))
        #expect(health.report(now: 121).state == .stale)
        #expect(!health.answered("never asked", now: 122))
        #expect(health.answered(third, now: 123))
        #expect(health.report(now: 123).state == .fresh)
    }

    @Test func `does not live by events alone when it is asked`() {
        let health = StreamHealth(silenceMax: nil, asks: true)
        health.note(.applied, now: 5)
        #expect(health.report(now: 5).state == .unknown)
        let silent = StreamHealth(silenceMax: 60, asks: false)
        silent.note(.applied, now: 5)
        #expect(silent.report(now: 65).state == .fresh)
        #expect(silent.report(now: 66).state == .stale)
    }

    @Test func `is stale while its sender says so`() {
        let health = StreamHealth(silenceMax: nil, asks: false)
        health.note(.applied, now: 5)
        health.update(status: "paused")
        #expect(health.report(now: 6).state == .stale)
        health.update(status: "enabled")
        #expect(health.report(now: 6).state == .fresh)
    }

    @Test func `counts what came and what became of it`() {
        let health = StreamHealth(silenceMax: nil, asks: false)
        let refusal = DeliveryError(.invalidKey, "why")
        let outcomes: [SignalOutcome] = [
            .applied, .applied, .ignored, .unresolved, .repeated, .refused(refusal),
            .failed("disk"),
        ]
        for outcome in outcomes { health.note(outcome, now: 9) }
        let report = health.report(now: 9)
        #expect(report.received == 7 && report.applied == 2 && report.ignored == 1)
        #expect(report.unresolved == 1 && report.repeated == 1 && report.refused == 1)
        #expect(report.problem == "disk")
        #expect(health.note(.poll, problem: "down", now: 10))
        #expect(!health.note(.poll, problem: "down", now: 11))
        #expect(health.report(now: 11).problem == "down")
    }
}

@Suite struct `What is remembered of events` {
    @Test func `is bounded, and the latest stay`() {
        let seen = SeenEvents(countMax: 4)
        for number in 0..<10 { seen.insert("\(number)") }
        #expect(seen.contains("9") && seen.contains("6") && !seen.contains("0"))
        seen.noteLatest("A", issuedAt: 10)
        #expect(seen.isOvertaken("A", issuedAt: 9) && !seen.isOvertaken("A", issuedAt: 10))
        #expect(!seen.isOvertaken("B", issuedAt: 1))
    }

    @Test func `is who is known by which subject`() {
        let book = SubjectBook()
        book.learn(issuer: "https://i", subject: "s", professional: "8")
        #expect(book.professional(issuer: "https://i", subject: "s") == "8")
        #expect(book.professional(issuer: "https://is", subject: "") == nil)
    }
}

@Suite struct `A journal of lines` {
    private let folder = TemporaryFolder()

    @Test func `reads back what was appended`() throws {
        let (journal, none) = try LineJournal.open(folder: folder.path, name: "j")
        #expect(none.isEmpty)
        try journal.append(["one", "two"])
        try journal.append(["three"])
        #expect(
            try LineJournal.open(folder: folder.path, name: "j").lines == ["one", "two", "three"])
        try journal.replace(with: ["four"])
        try journal.append(["five"])
        #expect(try LineJournal.open(folder: folder.path, name: "j").lines == ["four", "five"])
    }

    @Test func `drops a tail that was cut short at any byte, and goes on`() throws {
        let (journal, _) = try LineJournal.open(folder: folder.path, name: "j")
        try journal.append(["one", "two"])
        let whole = folder.bytes("j")
        for count in 0..<whole.count {
            try folder.write(Array(whole.prefix(count)), "j")
            let (again, lines) = try LineJournal.open(folder: folder.path, name: "j")
            #expect(lines == Array(["one", "two"].prefix(lines.count)))
            try again.append(["three"])
            let read = try LineJournal.open(folder: folder.path, name: "j").lines
            #expect(read == lines + ["three"])
        }
    }

    @Test func `is refused when it is damaged before its end`() throws {
        let (journal, _) = try LineJournal.open(folder: folder.path, name: "j")
        try journal.append(["one", "two"])
        var bytes = folder.bytes("j")
        bytes[24] ^= 1
        try folder.write(bytes, "j")
        #expect(throws: LineJournalError.self) {
            try LineJournal.open(folder: folder.path, name: "j")
        }
    }
}

@Suite struct `A moment` {
    private let folder = TemporaryFolder()

    @Test func `lasts, and only moves on`() throws {
        let moments = ProofMoments()
        #expect(moments.epoch == 0)
        try moments.open(folder: folder.path, now: 100)
        try moments.set("A", 90, now: 100)
        let epoch = moments.epoch
        try moments.set("A", 80, now: 100)
        #expect(moments.moment(of: ["B", "A"]) == 90)
        #expect(moments.moment(of: ["B"]) == nil)
        #expect(moments.epoch == epoch && epoch != 0)
        let again = ProofMoments()
        try again.open(folder: folder.path, now: 100)
        #expect(again.moment(of: ["A"]) == 90)
        #expect(again.epoch != 0)
        let later = ProofMoments()
        try later.open(folder: folder.path, now: 91 + ProofMoments.seconds)
        #expect(later.moment(of: ["A"]) == nil)
    }
}

@Suite struct `An outbox` {
    private let folder = TemporaryFolder()

    private func event(_ id: String, _ receiver: String = "idp") -> OutgoingEvent {
        OutgoingEvent(receiver: receiver, id: id, at: 7, claims: Array("{}".utf8))
    }

    @Test func `keeps what waits, in order, over a restart`() throws {
        let outbox = try Outbox(folder: folder.path)
        try outbox.add([event("1"), event("2"), event("3", "other")])
        try outbox.remove(event("1"), wasSent: true)
        #expect(outbox.counts(of: "idp").sent == 1)
        let again = try Outbox(folder: folder.path)
        #expect(again.next(for: "idp") == event("2"))
        #expect(again.waiting(for: "other").count == 1)
        try again.remove(event("2"), wasSent: false)
        #expect(again.counts(of: "idp").failed == 1)
        #expect(try Outbox(folder: folder.path).next(for: "idp") == nil)
    }

    @Test func `forgets whom nobody tells any more`() throws {
        let outbox = try Outbox(folder: folder.path)
        try outbox.add([event("1"), event("2", "gone")])
        try outbox.keep(only: ["idp"])
        #expect(outbox.next(for: "gone") == nil && outbox.next(for: "idp") != nil)
        #expect(try Outbox(folder: folder.path).next(for: "gone") == nil)
    }

    @Test func `is bounded, and counts what it does not take`() throws {
        let outbox = try Outbox(folder: folder.path)
        try outbox.add((0...Outbox.waitingMax).map { event("\($0)") })
        #expect(outbox.waiting(for: "idp").count == Outbox.waitingMax)
        #expect(outbox.counts(of: "idp").failed == 1)
    }
}

@Suite struct `What is told others` {
    @Test func `is an event that this module itself believes`() throws {
        let stream = try Stream()
        for event in AccountDecision.neutralized.events + AccountDecision.reinstated.events {
            let text = claims(
                of: event, professional: "899700218896", issuer: Stream.issuer,
                audience: Stream.audience, id: eventID(), now: Stream.now)
            let token = try stream.token(JSONValue(text.span))
            let subject = SubjectIdentifier.issuerSubject(
                issuer: Stream.issuer, subject: "899700218896")
            #expect(try stream.event(token).content == .signal(event, subject))
        }
    }

    @Test(arguments: [
        (400, #"{"err":"invalid_request"}"#, true), (400, #"{"err":"invalid_key"}"#, false),
        (400, "", false), (500, #"{"err":"invalid_request"}"#, false),
    ])
    func `is given up when it is refused for good`(status: Int, body: String, isOver: Bool) {
        let bytes = Array(body.utf8)
        #expect(isRefusedForGood(status: status, body: bytes.span) == isOver)
    }
}
