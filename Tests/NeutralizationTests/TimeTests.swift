// TimeTests.swift: RFC 3339 times, read and written.

import Testing

@testable import Neutralization

@Suite struct `A time` {
    // Seconds computed with `date -u -d TEXT +%s`.
    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("2026-11-20T08:00:00Z", 1_795_161_600),
            ("2000-02-29T12:34:56Z", 951_827_696), ("1969-12-31T23:59:59Z", -1),
            ("1900-03-01T00:00:00Z", -2_203_891_200), ("2100-03-01T00:00:00Z", 4_107_542_400),
            ("0000-01-01T00:00:00Z", -62_167_219_200), ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] as [(String, Int64)])
    func `reads and writes the same moment`(text: String, seconds: Int64) {
        #expect(UnixSeconds(rfc3339: text)?.value == seconds)
        #expect(UnixSeconds(seconds).description == text)
    }

    @Test(
        arguments: [
            ("2026-11-20t08:00:00z", 1_795_161_600), ("2026-11-20T08:00:00.999Z", 1_795_161_600),
            ("2026-11-20T08:00:00+00:00", 1_795_161_600), ("2016-12-31T23:59:60Z", 1_483_228_800),
        ] as [(String, Int64)])
    func `may be written otherwise`(text: String, seconds: Int64) {
        #expect(UnixSeconds(rfc3339: text)?.value == seconds)
    }

    @Test(arguments: [
        "", "2026", "2026-11-20", "2026-11-20 08:00:00Z", "2026-11-20T08:00:00",
        "2026-11-20T08:00:00+01:00", "2026-11-20T08:00:00-00:00", "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-11-31T00:00:00Z", "2026-11-00T00:00:00Z", "2026-11-20T24:00:00Z",
        "2026-11-20T08:60:00Z", "2026-11-20T08:00:60Z", "2026-11-20T08:00:00.Z",
        "2026-11-20T08:00:00.1", "2026-11-20T08:00:00ZZ", "+026-11-20T08:00:00Z",
        "2026-11-20T08:00:00.11111111111111111111111111111111Z",
    ])
    func `is refused when it is none, or not UTC`(text: String) {
        #expect(UnixSeconds(rfc3339: text) == nil)
    }

    @Test func `survives any day of four centuries`() {
        for day in stride(from: Int64(-150_000), to: 150_000, by: 1) {
            let moment = UnixSeconds(day * 86400 + 86399)
            #expect(UnixSeconds(rfc3339: moment.description) == moment)
        }
    }

    @Test func `is shown as the nearest when no text can say it`() {
        #expect(UnixSeconds(.max).description == "9999-12-31T23:59:59Z")
        #expect(UnixSeconds(.min).description == "0000-01-01T00:00:00Z")
    }
}
