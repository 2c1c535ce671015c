// StateTests.swift: who is cut off when list and commands both speak.

import Testing

@testable import Neutralization

private let monday = time("2026-11-16T12:00:00Z")
private let tuesday = time("2026-11-17T12:00:00Z")
private let wednesday = time("2026-11-18T12:00:00Z")
private let friday = time("2026-11-20T12:00:00Z")

private func state(_ text: String) throws -> NeutralizationState {
    NeutralizationState(list: try list(text))
}

private func neutralize(
    _ text: String, at: UnixSeconds, until: UnixSeconds? = nil
) throws -> Command {
    Command(
        .neutralize(until: until), try Subject(text), at: at, reason: "stolen card", by: "root")
}

extension NeutralizationState {
    fileprivate func names(_ text: String, _ now: UnixSeconds) throws -> Bool {
        verdict(on: try Subject(text), now: now) != nil
    }

    fileprivate func reinstating(_ text: String, at: UnixSeconds) throws -> NeutralizationState {
        obeying([reinstatement(of: try Subject(text), at: at, reason: "error", by: "root")])
    }
}

@Suite struct `A verdict` {
    @Test func `comes in force with since and is over with until`() throws {
        let state = try state(
            "account A since=2026-11-17T12:00:00Z until=2026-11-20T12:00:00Z ticket=T-1\n")
        #expect(try !state.names("A", monday))
        #expect(try state.names("A", tuesday))
        #expect(try state.names("A", UnixSeconds(friday.value - 1)))
        #expect(try !state.names("A", friday))
        #expect(state.nextChange(after: monday) == tuesday)
        #expect(state.nextChange(after: tuesday) == friday)
        #expect(state.nextChange(after: friday) == nil)
    }

