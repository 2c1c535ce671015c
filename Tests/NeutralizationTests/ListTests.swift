// ListTests.swift: the list file: what it says, and every way it can be wrong.

import Foundation
import Testing

@testable import Neutralization

private let fingerprint = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

func list(_ text: String) throws(ListError) -> NeutralizedSet {
    try parseList(Array(text.utf8).span)
}

func time(_ text: String) -> UnixSeconds {
    UnixSeconds(rfc3339: text) ?? UnixSeconds(.min)
}

func account(_ id: String) throws -> SubjectKey {
    SubjectKey(account: try AccountID(id))
}

private func entries(_ set: NeutralizedSet) -> [ListedEntry] {
    var all: [ListedEntry] = []
    set.forEach {
        all.append($0)
        return true
    }
    return all
}

@Suite struct `A list` {
    @Test func `says what its lines say`() throws {
        let set = try list(
            """
            # cut off in the night of the 20th

            account 899700218896 since=2026-11-20T08:00:00Z reason=credential-compromise ticket=INC-42
            certificate sha256:\(fingerprint) reason=lost-card  # his spare card
            \taccount\t500000001815646/cpat00045 ticket=#7 until=2026-12-01T00:00:00Z#
            network 203.0.113.0/24
            network 2001:db8::/32
            structure 10b0152872 until=2026-12-01T00:00:00Z
            serial 00:11:20:CE:19@AC%20IGC-SANTE%20FORT%20PERSONNES reason=lost # declared at night
            """.replacingOccurrences(of: "Z#", with: "Z #"))
        let all = entries(set)
        #expect(all.map(\.line) == [3, 4, 5, 6, 7, 8, 9])
        #expect(
            all.map(\.subject.description) == [
                "account:899700218896", "certificate:sha256:" + fingerprint,
                "account:500000001815646/CPAT00045", "network:203.0.113.0/24",
                "network:2001:db8::/32", "structure:10B0152872",
                "serial:1120ce19@AC%20IGC-SANTE%20FORT%20PERSONNES",
            ])
        #expect(all[0].since == time("2026-11-20T08:00:00Z"))
        #expect(all[0].reason == "credential-compromise")
        #expect(all[0].ticket == "INC-42")
        #expect(all[1].reason == "lost-card")
        #expect(all[1].ticket == nil)
        #expect(all[2].until == time("2026-12-01T00:00:00Z"))
        #expect(all[2].ticket == "#7")
        #expect(all[3].since == nil)
        #expect(all[5].until == time("2026-12-01T00:00:00Z"))
        #expect(all[6].reason == "lost")
    }

    @Test(arguments: [
        "", "\n", "\r\n\r\n", "# nobody\n", "#", "   \t \n", "\u{FEFF}", "\u{FEFF}# nobody\r\n",
    ])
    func `may be empty`(text: String) throws {
        #expect(try list(text).isEmpty)
    }

    @Test(arguments: [
        "account A\naccount B", "account A\r\naccount B\r\n", "\u{FEFF}account A\naccount B\n",
    ])
    func `may end its lines either way, or not the last`(text: String) throws {
        #expect(entries(try list(text)).map(\.subject.description) == ["account:A", "account:B"])
    }

    // (the bad line, its column, what is wrong); it stands between two good ones.
    @Test(
        arguments: [
            ("acount 8", 1, .unknownKind("acount")), ("ACCOUNT 8", 1, .unknownKind("ACCOUNT")),
            ("8", 1, .unknownKind("8")), ("account", 8, .missingSubject(kind: "account")),
            ("account # none", 8, .missingSubject(kind: "account")),
            ("  session a\u{7F}b", 12, .subject(.nameByte(0x7F, at: 1))),
            ("structure 10B-152872", 14, .subject(.structureByte(0x2D, at: 3))),
            ("serial 1120ce19", 8, .subject(.serialWithoutIssuer)),
            ("serial 1120ce19@A%2", 18, .subject(.issuerEscape(at: 10))),
            ("serial 11@AC IGC-SANTE reason=x", 14, .unknownFieldAfterSerial("IGC-SANTE")),
            ("serial 11@AC reason", 14, .unknownField("reason")),
            ("account 89é", 11, .subject(.accountByte(0xC3, at: 2))),
            ("account 8#x", 10, .subject(.accountByte(0x23, at: 1))),
            ("certificate \(fingerprint)", 13, .subject(.notSHA256)),
            ("certificate sha256:9x", 21, .subject(.fingerprintByte(0x78, at: 8))),
            ("network 10.0.0.1/8", 9, .subject(.hostBits("10.0.0.0/8"))),
            ("network 10.0.0.0/40", 18, .subject(.prefixLength(max: 32, at: 9))),
            (
                "account 8 sinse=2026-11-20T08:00:00Z", 11,
                .unknownField("sinse=2026-11-20T08:00:00Z")
            ),
            ("account 8 stolen", 11, .unknownField("stolen")),
            ("account 8 since", 11, .unknownField("since")),
            ("account 8 since=", 11, .emptyField(.since)),
            ("account 8 reason=", 11, .emptyField(.reason)),
            ("account 8 since=yesterday", 17, .notATime(.since)),
            ("account 8 until=2026-02-30T00:00:00Z", 17, .notATime(.until)),
            ("account 8 reason=a reason=b", 20, .repeatedField(.reason)),
            (
                "account 8 until=2026-11-20T08:00:00Z until=2026-11-20T08:00:00Z", 38,
                .repeatedField(.until)
            ),
            ("account 8 since=2026-11-20T08:00:00Z until=2026-11-20T08:00:00Z", 1, .neverInForce),
            ("account 8 reason=volée", 21, .fieldByte(.reason, 0xC3)),
            ("account 8 ticket=\u{1}", 18, .fieldByte(.ticket, 1)),
            (
                "account 8 ticket=" + String(repeating: "x", count: 65), 18,
                .fieldTooLong(.ticket, length: 65)
            ),
            (
                "account 8 # " + String(repeating: "x", count: 1013), 1025,
                .lineTooLong(length: 1025)
            ),
            ("account 8\raccount 9", 10, .bareCarriageReturn),
            ("# hidden\raccount 9", 9, .bareCarriageReturn), ("a\u{0}c", 2, .zeroByte),
            ("# a\u{0}", 4, .zeroByte),
        ] as [(String, Int, ListProblem.Fault)])
    func `is refused for one bad line`(line: String, column: Int, fault: ListProblem.Fault) {
        let expected = ListProblem(line: 2, column: column, fault: fault)
        #expect(throws: ListError(problems: [expected], total: 1)) {
            try list("account A\n\(line)\naccount B\n")
        }
        let text = expected.description(file: "neutralized.list")
        #expect(text.hasPrefix("neutralized.list:2:\(column): error: "))
        #expect(text.hasSuffix(")"))
        #expect(!text.contains("\n") && !text.contains("\u{1}"))
    }

    @Test func `names every bad line, a hundred of them`() {
        let text = (1...250).map { $0 % 2 == 0 ? "account A\n" : "acount B\n" }.joined()
        do {
            _ = try list(text)
            Issue.record("read")
        } catch {
            #expect(error.total == 125)
            #expect(error.problems.count == 100)
            #expect(error.problems[1].line == 3)
        }
    }

    @Test func `may name one subject on 64 lines, not on 65`() throws {
        #expect(try list(String(repeating: "account A\n", count: 64)).count == 64)
        let problem = ListProblem(line: 65, column: 1, fault: .tooManyForSubject)
        #expect(throws: ListError(problems: [problem], total: 1)) {
            try list(String(repeating: "account A\n", count: 65))
        }
    }

    @Test func `is read or refused, whatever bytes it has`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(state: seed)
        let pieces = [
            "account ", "network ", "certificate sha256:", "structure ", "serial ", "0A@AC%20",
            "%41", "10.0.0.0/8", "::1/128", "A", " ", "\n",
            "since=", "2026-11-20T08:00:00Z", "until=", "reason=", "#", "\r", "\u{0}", "é", "=",
            fingerprint, "/", ":", "999999999999999999999999",
        ]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0..<random.next() % 12 {
                bytes += Array(pieces[Int(random.next() % UInt64(pieces.count))].utf8)
            }
            if !bytes.isEmpty, random.next() % 4 == 0 {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(random.next() & 0xFF)
            }
            if let set = try? parseList(bytes.span) {
                for entry in entries(set) {
                    #expect(try Subject(entry.subject.description) == entry.subject)
                    let state = NeutralizationState(list: set)
                    if entry.since == nil, entry.until == nil {
                        #expect(state.verdict(on: entry.subject, now: UnixSeconds(0)) != nil)
                    }
                }
            }
        }
    }

    /// Prints how long lists take; `swift test -c release --filter 'A large list'` for the figure.
    @Test func `A large list is read and searched quickly`() throws {
        let lines =
            ProcessInfo.processInfo.environment["HERSE_LARGE_LIST"].flatMap(Int.init) ?? 50_000
        var text = ""
        for number in 0..<lines {
            text += "account 8\(10_000_000_000 + number) since=2026-11-20T08:00:00Z "
            text += "reason=credential-compromise ticket=INC-\(number / 1000)\n"
        }
        let bytes = Array(text.utf8)
        let clock = ContinuousClock()
        var set = NeutralizedSet.empty
        let reading = try clock.measure { set = try parseList(bytes.span) }
        #expect(set.count == lines)
        let keys = try (0..<10_000).map { try account("8\(10_000_000_000 + $0 * 97)") }
        let state = NeutralizationState(list: set)
        let now = time("2026-11-21T00:00:00Z")
        let address = NetworkAddress("203.0.113.7")
        let certificate = SubjectKey(sha256: [UInt8](repeating: 7, count: 32).span)
        let structure = SubjectKey(structure: try StructureCode("10B0152872"))
        let serial = try SubjectKey(serial: [0x11, 0x20].span, issuer: "AC IGC-SANTE")
        var found = 0
        let searching = clock.measure {
            for key in keys
            where state.list.find(IndexKey(account: key), now: UInt32(listTime: now)) != nil {
                found += 1
            }
        }
        #expect(found == min(10_000, (lines + 96) / 97))
        let misses = try (0..<10_000).map { try account("9\($0)") }
        let missing = clock.measure {
            for key in misses {
                let verdict = state.verdict(
                    account: key, structure: structure, certificate: certificate, serial: serial,
                    address: address, now: now)
                if verdict != nil { found += 1 }
            }
        }
        let edge = clock.measure { _ = state.nextChange(after: now) }
        let memory = set.entries.count * MemoryLayout<NeutralizedSet.Entry>.stride
        let total = memory + set.index.count * 4 + set.texts.count
        print(
            "list of \(lines) lines, \(bytes.count) bytes: read in \(reading), "
                + "\(total / lines) bytes an entry, \(searching / 10_000) a search, "
                + "\(missing / 10_000) a verdict that finds nothing, next change in \(edge)")
    }
}

