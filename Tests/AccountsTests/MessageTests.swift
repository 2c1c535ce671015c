// MessageTests.swift: what the gate and its helper say to each other, and what they do not believe.

import Testing

@testable import Accounts

@Suite struct `A question to the helper` {
    private static func question(user: String = "anne") -> PasswordQuestion {
        PasswordQuestion(
            hold: 0x0102_0304, service: "herse", user: user, source: "::1", terminal: "herse")
    }

    private static func packet(_ password: String, _ further: [String] = []) -> [UInt8]? {
        span(password) {
            question().packet(password: $0, further: further.map { Array($0.utf8) })
        }
    }

    /// The texts of a packet, each without its NUL.
    private static func texts(_ packet: [UInt8]) -> [String]? {
        readQuestion(packet.span)?.texts.map { offset in
            String(decoding: packet[offset...].prefix { $0 != 0 }, as: UTF8.self)
        }
    }

    @Test(arguments: [
        ("", []), ("pass word", []), ("é\n", ["123456"]),
        (String(repeating: "p", count: 511), Array(repeating: "", count: 15)),
    ])
    func `arrives as it was asked`(password: String, further: [String]) throws {
        let packet = try #require(Self.packet(password, further))
        #expect(readQuestion(packet.span)?.hold == 0x0102_0304)
        #expect(Self.texts(packet) == ["herse", "anne", "::1", "herse", password] + further)
    }

    @Test(arguments: [
        ("p\u{0}", []), (String(repeating: "p", count: 512), []), ("p", ["\u{0}"]),
        ("p", Array(repeating: "", count: 16)), ("p", [String(repeating: "p", count: 512)]),
    ])
    func `is not asked when PAM would take it for another`(password: String, further: [String]) {
        #expect(Self.packet(password, further) == nil)
    }

    @Test func `has room for all it may hold`() throws {
        let most = String(repeating: "x", count: 511)
        let packet = try #require(Self.packet(most, Array(repeating: most, count: 15)))
        #expect(packet.count <= PasswordQuestion.lengthMax)
    }

    @Test func `is not believed cut, longer, or with a byte that counts changed`() throws {
        let packet = try #require(Self.packet("secret", ["123456"]))
        for count in 0..<packet.count {
            #expect(readQuestion(Array(packet[..<count]).span) == nil)
        }
        #expect(readQuestion((packet + [0]).span) == nil)
        for (index, byte) in [(0, 2), (5, 0), (5, 4), (5, 7), (5, 255), (6, 255), (7, 6)] {
            var bad = packet
            bad[index] = UInt8(byte)
            #expect(readQuestion(bad.span) == nil, "byte \(index)")
        }
    }
}

@Suite struct `An answer of the helper` {
    @Test(arguments: [
        PasswordVerdict.right, .wrong, .expired(mustChange: true), .expired(mustChange: false),
        .denied, .unavailable(.conversation), .unavailable(.unanswered),
        .unavailable(.pam(code: 9)), .unavailable(.pam(code: -1)),
    ])
    func `arrives as it was given`(verdict: PasswordVerdict) {
        let answer = PasswordAnswer(verdict: verdict, took: 0xFFFF_FFFE)
        #expect(readAnswer(answer.packet.span) == answer)
    }

    @Test func `is not believed when it is none`() {
        let good = PasswordAnswer(verdict: .right, took: 1).packet
        #expect(readAnswer(good.span) != nil)
        #expect(span("") { readAnswer($0) } == nil)
        #expect(readAnswer(Array(good.prefix(9)).span) == nil)
        #expect(readAnswer((good + [0]).span) == nil)
        for kind in 8...255 {
            var bad = good
            bad[1] = UInt8(kind)
            #expect(readAnswer(bad.span) == nil)
        }
        var other = good
        other[0] = 2
        #expect(readAnswer(other.span) == nil)
    }

    @Test(arguments: [
        (PasswordProblem.overloaded, "overloaded"), (.deadline, "deadline"), (.crashed, "crashed"),
        (.conversation, "conversation"), (.unanswered, "unanswered"), (.pam(code: 9), "pam-9"),
    ])
    func `that none was has a word for the log`(problem: PasswordProblem, word: String) {
        #expect(problem.word == word)
    }
}
