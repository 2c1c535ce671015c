// DossierTests.swift: figures of scripted attacks, and pages that nothing can break.

import Foundation
import RecordReading
import Testing

@testable import Dossier

/// Keeps the files of a dossier in memory.
final class MemorySink: DossierSink {
    private(set) var files: [String: String] = [:]
    var hasFailed: Bool { false }

    func append(_ path: String, _ text: String) { files[path, default: ""] += text }

    /// Cells of a file of which none is quoted.
    func rows(_ path: String) -> [[String]] {
        (files[path] ?? "").split(separator: "\r\n").map { row in
            row.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
    }
}

/// 2026-05-04T08:00:00Z, a Monday.
let monday: UInt64 = 1_777_881_600_000
let hour: UInt64 = 3_600_000
let day = 24 * hour

func entry(_ time: UInt64, _ number: UInt64 = 0, _ professional: String = "899700000001")
    -> RecordedEntry
{
    var entry = RecordedEntry()
    entry.time = time
    entry.sequence = number
    entry.request = String(number, radix: 16)
    entry.peer = "203.0.113.7:40000"
    entry.professional = professional
    entry.structure = "10B0152872"
    entry.method = "certificate"
    entry.route = "fhir"
    entry.decision = "allow"
    entry.delivery = "begun"
    entry.finding = "understood"
    entry.status = 200
    return entry
}

func shown(_ keys: [UInt64], _ fields: [String] = ["name", "birth-date"]) -> [RecordedPerson] {
    keys.map { RecordedPerson(key: $0, fields: fields) }
}

func reckoned(
    _ entries: [RecordedEntry], to: UInt64 = monday + 40 * day,
    _ change: (inout DossierScope) -> Void = { _ in }
) -> (reckoning: Reckoning, sink: MemorySink) {
    let sink = MemorySink()
    var scope = DossierScope(from: monday, to: to, usualFrom: monday - 90 * day)
    change(&scope)
    let reckoning = Reckoning(scope, sink: sink)
    for entry in entries where !reckoning.take(entry) { break }
    reckoning.end()
    return (reckoning, sink)
}

func order() -> DossierOrder {
    var order = DossierOrder(
        made: monday + 41 * day, version: "herse test", integrity: Integrity(.untried))
    order.discovered = monday + 40 * day
    return order
}

@Suite struct `A dossier counts` {
    @Test func `ten accounts that take thirty new patients a day`() throws {
        var entries: [RecordedEntry] = []
        var number: UInt64 = 0
        let thieves = (0..<10).map { "89970000000\($0)" }
        for today in 0..<UInt64(12) {
            for step in 0..<UInt64(30) {
                for (index, thief) in thieves.enumerated() {
                    number += 1
                    var one = entry(monday + today * day + step * 60_000, number, thief)
                    one.persons = shown([UInt64(index) * 1_000_000 + today * 30 + step])
                    if index < 3 { one.structure = "990000001" }
                    entries.append(one)
                }
                number += 1
                var other = entry(monday + today * day + step * 60_000, number, "899700000099")
                other.persons = shown([77_000_000 + step])
                entries.append(other)
            }
        }
        let (reckoning, sink) = reckoned(entries) { $0.professionals = Set(thieves) }
        #expect(reckoning.patientCount == 3600)
        #expect(
            reckoning.figures
                == Figures(
                    accesses: 3600, shown: 3600, assumed: 0, accounts: 10, structures: 2,
                    first: monday, last: monday + 11 * day + 29 * 60_000))
        reckoning.write(order(), to: sink)
        let patients = sink.rows("patients.csv").dropFirst()
        #expect(patients.count == 3600)
        #expect(Set(patients.map { $0[2] }).count == 3600)
        #expect(sink.rows("accesses.csv").count == 3601)
        #expect(sink.rows("structures/990000001/patients.csv").count == 3 * 360 + 1)
        #expect(sink.rows("structures/10B0152872/patients.csv").count == 7 * 360 + 1)
        #expect(sink.rows("structures/990000001/accesses.csv").count == 3 * 360 + 1)
        // Nobody else's patient, and nobody else's structure.
        #expect(sink.files.values.allSatisfy { !$0.contains("899700000099") })
        let part = try #require(sink.files["structures/990000001/part.fr.html"])
        #expect(part.contains("990000001") && !part.contains("10B0152872"))
        #expect(part.contains("1\u{A0}080\u{A0}patients"))
    }