    @Test func `looks at structure and serial number`() throws {
        let state = try state("structure 10B0152872\nserial 1120ce19@AC%20IGC-SANTE\n")
        let structure = SubjectKey(structure: try StructureCode("10b0152872"))
        let elsewhere = SubjectKey(structure: try StructureCode("10B0152873"))
        let serial = try SubjectKey(serial: [0x11, 0x20, 0xCE, 0x19].span, issuer: "AC IGC-SANTE")
        let other = try SubjectKey(serial: [0x11, 0x20, 0xCE, 0x19].span, issuer: "AC RACINE")
        let b = try account("B")
        #expect(
            state.verdict(account: b, structure: elsewhere, serial: other, now: monday) == nil)
        let byStructure = state.verdict(account: b, structure: structure, now: monday)
        #expect(byStructure?.subject.description == "structure:10B0152872")
        #expect(byStructure?.source == .list(line: 1))
        let bySerial = state.verdict(account: b, structure: elsewhere, serial: serial, now: monday)
        #expect(bySerial?.source == .list(line: 2))
        // The same text, or the same key, as another kind is another subject.
        #expect(state.verdict(account: structure, certificate: serial, now: monday) == nil)
        #expect(try !state.names("10B0152872", monday))
    }

    @Test func `looks at session, token, client and every alias, each as its own kind`() throws {
        let state = try state(
            "session s-1\ntoken 7d:#4%\nclient wE-1 reason=stolen\naccount 0B\n")
        func key(_ text: String) throws -> SubjectKey {
            try SubjectKey(identifier: Array(text.utf8).span)
        }
        let a = try account("A")
        #expect(
            state.verdict(account: a, session: try key("s-1"), now: monday)?.source
                == .list(line: 1))
        #expect(
            state.verdict(account: a, token: try key("7d:#4%"), now: monday)?.source
                == .list(line: 2))
        let client = state.verdict(account: a, client: try key("wE-1"), now: monday)
        #expect(client?.subject.description == "client:wE-1" && client?.reason == "stolen")
        let byAlias = state.verdict(
            account: a, aliases: [try account("C"), try account("0b")], now: monday)
        #expect(byAlias?.subject.description == "account:0B")
        // Letters of either case differ, and one kind's identifier is nothing to another.
        #expect(state.verdict(client: try key("WE-1"), now: monday) == nil)
        #expect(
            state.verdict(
                account: a, session: try key("7d:#4%"), token: try key("wE-1"),
                client: try key("s-1"), now: monday) == nil)
        #expect(try state.names("token:7d:#4%", monday) && !state.names("token:7D:#4%", monday))
    }

    @Test func `finds a kind that only a command, or only the list, names`() throws {
        for text in [
            "account:A", "structure:1A", "serial:01@CA", "network:::/0", "session:s-1", "token:j:1",
            "client:c",
        ] {
            let commanded = try state("").obeying([try neutralize(text, at: monday)])
            #expect(try commanded.names(text, monday))
            #expect(try !commanded.reinstating(text, at: tuesday).names(text, tuesday))
            let (replaced, _) = commanded.replacing(list: try list("account B\n"), at: tuesday)
            #expect(try replaced.names(text, tuesday))
            #expect(try replaced.names("B", tuesday))
        }
    }

    @Test func `looks at account, certificate and address`() throws {
        let fingerprint = String(repeating: "ab", count: 32)
        let state = try state(
            """
            account A
            certificate sha256:\(fingerprint)
            network 203.0.113.0/24
            network 2001:db8::/32
            """)
        let certificate = SubjectKey(sha256: [UInt8](repeating: 0xAB, count: 32).span)
        let other = SubjectKey(sha256: [UInt8](repeating: 0xAC, count: 32).span)
        let b = try account("B")
        let inside = NetworkAddress("203.0.113.255")
        let outside = NetworkAddress("203.0.114.0")
        #expect(state.verdict(account: b, certificate: other, address: outside, now: monday) == nil)
        let byAccount = state.verdict(account: try account("a"), now: monday)
        #expect(byAccount?.source == .list(line: 1))
        let byCertificate = state.verdict(account: b, certificate: certificate, now: monday)
        #expect(byCertificate?.source == .list(line: 2))
        let byAddress = state.verdict(account: b, address: inside, now: monday)
        #expect(byAddress?.subject.description == "network:203.0.113.0/24")
        let byVersion6 = state.verdict(address: NetworkAddress("2001:db8:1::7"), now: monday)
        #expect(byVersion6?.source == .list(line: 4))
        #expect(state.verdict(now: monday) == nil)
    }

    @Test func `names the smallest network first`() throws {
        let state = try state("network 10.0.0.0/8\nnetwork 10.1.0.0/16\nnetwork 0.0.0.0/0\n")
        let found = { (text: String) in
            state.verdict(address: NetworkAddress(text), now: monday)?.subject.description
        }
        #expect(found("10.1.2.3") == "network:10.1.0.0/16")
        #expect(found("10.2.2.3") == "network:10.0.0.0/8")
        #expect(found("192.0.2.1") == "network:0.0.0.0/0")
        #expect(found("2001:db8::1") == nil)
    }

    @Test func `does not confuse networks of one address, or kinds of one value`() throws {
        let state = try state("network 10.0.0.0/16\nnetwork 2001:db8::/48\n")
        #expect(try !state.names("network:10.0.0.0/8", monday))
        #expect(try state.names("network:10.0.0.0/16", monday))
        #expect(state.verdict(address: NetworkAddress("10.1.0.0"), now: monday) == nil)
        #expect(state.verdict(address: NetworkAddress("2001:db8:1::"), now: monday) == nil)
    }

    @Test func `takes any line of several about one subject`() throws {
        let state = try state(
            """
            account A until=2026-11-16T00:00:00Z
            account A since=2026-11-20T00:00:00Z
            account A since=2026-11-17T00:00:00Z until=2026-11-18T00:00:00Z
            """)
        #expect(try !state.names("A", monday))
        #expect(try state.names("A", tuesday))
        #expect(try !state.names("A", wednesday))
        #expect(try state.names("A", friday))
    }

    @Test func `finds every one of many and no other`() throws {
        var text = ""
        for number in 0..<3_000 {
            text += "account \(number)\nnetwork 10.\(number / 256).\(number % 256).0/24\n"
        }
        let state = try state(text)
        for number in 0..<3_000 {
            #expect(try state.names("\(number)", monday))
            #expect(try !state.names("X\(number)", monday))
        }
        #expect(state.verdict(address: NetworkAddress("10.11.183.1"), now: monday) != nil)
        #expect(state.verdict(address: NetworkAddress("10.11.184.1"), now: monday) == nil)
    }

    @Test func `holds for a time beyond what the index keeps`() throws {
        let state = try state(
            "account A until=9999-12-31T23:59:59Z\naccount B since=9999-12-31T23:59:59Z\n"
                + "account C until=1960-01-01T00:00:00Z\naccount D since=1960-01-01T00:00:00Z\n")
        #expect(try state.names("A", monday))
        #expect(try !state.names("B", monday))
        #expect(try !state.names("C", monday))
        #expect(try state.names("D", monday))
        for extreme in [Int64.min, -1, 0, Int64(UInt32.max), .max] {
            _ = state.verdict(on: try Subject("A"), now: UnixSeconds(extreme))
            _ = state.nextChange(after: UnixSeconds(extreme))
        }
    }
}

