// KeysTests.swift: whose keys are believed, from when, and until when.

import Foundation
import StubServers
import Testing

@testable import Issuers
@testable import Outbound
@testable import Tokens

@Suite struct `An issuer` {
    private let provider: StubProvider

    init() throws { provider = try StubProvider() }

    @Test func `knows nothing before it was asked`() throws {
        let issuer = Issuer(provider.settings(), now: 100)
        #expect(issuer.keys(now: 100) == nil)
        #expect(issuer.metadata(now: 100) == nil)
        #expect(issuer.isDue(now: 100))
        #expect(issuer.report(now: 100).state == .unknown)
        #expect(provider.server.connectionCount == 0)
    }

    @Test func `is known by its metadata and keys`() throws {
        let issuer = Issuer(provider.settings(), now: 100)
        issuer.refresh(now: 100)
        #expect(issuer.keys(now: 100)?.mayKnow(id: "k1") == true)
        #expect(issuer.keys(now: 100)?.mayKnow(id: "k2") == false)
        let metadata = try #require(issuer.metadata(now: 100))
        #expect(metadata.authorization == provider.url + "/authorize")
        #expect(metadata.token == provider.url + "/token")
        #expect(metadata.userInfo == provider.url + "/userinfo")
        #expect(metadata.endSession == provider.url + "/logout")
        #expect(metadata.introspection == provider.url + "/introspect")
        #expect(!metadata.namesItself)
        let report = issuer.report(now: 130)
        #expect(report.state == .fresh)
        #expect(report.age == 30)
        #expect(report.keys == 1)
        #expect(report.remaining == 86_370)
        #expect(report.problem == nil)
    }

    @Test(arguments: [
        "https://other.example", "", "HTTP://127.0.0.1", "\u{212A}",
    ])
    func `is nobody whose metadata names another`(named: String) {
        provider.publish(provider.metadata(issuer: named))
        let issuer = Issuer(provider.settings(), now: 0)
        issuer.refresh(now: 0)
        #expect(issuer.keys(now: 0) == nil)
        #expect(issuer.metadata(now: 0) == nil)
        #expect(issuer.report(now: 0).problem?.contains("names another issuer") == true)
        #expect(provider.asked("/keys") == 0)
    }

    @Test func `is not the same with a slash behind it`() {
        provider.publish(provider.metadata(issuer: provider.url + "/"))
        let issuer = Issuer(provider.settings(), now: 0)
        issuer.refresh(now: 0)
        #expect(issuer.keys(now: 0) == nil)
    }

