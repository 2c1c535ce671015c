// CellTests.swift: cells of CSV as RFC 4180 writes them, none of them a formula.

import CSV
import Testing

@Suite struct `A cell of CSV` {
    @Test(arguments: [
        ("", ""), ("plain", "plain"), ("a=1", "a=1"), ("a,b", "\"a,b\""), ("a;b", "\"a;b\""),
        ("say \"x\"", "\"say \"\"x\"\"\""), ("it's", "\"it's\""), ("é", "é"),
        ("=1", "'=1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"),
        ("=1,\"2\"", "\"'=1,\"\"2\"\"\""),
    ])
    func `is text whatever it begins with`(text: String, cell: String) {
        #expect(csvRow([text], controls: .kept) == cell + "\r\n")
        #expect(csvRow([text], controls: .replaced) == cell + "\r\n")
    }

    @Test(arguments: [
        ("\ta", "'\ta", "'\u{FFFD}a"), ("\r\nx", "\"'\r\nx\"", "'\u{FFFD}\u{FFFD}x"),
        ("\n=1", "\"'\n=1\"", "'\u{FFFD}=1"), ("a\r\nb", "\"a\r\nb\"", "a\u{FFFD}\u{FFFD}b"),
        ("a\u{202E}b", "a\u{202E}b", "a\u{FFFD}b"),
    ])
    func `keeps its control characters, or is one line`(
        text: String, kept: String, replaced: String
    ) {
        #expect(csvRow([text], controls: .kept) == kept + "\r\n")
        #expect(csvRow([text], controls: .replaced) == replaced + "\r\n")
    }

    @Test func `has a comma between it and the next`() {
        #expect(csvRow(["a", "", "-b", "c d"], controls: .kept) == "a,,'-b,\"c d\"\r\n")
        #expect(csvRow([], controls: .kept) == "\r\n")
    }
}