    @Test func `the lines of one request as one access`() {
        var begun = entry(monday, 1)
        begun.persons = shown([1, 2])
        var whole = entry(monday + 500, 2)
        whole.request = begun.request
        whole.delivery = "whole"
        whole.finding = ""
        var cut = entry(monday + 1000, 3)
        cut.persons = shown([3])
        var end = entry(monday + 1100, 4)
        end.request = cut.request
        end.delivery = "aborted"
        end.bytes = 0
        let (reckoning, sink) = reckoned([begun, whole, cut, end])
        #expect(reckoning.accesses.count == 2)
        #expect(reckoning.patientCount == 3)
        #expect(reckoning.aborted.count == 1 && reckoning.leftNothing == 1)
        #expect(reckoning.patients[3]?.isMaybeUnseen == true)
        #expect(reckoning.patients[1]?.isMaybeUnseen == false)
        #expect(
            sink.rows("accesses.csv").map { $0[24] } == ["delivery", "whole", "whole", "aborted"])
    }

    @Test func `nobody among those a limit withheld`() {
        var refused = entry(monday, 1)
        refused.decision = "deny"
        refused.why = "limit"
        refused.withheld = shown([5, 6])
        let (reckoning, sink) = reckoned([refused])
        #expect(reckoning.isEmpty && reckoning.patientCount == 0)
        #expect(reckoning.withheld == [5, 6])
        reckoning.write(order(), to: sink)
        #expect(sink.rows("patients.csv").count == 1)
        #expect(sink.rows("attempts.csv").last?.last == "2")
        #expect(sink.files["dossier.fr.html"]?.contains("Aucun patient n’a été affiché") == true)
    }

    @Test func `what could not be understood apart, as at most so many`() {
        var one = entry(monday, 1)
        one.finding = "unparsed"
        one.unparsed = "too-deep"
        one.assumed = 20
        let (reckoning, sink) = reckoned([one])
        #expect(!reckoning.isEmpty && reckoning.patientCount == 0)
        #expect(reckoning.figures.assumed == 20)
        reckoning.write(order(), to: sink)
        #expect(sink.files["authority.en.html"]?.contains("at most 20 unknown") == true)
    }

    @Test func `only what lies in the period, and says what comes after`() {
        let times = [monday - 1, monday, monday + day - 1, monday + day, monday + 2 * day]
        let entries = times.enumerated().map { index, time in
            var one = entry(time, UInt64(index))
            one.persons = shown([UInt64(index)])
            return one
        }
        let (reckoning, sink) = reckoned(entries, to: monday + day)
        #expect(Set(reckoning.patients.keys) == [1, 2])
        #expect(reckoning.accessesAfter.count == 2)
        reckoning.write(order(), to: sink)
        #expect(sink.files["dossier.en.html"]?.contains("2\u{A0}accesses after the end") == true)
    }

    @Test(arguments: [
        ("professional", 1), ("certificate", 1), ("session", 2), ("structure", 1), ("network", 1),
    ])
    func `those that a filter names`(kind: String, count: Int) {
        var one = entry(monday, 1)
        one.certificate = "sha256:aa"
        one.session = "s-1"
        one.peer = "[2001:db8::1]:443"
        one.persons = shown([1])
        var other = entry(monday, 2, "899700000002")
        other.structure = "S2"
        other.token = "s-1"
        other.persons = shown([2])
        let (reckoning, _) = reckoned([one, other]) { scope in
            switch kind {
            case "professional": scope.professionals = ["899700000001"]
            case "certificate": scope.certificates = ["sha256:aa"]
            case "session": scope.sessions = ["s-1"]
            case "structure": scope.structures = ["S2"]
            default:
                scope.networks = ["2001:db8::/32"]
                scope.isInNetworks = { $0 == "2001:db8::1" }
            }
        }
        #expect(reckoning.patientCount == count)
    }

    @Test func `the orders that cut off whom it is about, and no others`() {
        var one = entry(monday, 1)
        one.persons = shown([1])
        func order(_ subject: String, _ number: UInt64) -> RecordedEntry {
            var order = RecordedEntry()
            order.time = monday + number
            order.event = "administration"
            order.act = "neutralize"
            order.outcome = "done"
            order.by = "alice"
            order.subjects = [subject]
            return order
        }
        let (reckoning, _) = reckoned([
            one, order("account:899700000001", 1), order("899700000055", 2),
            order("structure:10B0152872", 3), order("network:203.0.113.7", 4),
        ]) { $0.professionals = ["899700000001"] }
        #expect(reckoning.neutralizations.map { $0.time - monday } == [1, 3, 4])
    }

    @Test func `patients it can name, and those it cannot`() {
        var one = entry(monday, 1)
        one.persons = shown([1, 2])
        one.persons[1].identifiers = ["urn:oid:1.2.250.1.213.1.4.8|2800576000001"]
        let (reckoning, sink) = reckoned([one])
        #expect(reckoning.unnamedCount == 1)
        #expect(reckoning.name(1, "urn:oid:1.2.3|IPP1"))
        #expect(!reckoning.name(9, "urn:oid:1.2.3|IPP9"))
        #expect(reckoning.unnamedCount == 0)
        reckoning.write(order(), to: sink)
        #expect(sink.rows("domains/1.2.3/patients.csv").count == 2)
        #expect(!(sink.files["domains/1.2.3/patients.csv"] ?? "").contains("2800576000001"))
    }

    @Test func `signs of an account that takes as many new patients every day`() {
        var entries: [RecordedEntry] = []
        for today in 0..<UInt64(10) {
            for step in 0..<UInt64(30) {
                var one = entry(monday + today * day + step, today * 100 + step)
                one.persons = shown([today * 100 + step])
                entries.append(one)
                guard step < 12 + today % 3 * 4, today % 7 < 5 else { continue }
                var other = entry(monday + today * day + step, 5000 + step, "899700000002")
                other.persons = shown([100_000 + step])
                entries.append(other)
            }
        }
        var usual = entry(monday - 10 * day, 1, "899700000002")
        usual.persons = shown([100_000])
        let (reckoning, _) = reckoned([usual] + entries)
        let standings = reckoning.standings
        #expect(standings.map(\.account) == ["899700000001", "899700000002"])
        #expect(standings.first?.signs.contains(.steady) == true)
        #expect(standings.first?.signs.contains(.neverAgain) == true)
        #expect(standings.first?.signs.contains(.noUsual) == true)
    }
}
