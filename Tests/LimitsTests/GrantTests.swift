// GrantTests.swift: exceptions that administrators give: kept, ended, damaged, refused.

import Foundation
import Testing

@testable import Limits

private let start: UInt64 = 1_000_000_000_000

private func at(seconds: UInt64) -> LimitTime { LimitTime(milliseconds: start + seconds * 1000) }

private func grant(
    _ professional: String = "899700218896", _ count: CountKind = .patients, extra: UInt32 = 50,
    from: UInt64 = 0, until: UInt64 = 7200, reason: String = "epidemic, 100 % real",
    by: String = "root"
) -> Grant {
    Grant(
        professional: professional, count: count, extra: extra, at: at(seconds: from),
        until: at(seconds: until), reason: reason, by: by)
}

@Suite struct `A journal of grants` {
    let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func append(_ grants: [Grant], at seconds: UInt64 = 0) throws {
        var journal = try GrantJournal.open(
            stateFolder: scratch.path, now: at(seconds: seconds))
        for grant in grants { try journal.append(grant) }
    }

    private func kept(at seconds: UInt64) throws -> [Grant] {
        try GrantJournal.open(stateFolder: scratch.path, now: at(seconds: seconds)).grants
    }

    @Test func `keeps what was given until it ends`() throws {
        let first = grant(reason: "épidémie\n%")
        let second = grant("0123", .lookups, extra: 7, from: 10, until: 60)
        try append([first, second])
        #expect(try kept(at: 30) == [first, second])
        #expect(try kept(at: 60) == [first])
        let length = try Data(contentsOf: scratch.url("grants.journal")).count
        #expect(try kept(at: 7200).isEmpty)
        #expect(try Data(contentsOf: scratch.url("grants.journal")).count < length)
        try append([second])
        #expect(try kept(at: 30) == [second])
    }

    @Test func `adds up what is in force for one professional`() {
        let grants = [
            grant(), grant(extra: 5, from: 100), grant("other", extra: 1_000),
            grant("899700218896", .misses, extra: 3), grant(extra: 9, until: 50),
        ]
        let who = "899700218896"
        #expect(grants.extras(of: who, at: at(seconds: 60)) == LimitExtras(patients: 50, misses: 3))
        #expect(
            grants.extras(of: who, at: at(seconds: 100)) == LimitExtras(patients: 55, misses: 3))
        #expect(grants.extras(of: who, at: at(seconds: 7_200)) == .none)
    }

    @Test(arguments: [
        grant(extra: 0), grant(extra: 100_001), grant(until: 0), grant(from: 5, until: 4),
        grant(until: 30 * 86_400 + 1), grant(""), grant(reason: ""), grant(by: ""),
        grant(reason: String(repeating: "x", count: 1025)),
    ])
    func `refuses a grant without bounds`(grant: Grant) throws {
        #expect(throws: GrantJournalError.outOfBounds) { try append([grant]) }
    }

    @Test func `takes a grant at its bounds`() throws {
        let most = grant(
            extra: 100_000, until: 30 * 86_400, reason: String(repeating: "é", count: 512),
            by: String(repeating: "%", count: 1024))
        try append([most])
        #expect(try kept(at: 1) == [most])
    }

    @Test func `drops an end that a crash cut, at any byte`() throws {
        let grants = [grant(), grant("0123", .misses, extra: 1)]
        try append(grants)
        let whole = try Data(contentsOf: scratch.url("grants.journal"))
        for length in 0..<whole.count {
            for zeros in [0, 1, 20] {
                let bytes = Array(whole.prefix(length)) + [UInt8](repeating: 0, count: zeros)
                guard let found = try? GrantJournal.replayed(bytes, "j") else {
                    // Zeros within the header are no journal.
                    #expect(length < grantHeader.utf8.count && zeros > 0)
                    continue
                }
                #expect(grants.starts(with: found.grants) && found.length <= length)
            }
        }
        for cut in [1, 60, 140] {
            try whole.dropLast(cut).write(to: scratch.url("grants.journal"))
            let found = try kept(at: 1)
            #expect(grants.starts(with: found) && found.count < 2)
            try append([grants[1]])
            #expect(try kept(at: 1) == found + [grants[1]])
        }
    }

    @Test func `refuses any other damage, and says what to do`() throws {
        try append([grant(), grant("0123"), grant("0456")])
        let whole = try Data(contentsOf: scratch.url("grants.journal"))
        let lines = whole.split(separator: 0x0A)
        let missing = Data((lines[0..<1] + lines[2...]).joined(separator: [0x0A]) + [0x0A])
        for bytes in [missing, Data("account 1\n".utf8), flipped(whole, 40)] {
            try bytes.write(to: scratch.url("grants.journal"))
            do {
                _ = try kept(at: 1)
                Issue.record("opened")
            } catch let error as GrantJournalError {
                #expect(error.message.contains("grants.journal"))
                #expect(error.hint.contains("move the file away"))
            }
        }
    }

    private func flipped(_ data: Data, _ index: Int) -> Data {
        var data = data
        data[index] ^= 1
        return data
    }

    @Test func `survives any single flipped byte without a trap`() throws {
        try append([grant(), grant("0123")])
        let whole = Array(try Data(contentsOf: scratch.url("grants.journal")))
        var opened = 0
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= UInt8.random(in: 1...255)
            if (try? GrantJournal.replayed(bytes, "j")) != nil { opened += 1 }
        }
        // Only the last line can be made to look torn: without its end, or with a zero in it.
        #expect(opened <= 100)
    }

    @Test func `belongs to one process at a time`() throws {
        let journal = try GrantJournal.open(stateFolder: scratch.path, now: at(seconds: 0))
        #expect(throws: GrantJournalError.inUse(path: scratch.path)) { try kept(at: 0) }
        _ = journal.tornBytes
    }

    @Test func `keeps what it acknowledged when the process is killed or the disk is full`()
        async throws
    {
        let path = scratch.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 400, rlim_max: 400)
            // Safe because the limit lives on the stack for the call.
            guard unsafe setrlimit(__rlimit_resource_t(1), &limit) == 0 else { exit(2) }
            var journal = try GrantJournal.open(stateFolder: path, now: at(seconds: 0))
            try journal.append(grant())
            try journal.append(grant("0123"))
            do {
                try journal.append(grant(reason: String(repeating: "x", count: 500)))
                exit(3)
            } catch GrantJournalError.system(let call, _, _) where call == "write" {
                try journal.append(grant("0456"))
                kill(getpid(), SIGKILL)
            }
        }
        #expect(try kept(at: 1).map(\.professional) == ["899700218896", "0123", "0456"])
    }
}
