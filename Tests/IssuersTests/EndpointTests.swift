// EndpointTests.swift: what an issuer is asked about tokens, codes and people.

import Foundation
import JSON
import StubServers
import Testing

@testable import Issuers
@testable import Outbound
@testable import Tokens

/// An issuer that was fetched at time 0, for a client with a secret.
private struct Asking {
    let provider: StubProvider
    let issuer: Issuer
    let folder: ScratchFolder

    init(
        metadata more: String = "", _ change: (inout IssuerSettings) -> Void = { _ in }
    ) throws {
        provider = try StubProvider()
        provider.publish(provider.metadata(more: more))
        folder = try ScratchFolder()
        var settings = provider.settings()
        settings.clientID = "her:se"
        settings.clientSecretFile = try folder.write("secret", "p@ss word\n")
        change(&settings)
        issuer = Issuer(settings, now: 0)
        issuer.refresh(now: 0)
    }
}

@Suite struct `Introspection` {
    private let token = Array("opaque-token".utf8)

    @Test func `asks who we are, and what the token is`() throws {
        let asking = try Asking()
        asking.provider["/introspect"] = .json(#"{"active":true,"sub":"a","exp":1000}"#)
        let value = try asking.issuer.introspect(token, now: 0)
        #expect(value["sub"]?.text == "a")
        let request = try #require(asking.provider.server.requests.last)
        #expect(request.method == "POST")
        #expect(request.text == "token=opaque-token&token_type_hint=access_token")
        // her%3Ase:p%40ss%20word
        #expect(request.fields["authorization"] == "Basic aGVyJTNBc2U6cCU0MHNzJTIwd29yZA==")
        #expect(request.fields["accept"] == "application/json")
    }

    @Test func `is believed for a time, and no longer than the token`() throws {
        let asking = try Asking()
        asking.provider["/introspect"] = .json(#"{"active":true,"exp":100.5}"#)
        #expect(asking.issuer.knownIntrospection(token, now: 50) == nil)
        _ = try asking.issuer.introspect(token, now: 50)
        for now in [50, 79] as [Int64] { _ = try asking.issuer.introspect(token, now: now) }
        #expect(asking.provider.asked("/introspect") == 1)
        #expect(asking.issuer.knownIntrospection(token, now: 79)?["active"]?.flag == true)
        #expect(asking.issuer.knownIntrospection(token, now: 80) == nil)
        _ = try asking.issuer.introspect(token, now: 90)
        #expect(asking.issuer.knownIntrospection(token, now: 99) != nil)
        #expect(asking.issuer.knownIntrospection(token, now: 100) == nil)
        #expect(asking.provider.asked("/introspect") == 2)
        #expect(asking.issuer.knownIntrospection(Array("other".utf8), now: 99) == nil)
    }

    @Test func `believes a no for a shorter time`() throws {
        let asking = try Asking()
        asking.provider["/introspect"] = .json(#"{"active":false,"exp":99999}"#)
        _ = try asking.issuer.introspect(token, now: 0)
        #expect(asking.issuer.knownIntrospection(token, now: 9)?["active"]?.flag == false)
        #expect(asking.issuer.knownIntrospection(token, now: 10) == nil)
    }

    @Test func `is asked for once by many at once`() throws {
        let asking = try Asking()
        asking.provider["/introspect"] = .json(#"{"active":true}"#)
        DispatchQueue.concurrentPerform(iterations: 8) { _ in
            let answer = try? asking.issuer.introspect(token, now: 0)
            #expect(answer?["active"]?.flag == true)
        }
        #expect(asking.provider.asked("/introspect") == 1)
    }

    @Test func `speaks TLS with our certificate`() throws {
        let authority = try ScratchAuthority()
        var tls = StubTLS(try authority.server())
        tls.clientAuthorities = authority.identity.certificate
        let server = try StubServer(tls: tls) {
            .json(#"{"active":true,"client":"\#($0.certificate ?? "")"}"#)
        }
        let ours = try authority.issue("herse")
        let asking = try Asking { settings in
            settings.clientSecretFile = nil
            settings.tls.authorities = authority.identity.certificate
            settings.tls.certificate = ours.certificate
            settings.tls.privateKey = ours.key
            settings.introspectionEndpoint = server.url("/introspect")
        }
        #expect(try asking.issuer.introspect(token, now: 0)["client"]?.text == "herse")
    }

    @Test func `is not kept where nothing should be`() throws {
        let asking = try Asking { $0.introspectionCache = 0 }
        for reply in [#"{"active":true}"#, #"{"active":false}"#] {
            asking.provider["/introspect"] = .json(reply)
            _ = try asking.issuer.introspect(token, now: 0)
            #expect(asking.issuer.knownIntrospection(token, now: 0) == nil)
        }
    }

    @Test(arguments: [
        StubReply.json("{}"), .json(#"{"active":"true"}"#), .json(#"{"active":1}"#), .json("["),
        .json("true"), .json(#"{"active":false,"active":true}"#), .answer(200, []),
        .json(#"{"active":true}"#, status: 500), .json(#"{"active":true}"#, status: 401),
        .json(#"{"active":true}"#, status: 302), .json(#"{"active":true}"#, status: 201),
    ])
    func `never takes anything else for a yes`(reply: StubReply) throws {
        let asking = try Asking()
        asking.provider["/introspect"] = reply
        #expect(throws: IssuerError.self) { try asking.issuer.introspect(token, now: 0) }
        #expect(asking.issuer.knownIntrospection(token, now: 0) == nil)
    }

    @Test func `waits for nobody who failed three times just now`() throws {
        let asking = try Asking()
        asking.provider["/introspect"] = .answer(503, [])
        for _ in 0..<5 {
            #expect(throws: IssuerError.self) { try asking.issuer.introspect(token, now: 0) }
        }
        #expect(asking.provider.asked("/introspect") == 3)
        asking.provider["/introspect"] = .json(#"{"active":true}"#)
        #expect(throws: IssuerError.paused(issuer: "psc")) {
            try asking.issuer.introspect(token, now: 4)
        }
        #expect(try asking.issuer.introspect(token, now: 5)["active"]?.flag == true)
    }

    @Test func `needs to know where`() throws {
        let provider = try StubProvider()
        var settings = provider.settings()
        let unknown = Issuer(settings, now: 0)
        #expect(throws: IssuerError.noEndpoint(issuer: "psc", name: "introspection_endpoint")) {
            try unknown.introspect(token, now: 0)
        }
        provider["/mine"] = .json(#"{"active":true}"#)
        settings.introspectionEndpoint = provider.url + "/mine"
        #expect(try Issuer(settings, now: 0).introspect(token, now: 0)["active"]?.flag == true)
    }

    @Test func `asks about nothing endless`() throws {
        let asking = try Asking()
        let long = [UInt8](repeating: 65, count: Issuer.tokenBytesMax + 1)
        #expect(throws: IssuerError.self) { try asking.issuer.introspect(long, now: 0) }
        #expect(asking.provider.asked("/introspect") == 0)
    }

    @Test func `proves who we are as the issuer wants it`() throws {
        let inBody = try Asking(
            metadata: #","token_endpoint_auth_methods_supported":["client_secret_post"]"#)
        inBody.provider["/introspect"] = .json(#"{"active":true}"#)
        _ = try inBody.issuer.introspect(token, now: 0)
        let request = try #require(inBody.provider.server.requests.last)
        #expect(request.fields["authorization"] == nil)
        #expect(request.text.hasSuffix("&client_id=her%3Ase&client_secret=p%40ss%20word"))
        // RFC 8705 §2: a certificate is all the proof, and the body says whose.
        let bare = try Asking { $0.clientSecretFile = nil }
        bare.provider["/introspect"] = .json(#"{"active":true}"#)
        _ = try bare.issuer.introspect(token, now: 0)
        let second = try #require(bare.provider.server.requests.last)
        #expect(second.fields["authorization"] == nil)
        #expect(second.text.hasSuffix("&client_id=her%3Ase"))
    }

    @Test(arguments: ["", "\n", "a\nb", "é"])
    func `is not tried with a secret that is none`(secret: String) throws {
        let asking = try Asking()
        let path = try asking.folder.write("secret", secret)
        #expect(
            throws: IssuerError.file(
                path: path, problem: "is no secret: one line of printable ASCII")
        ) { try asking.issuer.introspect(token, now: 0) }
        #expect(asking.provider.asked("/introspect") == 0)
    }
}

@Suite struct `A code` {
    private func exchange(_ asking: Asking) throws(IssuerError) -> IssuerTokens {
        try asking.issuer.exchange(
            code: "a/b", verifier: "v-1", redirect: "https://gate.example/cb?x=1", now: 0)
    }

    @Test func `is exchanged for tokens`() throws {
        let asking = try Asking()
        asking.provider["/token"] = .json(
            #"{"id_token":"a.b.c","access_token":"t","token_type":"bearer","expires_in":60}"#)
        let tokens = try exchange(asking)
        #expect(tokens.idToken == Array("a.b.c".utf8))
        #expect(tokens.accessToken == Array("t".utf8))
        let request = try #require(asking.provider.server.requests.last)
        #expect(
            request.text
                == "grant_type=authorization_code&code=a%2Fb"
                + "&redirect_uri=https%3A%2F%2Fgate.example%2Fcb%3Fx%3D1&code_verifier=v-1")
        #expect(request.fields["authorization"] == "Basic aGVyJTNBc2U6cCU0MHNzJTIwd29yZA==")
    }

    @Test func `gives no access token of a kind that is not known`() throws {
        let asking = try Asking()
        for kind in ["", #","token_type":"DPoP""#, #","token_type":1"#] {
            asking.provider["/token"] = .json(#"{"id_token":"a","access_token":"t"\#(kind)}"#)
            #expect(try exchange(asking).accessToken == nil)
        }
    }

    @Test func `that is refused says how, in one word`() throws {
        let asking = try Asking()
        let address = asking.provider.url + "/token"
        for (text, word) in [
            (#"{"error":"invalid_grant"}"#, "invalid_grant"), (#"{"error":"Bad\nline"}"#, nil),
            ("<html>", nil), (#"{"error":""}"#, nil),
        ] as [(String, String?)] {
            asking.provider["/token"] = .json(text, status: 400)
            #expect(throws: IssuerError.refused(address: address, status: 400, word: word)) {
                try exchange(asking)
            }
        }
        #expect(
            IssuerError.refused(address: address, status: 401, word: "invalid_client").description
                == "\(address): refuses with 401 `invalid_client`"
                + " (compare `client_id` and `client_secret`)")
    }

    @Test func `is worth nothing without an id token`() throws {
        let asking = try Asking()
        for text in [#"{"access_token":"t"}"#, #"{"id_token":1}"#, "[]"] {
            asking.provider["/token"] = .json(text)
            #expect(throws: IssuerError.self) { try exchange(asking) }
        }
    }
}

@Suite struct `User info` {
    @Test func `is asked with the access token`() throws {
        let asking = try Asking()
        asking.provider["/userinfo"] = .json(#"{"sub":"s","SubjectNameID":"899700218896"}"#)
        let value = try asking.issuer.userInfo(accessToken: Array("a.b-c".utf8), now: 0)
        #expect(value["SubjectNameID"]?.text == "899700218896")
        let request = try #require(asking.provider.server.requests.last)
        #expect(request.method == "GET")
        #expect(request.fields["authorization"] == "Bearer a.b-c")
    }

    @Test func `is nothing without a subject, or in another form`() throws {
        let asking = try Asking()
        for reply in [
            StubReply.json("{}"), .json(#"{"sub":1}"#), .answer(200, Array("e30.e30.c2ln".utf8)),
            .json(#"{"sub":"s"}"#, status: 401), .json(#"{"sub":"s"}"#, status: 302),
        ] {
            asking.provider["/userinfo"] = reply
            #expect(throws: IssuerError.self) {
                try asking.issuer.userInfo(accessToken: [65], now: 0)
            }
        }
    }

    @Test func `is not asked with a token that would be two fields`() throws {
        let asking = try Asking()
        #expect(throws: IssuerError.self) {
            try asking.issuer.userInfo(accessToken: Array("a\r\nX: b".utf8), now: 0)
        }
        #expect(asking.provider.asked("/userinfo") == 0)
    }
}
