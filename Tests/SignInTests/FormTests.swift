// FormTests.swift: what browsers send, read strictly: forms, cookies, paths, credentials.

import Testing

@testable import SignIn

@Suite struct `A form` {
    private static func read(_ text: String) throws(FormError) -> Form { try Form(query: text) }

    @Test func `is read with its escapes`() throws {
        let form = try Self.read("name=anne&password=a%2Bb+c%26%C3%A9&empty=&flag")
        #expect(form["name"] == "anne")
        #expect(form["password"] == "a+b c&é")
        #expect(form["empty"] == "" && form["flag"] == "")
        #expect(form["other"] == nil)
    }

    @Test(arguments: [
        ("a=1&a=2", FormError.duplicate), ("a=%", .malformed), ("a=%4", .malformed),
        ("a=%zz", .malformed), ("a=%FF", .malformed),
        (String(repeating: "a", count: 100) + "=1", .tooLarge),
        ((0..<40).map { "f\($0)=1" }.joined(separator: "&"), .tooLarge),
        (String(repeating: "a=1&", count: 5000), .tooLarge),
    ])
    func `is refused when readers would differ on it`(text: String, error: FormError) {
        let found = Result { () throws(FormError) in try Self.read(text) }
        guard case .failure(let thrown) = found else {
            Issue.record("it was read")
            return
        }
        // What is too large may be found to be malformed first.
        #expect(thrown == error || error == .tooLarge)
    }
}

@Suite struct `A place to come back to` {
    @Test(arguments: ["/", "/fhir/Patient?name=a%20b", "/.herse/session", "/a//b"])
    func `is a path of this host`(text: String) { #expect(LocalPath(text)?.text == text) }

    @Test(arguments: [
        "", "a", "//evil.example", "/\\evil.example", "\\/evil.example", "https://evil.example",
        "/a b", "/a\tb", "/a\nb", "/é", "/a#b", "/a\"b", "/<", "/.herse/sign-in",
        "/.herse/openid/psc/start", "/.herse", "/" + String(repeating: "a", count: 1536),
    ])
    func `is nothing else`(text: String) { #expect(LocalPath(text) == nil) }
}

@Suite struct `A cookie field` {
    private static func value(_ text: String) -> String? {
        let bytes = Array(text.utf8)
        return sessionCookie(in: bytes.span).map { String(decoding: bytes[$0], as: UTF8.self) }
    }

    @Test(arguments: [
        ("__Host-herse=abc", "abc"), ("a=b; __Host-herse=abc; c=d", "abc"),
        ("a=b;__Host-herse=abc", "abc"), ("__Host-herse=", ""),
    ])
    func `has the session's once`(text: String, value: String) {
        #expect(Self.value(text) == value)
    }

    @Test(arguments: [
        "", "__Host-herse", "__host-herse=abc", "x__Host-herse=abc", "__Host-herse2=abc",
        "__Host-herse=a; __Host-herse=b", "a=__Host-herse=abc",
    ])
    func `else has none`(text: String) { #expect(Self.value(text) == nil) }

    @Test(arguments: [
        ("a=b; __Host-herse=x; c=d", "a=b; c=d"), ("__Host-herse=x", ""),
        ("__Host-herse-sign-in=x;a=b", "a=b"),
    ])
    func `goes on without ours`(text: String, kept: String) {
        let bytes = Array(text.utf8)
        #expect(withoutOwnCookies(bytes.span) == Array(kept.utf8))
    }

    @Test(arguments: ["", "a=b", "a=b; c", ";;;", "="])
    func `stays as it is without ours`(text: String) {
        let bytes = Array(text.utf8)
        #expect(withoutOwnCookies(bytes.span) == nil)
    }
}

@Suite struct `Credentials in base64` {
    @Test(arguments: [
        ("YTpi", "a:b"), ("YQ==", "a"), ("YWI=", "ab"), ("Pz8/", "???"), ("fn5+", "~~~"),
    ])
    func `are read`(text: String, value: String) {
        #expect(decodeBase64(Array(text.utf8)) == Array(value.utf8))
    }

    @Test(arguments: [
        "", "a", "ab", "abc", "Pz8_", "fn5-", "YQ=", "YQ===", "=YQ=", "Y Q=",
        "YQ=="
            + "YQ==",
    ])
    func `are nothing else`(text: String) { #expect(decodeBase64(Array(text.utf8)) == nil) }
}