@Suite struct `Commands` {
    @Test func `neutralize whom the list does not name, until their time`() throws {
        let state = try state("account B\n").obeying([
            try neutralize("A", at: monday), try neutralize("C", at: monday, until: tuesday),
            try neutralize("network:203.0.113.0/24", at: monday),
        ])
        let found = state.verdict(account: try account("A"), now: monday)
        #expect(found?.source == .command(at: monday, by: "root"))
        #expect(found?.reason == "stolen card")
        #expect(try state.names("B", monday))
        #expect(try state.names("C", monday))
        #expect(state.nextChange(after: monday) == tuesday)
        #expect(try !state.names("C", tuesday))
        let inside = NetworkAddress("203.0.113.9")
        #expect(state.verdict(account: try account("D"), address: inside, now: monday) != nil)
    }

    @Test func `reinstate whom a command neutralized`() throws {
        let state = try state("").obeying([try neutralize("A", at: monday)])
            .reinstating("A", at: tuesday)
        #expect(try !state.names("A", tuesday))
        #expect(state.commandsInForce.isEmpty)
    }

    @Test func `reinstate against the list, and only that subject`() throws {
        let state = try state("account A\naccount B\nnetwork 10.0.0.0/8\nnetwork 10.1.0.0/16\n")
            .reinstating("A", at: tuesday).reinstating("network:10.1.0.0/16", at: tuesday)
        #expect(try !state.names("A", tuesday))
        #expect(try state.names("B", tuesday))
        let found = state.verdict(address: NetworkAddress("10.1.2.3"), now: tuesday)
        #expect(found?.subject.description == "network:10.0.0.0/8")
    }

    @Test func `neutralize again after a reinstatement`() throws {
        let state = try state("account A\n").reinstating("A", at: tuesday)
            .obeying([try neutralize("A", at: wednesday, until: friday)])
        #expect(try state.names("A", wednesday))
        // The last command counts: with its end the list decides alone, and the list names him.
        #expect(try state.names("A", friday))
    }

    @Test func `do not override a line whose since is later`() throws {
        let state = try state("account A since=2026-11-18T12:00:00Z\n").reinstating(
            "A", at: tuesday)
        #expect(try !state.names("A", tuesday))
        #expect(try state.names("A", wednesday))
    }
}

@Suite struct `A reinstatement over a new list` {
    let reinstated: NeutralizationState

    init() throws {
        reinstated = try state("account A since=2026-11-16T12:00:00Z reason=theft\naccount B\n")
            .reinstating("A", at: tuesday)
    }

    @Test(arguments: [
        "account A since=2026-11-16T12:00:00Z reason=theft\naccount B\n",
        "# moved\naccount C\naccount B ticket=7\naccount A reason=theft since=2026-11-16T12:00:00Z\n",
    ])
    func `holds while the lines about its subject are the same`(text: String) throws {
        let (next, settled) = reinstated.replacing(list: try list(text), at: wednesday)
        #expect(settled.isEmpty)
        #expect(try !next.names("A", wednesday))
    }

    @Test(arguments: [
        "account A since=2026-11-16T12:00:00Z reason=theft ticket=9\n",
        "account A since=2026-11-16T12:00:01Z reason=theft\n", "account A\n",
        "account A since=2026-11-16T12:00:00Z reason=theft\naccount A reason=again\n",
        "account A since=2026-11-16T12:00:00Z reason=theft\n"
            + "account A since=2026-11-16T12:00:00Z reason=theft\n",
    ])
    func `is settled when they are others, and the list decides alone`(text: String) throws {
        let (next, settled) = reinstated.replacing(list: try list(text), at: wednesday)
        #expect(settled.map(\.verb) == [.settle])
        #expect(settled.map(\.subject) == [try Subject("A")])
        #expect(try next.names("A", wednesday))
    }

    @Test func `is settled when they are gone, so that naming him again cuts him off`() throws {
        let (gone, settled) = reinstated.replacing(list: try list("account B\n"), at: wednesday)
        #expect(settled.count == 1)
        #expect(try !gone.names("A", wednesday))
        let same = "account A since=2026-11-16T12:00:00Z reason=theft\n"
        let (again, _) = gone.replacing(list: try list(same), at: wednesday)
        #expect(try again.names("A", wednesday))
    }

    @Test func `is the same after a restart`() throws {
        let commands = reinstated.commandsInForce
        let (state, settled) = NeutralizationState.restored(
            list: reinstated.list, commands: commands, at: wednesday)
        #expect(settled.isEmpty)
        #expect(try !state.names("A", wednesday))
        let (other, others) = NeutralizationState.restored(
            list: try list("account A\n"), commands: commands, at: wednesday)
        #expect(others.count == 1)
        #expect(try other.names("A", wednesday))
    }
}
