// FeedTests.swift: cursors, receivers' names, and what a feed does about each verdict.

import Foundation
import RecordReading
import Synchronization
import Testing

@testable import RecordExport

@Suite struct `A cursor` {
    private static let place = RecordPlace(segment: 3, offset: 150_233, number: 1234)
    private let cursor = FeedCursor(origin: "gate/record", target: "https://a/fhir", place: place)

    @Test func `is read as it was written`() {
        #expect(FeedCursor(text: Array(cursor.text.utf8).span) == cursor)
    }

    @Test(arguments: [
        ("v1", "v2"), ("next 3", "next  3"), ("next 3", "next 03"), ("next 3", "next +3"),
        ("next 3", "next 0"), ("1234\n", "1234"), ("1234\n", "1234\n\n"), ("1234", "-1"),
        ("1234", "18446744073709551616"), ("150233", "-1"), ("origin ", "origin"),
        ("to https", "To https"), ("\n", "\r\n"),
    ])
    func `is nothing else`(former: String, latter: String) {
        let text = cursor.text.replacing(former, with: latter)
        #expect(FeedCursor(text: Array(text.utf8).span) == nil)
    }

    @Test func `is not cut short, and has an end`() {
        let bytes = Array(cursor.text.utf8)
        for count in 0..<bytes.count {
            #expect(FeedCursor(text: bytes.span.extracting(0..<count)) == nil)
        }
        let long = FeedCursor(
            origin: String(repeating: "x", count: 9000), target: "", place: cursor.place)
        #expect(FeedCursor(text: Array(long.text.utf8).span) == nil)
        #expect(FeedCursor(text: [0xFF, 0x0A].span) == nil)
    }
}

@Suite struct `A receiver` {
    @Test(arguments: [
        ("https://a.example/fhir/", "https://a.example/fhir"),
        ("syslog+tls://siem.example:6514", "syslog+tls://siem.example:6514"),
        ("syslog+tls://siem.example", "syslog+tls://siem.example:6514"),
        ("syslog+tls://[::1]:99", "syslog+tls://[::1]:99"),
        ("syslog+tls://[::1]", "syslog+tls://[::1]:6514"),
    ])
    func `is named`(text: String, address: String) {
        #expect(FeedTarget(text)?.address == address)
    }

    @Test(arguments: [
        "", "https://", "http://a/fhir", "ftp://a", "https://u@a/fhir", "https://a/fhir?x=1",
        "syslog+tls://", "syslog+tls://a:0", "syslog+tls://a:65536", "syslog+tls://a:+1",
        "syslog+tls://a/b", "syslog+tls://::1", "syslog+tcp://a", "syslog+tls://[x]:1",
    ])
    func `is nothing else`(text: String) {
        #expect(FeedTarget(text) == nil)
    }
}

/// A receiver that answers what it is told to.
private final class Scripted: FeedCarrier {
    let parcelsMax = 4
    var taken: [UInt64] = []
    var asked = 0
    let judge: (FeedParcel, Int) -> FeedVerdict

    init(_ judge: @escaping (FeedParcel, Int) -> FeedVerdict) { self.judge = judge }

    func send(_ parcels: [FeedParcel]) throws(ExportError) -> [FeedVerdict] {
        asked += 1
        let verdicts = parcels.map { judge($0, asked) }
        for (parcel, verdict) in zip(parcels, verdicts) where verdict == .taken {
            taken.append(parcel.number)
        }
        return verdicts
    }
}

@Suite struct `A feed` {
    private let folder = NSTemporaryDirectory() + "herse-feed-\(UUID().uuidString)"

    private func record(_ count: Int) throws -> RecordReader {
        let place = folder + "/record"
        try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
        let lines = (0..<count).map {
            "{\"time\":\"2026-11-23T19:12:21.000Z\",\"request\":\"\($0)\",\"decision\":\"allow\","
                + "\"delivery\":\"begun\",\"status\":200,\"interaction\":\"search\"}\n"
        }
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: place + "/000001.jsonl"))
        return try RecordReader(folder: place)
    }

    private func feed(
        _ carrier: Scripted, attempts: Int? = 3, refused: String? = nil,
        pauses: @escaping (Int) -> Void = { _ in }
    ) throws -> Feed {
        let target = try #require(FeedTarget("https://a.example/fhir"))
        var settings = FeedSettings(to: target, cursor: folder + "/cursor")
        settings.attemptsMax = attempts
        settings.refused = refused
        return try Feed(settings, carrier, pause: pauses, say: { _ in })
    }

    @Test func `tries again what was put off, and waits longer each time`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reader = try record(10)
        let carrier = Scripted { _, asked in asked <= 3 ? .later("busy") : .taken }
        var pauses: [Int] = []
        let report = try feed(carrier, attempts: nil, pauses: { pauses.append($0) }).run(reader)
        #expect(report.pieces == 10)
        #expect(carrier.taken == Array(0..<10))
        #expect(pauses.count == 3)
        #expect(pauses[0] >= 1000 && pauses[1] >= 2000 && pauses[2] >= 4000)
        #expect(pauses[2] <= 5001)
    }

    @Test func `waits as long as it is told to`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reader = try record(1)
        let carrier = Scripted { _, asked in asked == 1 ? .later("busy", seconds: 7) : .taken }
        var pauses: [Int] = []
        _ = try feed(carrier, pauses: { pauses.append($0) }).run(reader)
        #expect(pauses.count == 1 && pauses[0] >= 7000)
    }

    @Test func `stands before the first that was not taken`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reader = try record(10)
        let stubborn = Scripted { parcel, _ in parcel.number == 6 ? .later("busy") : .taken }
        #expect(throws: ExportError.self) { try feed(stubborn).run(reader) }
        let next = Scripted { _, _ in .taken }
        _ = try feed(next).run(reader)
        #expect(next.taken == [6, 7, 8, 9])
    }

    @Test func `ends at what is refused, or sets it aside`() throws {
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let reader = try record(6)
        let strict = Scripted { parcel, _ in parcel.number == 2 ? .refused("422") : .taken }
        #expect(throws: ExportError.self) { try feed(strict).run(reader) }
        let report = try feed(strict, refused: folder + "/aside").run(reader)
        #expect(report.refused == 1)
        #expect(Set(strict.taken) == [0, 1, 3, 4, 5])
        let aside = try String(contentsOfFile: folder + "/aside", encoding: .utf8)
        #expect(aside.hasPrefix("{\"entry\":2,\"why\":\"422\",\"resource\":{"))
    }
}
