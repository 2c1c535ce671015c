// Words.swift: numbers as people read them, and durations as they write them.

import Testing

@testable import herse

@Suite struct `Words of the command line` {
    @Test(arguments: [
        (0, "0 connections"), (1, "1 connection"), (3, "3 connections"),
    ])
    func `count things`(count: Int, text: String) {
        #expect(counted(count, "connection") == text)
    }

    @Test func `make the plural of words in y`() { #expect(counted(2, "entry") == "2 entries") }

    @Test(arguments: [
        (0.0, "0.00 ms"), (0.614, "0.61 ms"), (1.84, "1.8 ms"), (12.3, "12 ms"),
        (61_234.5, "61234 ms"),
    ])
    func `show milliseconds with the digits that matter`(milliseconds: Double, text: String) {
        #expect(shownMilliseconds(milliseconds) == text)
    }

    @Test(arguments: [
        (0, "0s"), (59, "59s"), (60, "1m"), (61, "1m 1s"), (3600, "1h"), (3661, "1h 1m"),
        (3601, "1h"), (90_061, "1d 1h"), (-5, "0s"),
    ])
    func `show a span of time in two units`(seconds: Int, text: String) {
        #expect(shownSeconds(seconds) == text)
    }

    @Test(arguments: [("10s", 10), ("5m", 300), ("1h", 3600), ("30d", 2_592_000)])
    func `read a duration`(text: String, seconds: Int) {
        #expect(secondsOfDuration(text) == seconds)
    }

    @Test(arguments: [
        "", "s", "5", "5x", "-5s", "+5s", "5 s", "1.5h", "1h30m", "９s", "99999999999999999999d",
    ])
    func `refuse what is no duration`(text: String) { #expect(secondsOfDuration(text) == nil) }
}