@Suite struct `A list file` {
    let folder: Scratch

    init() throws { folder = try Scratch() }

    @Test func `that is missing is unknown, which is not empty`() {
        let path = folder.path + "/neutralized.list"
        #expect(throws: ListFileError.unreadable(SystemFailure("open", path, errno: ENOENT))) {
            try loadList(path: path)
        }
    }

    @Test func `that is a folder or a pipe is refused`() {
        #expect(throws: ListFileError.unreadable(SystemFailure("open", folder.path, errno: EINVAL)))
        {
            try loadList(path: folder.path)
        }
        let pipe = folder.path + "/pipe"
        // Safe because the path outlives the call.
        #expect(unsafe mkfifo(pipe, 0o600) == 0)
        #expect(throws: ListFileError.unreadable(SystemFailure("open", pipe, errno: EINVAL))) {
            try loadList(path: pipe)
        }
    }

    @Test func `is empty, fresh or stale`() throws {
        let path = folder.path + "/neutralized.list"
        try Data("# nobody\n".utf8).write(to: URL(fileURLWithPath: path))
        let empty = try loadList(path: path)
        let now = UnixSeconds(empty.changed.value + 100)
        #expect(empty.standing(now: now, staleAfter: nil) == .empty)
        #expect(empty.standing(now: now, staleAfter: 99) == .stale(ageSeconds: 100))
        try Data("account A\n".utf8).write(to: URL(fileURLWithPath: path))
        let full = try loadList(path: path)
        #expect(full.entries.count == 1)
        #expect(full.standing(now: full.changed, staleAfter: 0) == .fresh)
    }

    @Test func `with a bad line says which`() throws {
        let path = folder.path + "/neutralized.list"
        try Data("acount A\n".utf8).write(to: URL(fileURLWithPath: path))
        let problem = ListProblem(line: 1, column: 1, fault: .unknownKind("acount"))
        #expect(throws: ListFileError.bad(ListError(problems: [problem], total: 1))) {
            try loadList(path: path)
        }
    }
}