    @Test(arguments: [
        StubReply.json("{"), .json("[]"), .json("null"), .answer(200, []),
        .json(#"{"issuer":"a","issuer":"b"}"#), .answer(404, []),
        .answer(302, fields: ["Location: /keys"], []),
        .answer(200, [UInt8](repeating: 0x20, count: 300_000)),
        .answer(200, Array((String(repeating: "[", count: 5000)).utf8)),
    ])
    func `gives no keys when its metadata cannot be read`(reply: StubReply) {
        provider["/.well-known/openid-configuration"] = reply
        let issuer = Issuer(provider.settings(), now: 0)
        issuer.refresh(now: 0)
        #expect(issuer.keys(now: 0) == nil)
        #expect(issuer.report(now: 0).problem?.hasPrefix(provider.discovery) == true)
    }

    @Test(arguments: [
        StubReply.json("{"), .json("[]"), .json(#"{"keys":[]}"#), .json(#"{"keys":{}}"#),
        .json(#"{"keys":[{"kty":"oct","k":"AAAA","kid":"k2"}]}"#), .answer(500, []),
        .answer(200, [UInt8](repeating: 0x20, count: 600_000)),
    ])
    func `keeps its keys when others cannot be read`(reply: StubReply) {
        let issuer = Issuer(provider.settings(), now: 0)
        issuer.refresh(now: 0)
        provider["/keys"] = reply
        issuer.refresh(now: 700)
        #expect(provider.asked("/keys") == 2)
        #expect(issuer.keys(now: 700)?.mayKnow(id: "k1") == true)
        #expect(issuer.report(now: 700).state == .stale)
        #expect(issuer.report(now: 700).problem?.hasPrefix(provider.url + "/keys") == true)
    }

    @Test func `changes its keys, and those taken away are gone at once`() {
        let issuer = Issuer(provider.settings(), now: 0)
        issuer.refresh(now: 0)
        provider.publish(keys: ["k1", "k2"])
        issuer.refresh(now: 600)
        #expect(issuer.keys(now: 600)?.mayKnow(id: "k2") == true)
        #expect(issuer.keys(now: 600)?.mayKnow(id: "k1") == true)
        provider.publish(keys: ["k2"])
        issuer.refresh(now: 1200)
        #expect(issuer.keys(now: 1200)?.mayKnow(id: "k1") == false)
    }

    @Test func `is believed through an outage, and no longer than agreed`() {
        var settings = provider.settings()
        settings.keep = 3600
        let issuer = Issuer(settings, now: 0)
        issuer.refresh(now: 0)
        provider.fail()
        for now in stride(from: Int64(600), through: 3600, by: 600) {
            #expect(issuer.isDue(now: now))
            issuer.refresh(now: now)
            #expect(issuer.keys(now: now) != nil, "\(now)")
        }
        #expect(issuer.report(now: 3600).state == .stale)
        #expect(issuer.report(now: 3600).remaining == 0)
        #expect(issuer.keys(now: 3601) == nil)
        #expect(issuer.metadata(now: 3601) == nil)
        #expect(issuer.report(now: 3601).state == .unknown)
        #expect(issuer.report(now: 3601).keys == 0)
        provider.publish(provider.metadata())
        provider.publish(keys: ["k1"])
        issuer.refresh(now: 3620)
        #expect(issuer.keys(now: 3620) != nil)
        #expect(issuer.report(now: 3620).state == .fresh)
    }

    @Test func `gives keys when only its metadata fails`() {
        let issuer = Issuer(provider.settings(), now: 0)
        issuer.refresh(now: 0)
        provider["/.well-known/openid-configuration"] = .answer(503, [])
        provider.publish(keys: ["k2"])
        issuer.refresh(now: 600)
        #expect(issuer.keys(now: 600)?.mayKnow(id: "k2") == true)
        #expect(issuer.report(now: 600).problem != nil)
    }

    @Test func `is asked again soon after a failure, and late after a success`() {
        provider["/keys"] = .answer(503, [])
        let issuer = Issuer(provider.settings(), now: 1000)
        issuer.refresh(now: 1000)
        #expect(!issuer.isDue(now: 1014))
        #expect(issuer.isDue(now: 1015))
        provider.publish(keys: ["k1"])
        issuer.refresh(now: 1015)
        #expect(!issuer.isDue(now: 1614))
        #expect(issuer.isDue(now: 1615))
        // A clock set back keeps nobody waiting.
        #expect(issuer.isDue(now: 5))
    }

    @Test func `is not asked more often for keys that nobody knows`() {
        let issuer = Issuer(provider.settings(), now: 1000)
        #expect(issuer.mayRefreshForUnknownKey(now: 1000))
        for now in Int64(1000)..<1030 { issuer.refresh(now: now) }
        #expect(provider.asked("/keys") == 3)
        #expect(!issuer.mayRefreshForUnknownKey(now: 1029))
        #expect(issuer.mayRefreshForUnknownKey(now: 1030))
    }

    @Test func `is asked once by many at once`() {
        let issuer = Issuer(provider.settings(), now: 0)
        DispatchQueue.concurrentPerform(iterations: 16) { _ in issuer.refresh(now: 0) }
        #expect(provider.asked("/keys") == 1)
        #expect(issuer.keys(now: 0) != nil)
    }

    @Test func `may have its keys elsewhere, at an address or in a file`() throws {
        provider["/elsewhere"] = .json(keySet(["k9"]))
        var settings = provider.settings()
        settings.keys = .url(provider.url + "/elsewhere")
        let issuer = Issuer(settings, now: 0)
        issuer.refresh(now: 0)
        #expect(issuer.keys(now: 0)?.mayKnow(id: "k9") == true)
        #expect(issuer.metadata(now: 0) != nil)
        #expect(provider.asked("/keys") == 0)

        let folder = try ScratchFolder()
        let path = try folder.write("keys.json", keySet(["k3"]))
        settings.keys = .file(path)
        settings.discovery = nil
        let other = Issuer(settings, now: 0)
        other.refresh(now: 0)
        #expect(other.keys(now: 0)?.mayKnow(id: "k3") == true)
        #expect(other.metadata(now: 0) == nil)
        #expect(other.report(now: 0).problem == nil)
        settings.keys = .file(folder.file("none"))
        let none = Issuer(settings, now: 0)
        none.refresh(now: 0)
        #expect(none.report(now: 0).problem == "\(folder.file("none")): cannot be read")
    }

    @Test func `is known after a restart while it cannot be reached, for as long as before`() throws
    {
        let folder = try ScratchFolder()
        var settings = provider.settings()
        settings.stateFolder = folder.file("issuers")
        Issuer(settings, now: 1000).refresh(now: 1000)
        provider.fail()
        let issuer = Issuer(settings, now: 5000)
        #expect(issuer.keys(now: 5000)?.mayKnow(id: "k1") == true)
        #expect(issuer.isDue(now: 5000))
        issuer.refresh(now: 5000)
        #expect(issuer.report(now: 5000).state == .stale)
        #expect(issuer.keys(now: 87_400) != nil)
        #expect(issuer.keys(now: 87_401) == nil)
        #expect(Issuer(settings, now: 87_401).keys(now: 87_401) == nil)
        // A folder that cannot be written is a problem, but none that is fetched away.
        var unwritable = provider.settings()
        unwritable.stateFolder = try folder.write("file", "")
        provider.publish(provider.metadata())
        provider.publish(keys: ["k1"])
        let other = Issuer(unwritable, now: 5000)
        other.refresh(now: 5000)
        #expect(other.keys(now: 5000) != nil)
        #expect(other.report(now: 5000).problem?.contains("cannot be written") == true)
        #expect(!other.isDue(now: 5100))
        // Another issuer's keys are not its.
        settings.issuer += "/other"
        #expect(Issuer(settings, now: 5000).keys(now: 5000) == nil)
    }
}

@Suite struct `An issuer's metadata` {
    private func metadata(
        _ members: String, issuer: String = "https://idp.example", showsCertificate: Bool = false
    ) throws(IssuerError) -> IssuerMetadata {
        let text = Array(#"{"issuer":"\#(issuer)",\#(members)}"#.utf8)
        let answer = FetchAnswer(status: 200, fields: [], body: text)
        return try IssuerMetadata(
            try json(of: answer, from: "https://a"), from: "https://a", issuer: issuer,
            showsCertificate: showsCertificate)
    }

    @Test(arguments: [
        #""http://idp.example/keys""#, #""https://""#, #""file:///etc/passwd""#, "1", "null",
        #"["https://idp.example"]"#, #""javascript:alert(1)""#, #""https://a@b/""#,
        #""https://idp.example/#a""#, #""https://idp.example/\r\nX: y""#, #""""#,
    ])
    func `has no endpoint that must not be asked`(value: String) {
        for name in [
            "jwks_uri", "token_endpoint", "authorization_endpoint", "userinfo_endpoint",
            "end_session_endpoint", "introspection_endpoint",
        ] {
            #expect(throws: IssuerError.endpoint(address: "https://a", name: name)) {
                try metadata(#""\#(name)":\#(value)"#)
            }
        }
    }

    @Test func `may be in clear text where the issuer is`() throws {
        let found = try metadata(
            #""jwks_uri":"http://127.0.0.1:8080/keys""#, issuer: "http://127.0.0.1:8080")
        #expect(found.keys == "http://127.0.0.1:8080/keys")
    }

    @Test func `has other endpoints for those who show a certificate`() throws {
        let members =
            #""token_endpoint":"https://a/t","userinfo_endpoint":"https://a/u","#
            + #""mtls_endpoint_aliases":{"token_endpoint":"https://m/t"}"#
        #expect(try metadata(members).token == "https://a/t")
        let shown = try metadata(members, showsCertificate: true)
        #expect(shown.token == "https://m/t")
        #expect(shown.userInfo == "https://a/u")
        #expect(throws: IssuerError.self) {
            try metadata(
                #""mtls_endpoint_aliases":{"token_endpoint":"http://m/t"}"#,
                showsCertificate: true)
        }
    }

    @Test(arguments: [
        ("[\"client_secret_post\"]", true), ("[\"client_secret_basic\"]", false), ("[]", false),
        ("[\"client_secret_post\",\"client_secret_basic\"]", false), ("[1]", false),
    ])
    func `says how our secret is wanted`(methods: String, inBody: Bool) throws {
        let found = try metadata(#""token_endpoint_auth_methods_supported":\#(methods)"#)
        #expect(found.wantsSecretInBody == inBody)
        #expect(try metadata(#""a":1"#).wantsSecretInBody == false)
    }
}
