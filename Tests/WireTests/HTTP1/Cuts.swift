// Cuts.swift: heads that come in pieces, and bytes that are no head at all.

import Testing
import Wire

/// What becomes of `bytes` when they come `step` at a time, parsed when the search says so.
private func arrive(_ bytes: [UInt8], step: Int, limits: HeadLimits) -> (Outcome, tries: Int) {
    var search = HeadSearch()
    var head = RequestHead()
    var count = 0
    var tries = 0
    while count < bytes.count {
        count = min(count + step, bytes.count)
        let arrived = Array(bytes[0..<count])
        guard search.isWorthParsing(arrived.span, limits: limits) else { continue }
        tries += 1
        let outcome = Outcome { () throws(HeadError) in
            try head.parse(arrived.span, limits: limits)
        }
        if outcome != .incomplete { return (outcome, tries) }
    }
    return (.incomplete, tries)
}

private let badRequests = [
    "GET / HTTP/1.1\r\nHost: a\r\nX : 1\r\n\r\n", "GET / HTTP/1.1\n\n",
    "GET /a/../b HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\n", "GET\n\n",
    "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/3.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nA\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
]

@Suite struct `A head in pieces` {
    @Test(arguments: sampleRequests + badRequests)
    func `is the same however it is cut`(text: String) {
        let bytes = Array((text + "rest").utf8)
        let whole = Outcome { () throws(HeadError) in
            var head = RequestHead()
            return try head.parse(bytes.span, limits: HeadLimits())
        }
        #expect(whole != .incomplete)
        for step in 1...bytes.count {
            #expect(arrive(bytes, step: step, limits: HeadLimits()).0 == whole, "by \(step)")
        }
    }

    @Test(arguments: sampleRequests)
    func `is incomplete until its last byte`(text: String) throws {
        let bytes = Array(text.utf8)
        var head = RequestHead()
        for count in 0..<bytes.count {
            let piece = Array(bytes[0..<count])
            let length = try head.parse(piece.span, limits: HeadLimits())
            #expect(length == nil)
        }
        let length = try head.parse(bytes.span, limits: HeadLimits())
        #expect(length == bytes.count)
    }

    @Test(arguments: sampleResponses)
    func `is incomplete until its last byte, in answers too`(text: String) throws {
        let bytes = Array(text.utf8)
        var head = ResponseHead()
        for count in 0..<bytes.count {
            let piece = Array(bytes[0..<count])
            let length = try head.parse(piece.span, answering: .get, limits: HeadLimits())
            #expect(length == nil)
        }
        let length = try head.parse(bytes.span, answering: .get, limits: HeadLimits())
        #expect(length == bytes.count)
    }

    @Test(arguments: badRequests)
    func `once refused would be refused whatever came next`(text: String) {
        let bytes = Array(text.utf8)
        var first: Outcome?
        for count in 0...bytes.count {
            let piece = Array(bytes[0..<count])
            let outcome = Outcome { () throws(HeadError) in
                var head = RequestHead()
                return try head.parse(piece.span, limits: HeadLimits())
            }
            if let first { #expect(outcome == first) }
            if outcome != .incomplete && first == nil { first = outcome }
        }
        #expect(first != nil)
    }

    @Test func `is parsed few times even when it drips`() {
        let text =
            "GET / HTTP/1.1\r\nHost: a\r\n"
            + String(repeating: "X-Name: value\r\n", count: 90) + "\r\n"
        let bytes = Array(text.utf8)
        let (outcome, tries) = arrive(bytes, step: 1, limits: HeadLimits())
        #expect(outcome == .whole(bytes.count))
        #expect(tries <= 13, "as often as the length doubles, and once at its end")
    }

    @Test func `that never ends is refused at the bound`() {
        let bytes = [UInt8](repeating: 0x41, count: 64)
        let endless = Array("GET / HTTP/1.1\r\nA: ".utf8) + bytes
        let limits = HeadLimits(headLengthMax: 80)
        #expect(arrive(endless, step: 1, limits: limits).0 == .refused(.headTooLong))
    }

    @Test func `is sought afresh after a reset`() {
        var search = HeadSearch()
        func isWorthParsing(_ text: String) -> Bool {
            let bytes = Array(text.utf8)
            return search.isWorthParsing(bytes.span, limits: HeadLimits())
        }
        #expect(!isWorthParsing(""))
        #expect(isWorthParsing("GET / H"))
        #expect(!isWorthParsing("GET / H"))
        search.reset()
        #expect(isWorthParsing("GET / H"))
    }
}

@Suite struct `Bytes that are no message` {
    /// Changes a few bytes of `bytes`, with a taste for those that mean something.
    private func mutate(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
        let marks = Array("\r\n\r\n :;,/.%?#*0aF\t\u{0}\u{7F}_-".utf8) + [0x80, 0xFF]
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) {
            let position = Int.random(in: 0...bytes.count, using: &generator)
            let mark = marks.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes.insert(mark, at: position)
            case 1 where position < bytes.count: bytes[position] = mark
            case 2 where position < bytes.count: bytes.remove(at: position)
            default: bytes = Array(bytes[0..<position])
            }
        }
        return bytes
    }

    @Test(arguments: [UInt64.random(in: 0...UInt64.max), 1])
    func `never stop the gate`(seed: UInt64) {
        print("seed \(seed)")
        var generator = SeededGenerator(seed: seed)
        var request = RequestHead()
        var response = ResponseHead()
        let out = Buffer(capacity: 64)
        let limits = HeadLimits(headLengthMax: 128, fieldsMax: 4)
        for round in 0..<20_000 {
            var bytes: [UInt8]
            if round % 4 == 0 {
                let length = Int.random(in: 0..<200, using: &generator)
                bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            } else {
                let samples = sampleRequests + sampleResponses
                bytes = Array((samples.randomElement(using: &generator) ?? "").utf8)
                bytes = mutate(bytes, &generator)
            }
            out.removeAll()
            if case .whole(let length) = Outcome({ () throws(HeadError) in
                try request.parse(bytes.span, limits: limits)
            }) {
                #expect(length <= bytes.count)
                out.appendOriginTarget(of: request, in: bytes.span)
                out.appendNormalizedPath(of: request, in: bytes.span)
                out.appendEndToEndFields(of: request, in: bytes.span)
            }
            if case .whole(let length) = Outcome({ () throws(HeadError) in
                try response.parse(bytes.span, answering: .get, limits: limits)
            }) {
                #expect(length <= bytes.count)
                out.appendEndToEndFields(of: response, in: bytes.span)
            }
            let step = Int.random(in: 1...16, using: &generator)
            _ = try? decode(bytes, step: step)
        }
    }
}
