// SampleRecord.swift: a small record made at random from a seed, and who reads it without an index.

import Foundation
import Record
import RecordIndex
import RecordReading
import Sealing
import Synchronization
import Testing
import Transparency

/// A record of three segments with heads and checkpoints, gone when the test is.
final class SampleRecord: Sendable {
    struct Line: Sendable {
        let number: UInt64
        let segment: Int
        let place: Int
        let text: String
        let isEntry: Bool
        let time: UInt64
        var request = ""
    }

    let folder: String
    let lines: [Line]
    /// Whose key opens it; nil when it is not sealed.
    let auditor: AuditorKey?
    private let random: Mutex<Numbers>

    var index: String { folder + "/index" }

    static func professional(_ number: Int) -> String { "8997\(10_000_000 + number)" }
    static func patient(_ number: Int) -> UInt64 { UInt64(number + 1) &* 0x9E37_79B9_7F4A_7C15 }

    private static let begin: UInt64 = 1_795_000_000_000

    init(seed: UInt64, entries: Int = 600, isSealed: Bool = false) throws {
        print("seed \(seed)")
        var numbers = Numbers(state: seed)
        folder = try Self.temporaryFolder()
        auditor = isSealed ? AuditorKey.make() : nil
        let name = "herse.test"
        let verifier = try #require(
            NoteVerifier(name: name, algorithm: .ed25519, key: [UInt8](repeating: 7, count: 32)))
        var lines: [Line] = []
        var time = Self.begin
        var tree = CompactRange()
        var previous: SegmentEnding?
        for segment in 1...3 {
            let key = try #require(SegmentKey.make())
            let sealer = try #require(EntrySealer(key))
            let before = tree
            var own = CompactRange(begin: tree.end)
            var text: [UInt8] = []
            func add(_ line: String, isEntry: Bool, request: String = "") {
                let number = UInt64(lines.count)
                lines.append(
                    Line(
                        number: number, segment: segment, place: text.count, text: line,
                        isEntry: isEntry, time: time, request: request))
                var bytes = Array(line.utf8)
                if isSealed, isEntry {
                    let plain = bytes
                    bytes = Array("{\"sealed\":\"".utf8)
                    #expect(sealer.append(plain.span, number: number, to: &bytes))
                    bytes += Array("\"}".utf8)
                }
                tree.append(.leaf(bytes.span))
                own.append(.leaf(bytes.span))
                text += bytes + [0x0A]
            }
            let sealed = auditor.flatMap {
                key.sealed(to: $0.publicKey, origin: name, segment: segment)
            }
            let head = SegmentHead(
                segment: segment, time: Moment(milliseconds: time).stamp, origin: name,
                key: verifier, tree: before, previous: previous, sealedTo: sealed.map { [$0] })
            add(String(decoding: try #require(head.line), as: UTF8.self), isEntry: false)
            for _ in 0..<(entries / 3) {
                // Sometimes the clock is set back.
                let step = numbers.below(50) == 0 ? -3_000_000 : numbers.below(60_000)
                time = UInt64(Int(time) + step)
                if numbers.below(40) == 0 {
                    let stamp = Moment(milliseconds: time).stamp
                    add(#"{"checkpoint":"x","time":"\#(stamp)"}"#, isEntry: false)
                }
                let request = "req-\(seed)-\(lines.count - numbers.below(2))"
                add(
                    Self.entry(&numbers, time: time, request: request), isEntry: true,
                    request: request)
            }
            previous = SegmentEnding(
                segment: segment, range: own, bytes: text.count, manner: .whole)
            try Data(text).write(
                to: URL(fileURLWithPath: folder + "/00000\(segment).jsonl"))
        }
        self.lines = lines
        random = Mutex(numbers)
    }

    /// A record of these lines alone, in one segment without a head.
    init(lines texts: [String]) throws {
        folder = try Self.temporaryFolder()
        try (texts.joined(separator: "\n") + "\n").write(
            toFile: folder + "/000001.jsonl", atomically: false, encoding: .utf8)
        lines = []
        auditor = nil
        random = Mutex(Numbers(state: 0))
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private static func temporaryFolder() throws -> String {
        let folder = NSTemporaryDirectory() + "/herse-index-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: false)
        return folder
    }

    private static func entry(
        _ numbers: inout Numbers, time: UInt64, request: String
    ) -> String {
        var line = #"{"time":"\#(Moment(milliseconds: time).stamp)","request":"\#(request)""#
        if numbers.below(10) == 0 {
            let event = ["signed-in", "signed-out", "refused"][numbers.below(3)]
            line += #","event":"\#(event)""#
        }
        if numbers.below(8) > 0 {
            line += #","professional":"\#(professional(numbers.below(12)))""#
            line += #","structure":"10B\#(numbers.below(5))","session":"s-\#(numbers.below(30))""#
            // A text with an escape is the text.
            line += #","client":"soft\u0077are \#(numbers.below(3))""#
        }
        line += #","route":"\#(["fhir", "pix"][numbers.below(2)])""#
        let decision = ["allow", "allow", "allow", "deny", "reject"][numbers.below(5)]
        let delivery = ["begun", "whole", "aborted"][numbers.below(3)]
        line += #","decision":"\#(decision)","delivery":"\#(delivery)""#
        let count = numbers.below(4)
        if count > 0 {
            let patients = (0..<count).map { _ in "\"\(spelled(patient(numbers.below(40))))\"" }
            let key = decision == "allow" ? "persons" : "withheld"
            line += ",\"\(key)\":[\(patients.joined(separator: ","))]"
        }
        return line + "}"
    }

    func search() -> RecordSearch {
        // A folder that has segments opens.
        let keys = [auditor].compactMap(\.self)
        guard let reader = try? RecordReader(folder: folder, auditorKeys: keys) else {
            preconditionFailure("no record")
        }
        return RecordSearch(reader: reader, indexFolder: index)
    }

    func found(_ query: RecordQuery, newestFirst: Bool = false) throws -> [UInt64] {
        var numbers: [UInt64] = []
        let pass = try search().entries(matching: query, newestFirst: newestFirst) { found in
            numbers.append(found.entry.sequence)
            return true
        }
        #expect(pass.record.broken == [] && pass.unindexed == [])
        return numbers
    }

    /// A question about things that are there, or nearly.
    func randomQuery() -> RecordQuery {
        random.withLock { numbers in
            var query = RecordQuery()
            func once(in count: Int, _ set: () -> Void) { if numbers.below(count) == 0 { set() } }
            once(in: 2) { query.professionals = [Self.professional(numbers.below(13))] }
            once(in: 6) { query.professionals.append(Self.professional(numbers.below(13))) }
            once(in: 3) {
                query.patient = PatientNames(
                    keys: [Self.patient(numbers.below(41)), Self.patient(numbers.below(41))])
            }
            once(in: 4) { query.structures = ["10B\(numbers.below(6))"] }
            once(in: 6) { query.session = "s-\(numbers.below(30))" }
            once(in: 6) { query.client = "software \(numbers.below(3))" }
            once(in: 5) { query.decision = ["allow", "deny", "reject"][numbers.below(3)] }
            once(in: 8) { query.event = ["signed-in", "refused"][numbers.below(2)] }
            once(in: 5) { query.route = "fhir" }
            once(in: 5) { query.delivery = ["aborted", "whole"][numbers.below(2)] }
            once(in: 8) { query.request = lines[numbers.below(lines.count)].request }
            once(in: 3) {
                query.since = Self.begin + UInt64(numbers.below(20_000_000))
                query.until = query.since + UInt64(numbers.below(5_000_000))
            }
            return query
        }
    }

    /// What a question asks for, told from the line's own text.
    func isWanted(_ line: Line, _ query: RecordQuery) -> Bool {
        guard line.isEntry, line.time >= query.since, line.time < query.until else { return false }
        func says(_ key: String, _ value: String) -> Bool {
            value.isEmpty || line.text.contains("\"\(key)\":\"\(value)\"")
        }
        let isProfessional =
            query.professionals.isEmpty
            || query.professionals.contains { says("professional", $0) }
        let isPatient = query.patient.map { patient in
            patient.keys.contains { line.text.contains("\"\(spelled($0))\"") }
        }
        let client = query.client.replacing("software", with: #"soft\u0077are"#)
        return isProfessional && isPatient ?? true
            && (query.structures.isEmpty || query.structures.contains { says("structure", $0) })
            && says("session", query.session) && says("client", client)
            && says("decision", query.decision) && says("event", query.event)
            && says("route", query.route) && says("delivery", query.delivery)
            && says("request", query.request)
    }
}

/// Numbers that look random and come again with their seed (SplitMix64).
struct Numbers {
    var state: UInt64

    mutating func below(_ count: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) % UInt64(count))
    }
}
