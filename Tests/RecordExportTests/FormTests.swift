// FormTests.swift: what entries become; the profiles' own rules are held against it end to end.

import JSON
import RecordReading
import Testing

@testable import RecordExport

func entry(_ change: (inout RecordedEntry) -> Void = { _ in }) -> RecordedEntry {
    var entry = RecordedEntry()
    entry.time = 1_795_000_000_000
    entry.sequence = 7
    entry.request = "00000000000000000000000000000001"
    entry.peer = "[2001:db8::1]:37204"
    entry.professional = "899700218896"
    entry.route = "fhir"
    entry.action = "GET"
    entry.decision = "allow"
    entry.delivery = "begun"
    entry.status = 200
    entry.interaction = "search"
    entry.transaction = "ITI-78"
    change(&entry)
    return entry
}

@Suite struct `An audit event` {
    private let events = AuditEvents(
        source: AuditSource(site: "gate/record"), origin: "gate/record")

    @Test func `has one id for ever, and no other event has it`() throws {
        let two = entry { $0.persons = [RecordedPerson(key: 1), RecordedPerson(key: 2)] }
        let first = events.events(of: two).map(\.id)
        #expect(first == events.events(of: two).map(\.id))
        #expect(Set(first).count == 2)
        let other = events.events(of: entry { $0.sequence = 8 }).map(\.id)
        let reused = events.events(of: entry { $0.time += 1 }).map(\.id)
        #expect(Set(first + other + reused).count == 4)
        let digits = Array(try #require(first.first).utf8)
        #expect(digits.count == 36)
        #expect(digits[14] == UInt8(ascii: "8"))
    }

    @Test(arguments: [
        ("127.0.0.1:1", "127.0.0.1"), ("[2001:db8::1]:37204", "2001:db8::1"), ("", ""),
    ])
    func `names an address without its port`(peer: String, address: String) {
        #expect(RecordExport.address(ofPeer: peer) == address)
    }

    @Test(arguments: [
        ("urn:oid:1.2.3|77", "urn:oid:1.2.3", "77", "77^^^&1.2.3&ISO"),
        ("1.2.3|77", "urn:oid:1.2.3", "77", "77^^^&1.2.3&ISO"),
        ("https://a.example|7|7", "https://a.example", "7|7", "7|7^^^&https://a.example&URI"),
        ("77", "", "77", "77"),
        ("|77", "", "77", "77"),
    ])
    func `names a patient by system and value`(
        text: String, system: String, value: String, cx: String
    ) {
        let name = AuditName(recorded: text)
        #expect(name == AuditName(system: system, value: value))
        #expect(name.cx == cx)
    }
}

@Suite struct `A line of a batch's answer` {
    private func answer(_ statuses: [String], type: String = "batch-response") -> [UInt8] {
        let entries = statuses.map { "{\"response\":{\"status\":\"\($0)\"}}" }
        return Array(
            ("{\"resourceType\":\"Bundle\",\"type\":\"\(type)\",\"entry\":["
                + entries.joined(separator: ",") + "]}").utf8)
    }

    @Test func `says what became of each event`() {
        let bytes = answer(["201 Created", "422", "200 OK"])
        #expect(Bundles.statuses(bytes, count: 3) == [201, 422, 200])
    }

    @Test func `is believed only where it is one`() {
        #expect(Bundles.statuses(answer(["201"]), count: 2) == nil)
        #expect(Bundles.statuses(answer(["20"]), count: 1) == nil)
        #expect(Bundles.statuses(answer(["2011"]), count: 1) == nil)
        #expect(Bundles.statuses(answer(["abc"]), count: 1) == nil)
        #expect(Bundles.statuses(answer(["999"]), count: 1) == nil)
        #expect(Bundles.statuses(answer(["201"], type: "batch"), count: 1) == nil)
        #expect(Bundles.statuses(Array("<html>".utf8), count: 1) == nil)
        #expect(Bundles.statuses([], count: 0) == nil)
    }
}

@Suite struct `A line of JSON` {
    @Test(arguments: [
        ("{\"time\":1}", "{\"entry\":7,\"time\":1}\n"), ("{}", "{\"entry\":7}\n"),
    ])
    func `begins with the entry's number`(line: String, told: String) {
        #expect(jsonLine(number: 7, Array(line.utf8)) == Array(told.utf8))
    }
}
