// KnownFields.swift: names told apart, whatever their case and disguise.

import Testing
import Wire

private func known(_ name: String) throws -> KnownField {
    try response("HTTP/1.1 200 OK\r\n\(name): x\r\n\r\n").head.fields[0].known
}

private let names: [(String, KnownField)] = [
    ("Host", .host), ("Content-Type", .contentType), ("Expect", .expect),
    ("Keep-Alive", .keepAlive), ("TE", .te), ("Trailer", .trailer), ("Upgrade", .upgrade),
    ("HTTP2-Settings", .http2Settings), ("Proxy-Authenticate", .proxyAuthenticate),
    ("Proxy-Authorization", .proxyAuthorization), ("Proxy-Connection", .proxyConnection),
    ("Proxy", .proxyOther), ("Proxy-Status", .proxyOther), ("Proxy-", .proxyOther),
    ("Herse-Professional", .herse), ("Herse-", .herse), ("Herse-Anything-Else", .herse),
    ("Herse-Client-Long-Name-00", .herse), ("Forwarded", .forwarded),
    ("X-Forwarded-For", .forwardedFor), ("X-Forwarded-Proto", .forwardedProto),
    ("X-Forwarded-Host", .forwardedHost), ("X-Forwarded-Port", .forwardedOther),
    ("X-Forwarded-", .forwardedOther), ("X-Forwarded-Client-Cert", .forwardedOther),
    ("X-Request-ID", .requestID), ("Client-Cert", .clientCertificate),
    ("Client-Cert-Chain", .clientCertificateChain), ("Accept", .accept),
    ("Accept-Encoding", .acceptEncoding), ("Alt-Svc", .altSvc),
    ("Authorization", .authorization), ("Content-Encoding", .contentEncoding),
    ("Cookie", .cookie), ("Date", .date), ("DPoP", .dpop), ("If-None-Match", .ifNoneMatch),
    ("If-Modified-Since", .ifModifiedSince),
    ("If-Range", .ifRange), ("If-None-Exist", .ifNoneExist),
    ("X-HTTP-Method", .methodOverride), ("X-Method-Override", .methodOverride),
    ("X-HTTP-Method-Override", .methodOverride), ("Prefer", .prefer),
    ("Range", .range), ("Retry-After", .retryAfter), ("Server", .server),
    ("Set-Cookie", .setCookie), ("User-Agent", .userAgent), ("Connection", .connection),
]

@Suite struct `A field name` {
    @Test(arguments: names)
    func `is known whatever its case`(name: String, field: KnownField) throws {
        #expect(try known(name) == field)
        #expect(try known(name.uppercased()) == field)
        #expect(try known(name.lowercased()) == field)
    }

    @Test func `is known to every test of this table`() throws {
        let untested: Set<KnownField> = [.other, .lookalike, .contentLength, .transferEncoding]
        #expect(Set(names.map(\.1)).union(untested) == Set(KnownField.allCases))
        #expect(KnownField.allCases.count <= 64, "a set of fields is one word")
    }

    @Test(arguments: names.filter { $0.0.contains("-") })
    func `is not let through in disguise`(name: String, field: KnownField) throws {
        for mark in ["_", ".", "!", "~", "|"] {
            let disguised = try known(name.replacing("-", with: mark))
            #expect(disguised == (FieldSet.identity.contains(field) ? field : .lookalike))
        }
    }

    @Test(arguments: [
        "Hos", "Hosts", "Accept-", "Accept-Encodin", "Accept-Encodings", "X-Forwarded",
        "XForwardedFor", "Herse", "Hers-e", "Proxi", "T", "TEE", "Content-Lengt", "X_Custom",
        "Content-Lengths", "Client-Cert-Chains", "Client-Certs", "Date2", "\u{60}ate",
        "X-Request-I",
    ])
    func `is unknown when it only looks like one`(name: String) throws {
        #expect(try known(name) == .other)
    }
}
