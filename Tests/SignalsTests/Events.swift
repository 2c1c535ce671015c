// Events.swift: which events are believed, and what each refusal is called.

import JSON
import Testing
import Tokens

@testable import Signals

@Suite struct `A security event` {
    private let stream: Stream

    init() throws { stream = try Stream() }

    @Test func `is believed when the stream's issuer signed it for us`() throws {
        let event = try stream.event(stream.token(Stream.claims()))
        #expect(event.id == "one" && event.issuedAt == Stream.now - 5)
        #expect(event.moment == Stream.now - 5)
        let subject = SubjectIdentifier.issuerSubject(
            issuer: Stream.issuer, subject: "899700218896")
        #expect(event.content == .signal(.accountDisabled, subject))
    }

    @Test(arguments: SignalEvent.allCases)
    func `is known by its address, whatever it says`(kind: SignalEvent) throws {
        guard
            case .signal(let found, _) = try stream.event(
                stream.token(Stream.claims(kind.uri))
            ).content
        else {
            Issue.record("no signal")
            return
        }
        #expect(found == kind)
    }

    @Test(arguments: [
        ("no jti", DeliveryError.Code.invalidRequest), ("an empty jti", .invalidRequest),
        ("a number for jti", .invalidRequest), ("no iat", .invalidRequest),
        ("iat to come", .invalidRequest), ("iat in milliseconds", .invalidRequest),
        ("a sub", .invalidRequest), ("an exp", .invalidRequest),
        ("no sub_id", .invalidRequest), ("an unknown format", .invalidRequest),
        ("a text for sub_id", .invalidRequest), ("no events", .invalidRequest),
        ("two events", .invalidRequest), ("a text for an event", .invalidRequest),
        ("another iss", .invalidIssuer), ("no iss", .invalidRequest),
        ("another aud", .invalidAudience), ("no aud", .invalidAudience),
        ("a number for aud", .invalidAudience),
    ])
    func `is refused by the code of RFC 8935`(
        what: String, code: DeliveryError.Code
    ) throws {
        let claims = Stream.claims { claims in
            switch what {
            case "no jti": claims["jti"] = nil
            case "an empty jti": claims["jti"] = .string("")
            case "a number for jti": claims["jti"] = .number("1")
            case "no iat": claims["iat"] = nil
            case "iat to come": claims["iat"] = JSONValue(integer: Stream.now + 61)
            case "iat in milliseconds": claims["iat"] = JSONValue(integer: Stream.now * 1000)
            case "a sub": claims["sub"] = .string("899700218896")
            case "an exp": claims["exp"] = JSONValue(integer: Stream.now + 60)
            case "no sub_id": claims["sub_id"] = nil
            case "an unknown format": claims["sub_id"] = .object(["format": .string("ear_size")])
            case "a text for sub_id": claims["sub_id"] = .string("899700218896")
            case "no events": claims["events"] = nil
            case "two events":
                claims["events"] = .object([
                    SignalEvent.accountDisabled.uri: .object([:]),
                    SignalEvent.sessionRevoked.uri: .object([:]),
                ])
            case "a text for an event":
                claims["events"] = .object([SignalEvent.accountDisabled.uri: .string("now")])
            case "another iss": claims["iss"] = .string("https://evil.example/")
            case "no iss": claims["iss"] = nil
            case "another aud": claims["aud"] = .string("https://other.example/")
            case "no aud": claims["aud"] = nil
            default: claims["aud"] = .number("7")
            }
        }
        let token = try stream.token(claims)
        let error = #expect(throws: DeliveryError.self) { try stream.event(token) }
        #expect(error?.code == code, "\(what): \(error?.description ?? "")")
    }

    @Test func `is refused when nobody, or somebody else, signed it`() throws {
        let good = try stream.token(Stream.claims())
        let other = try Stream().token(Stream.claims())
        let text = String(decoding: good, as: UTF8.self).split(separator: ".")
        let none = encodeBase64URL(Array(#"{"alg":"none","typ":"secevent+jwt"}"#.utf8))
        let hmac = encodeBase64URL(Array(#"{"alg":"HS256","typ":"secevent+jwt"}"#.utf8))
        let forgeries = [
            other, Array("\(none).\(text[1]).".utf8), Array("\(none).\(text[1]).\(text[2])".utf8),
            Array("\(hmac).\(text[1]).\(text[2])".utf8),
            Array("\(text[0]).\(text[1]).\(text[2].dropFirst())A".utf8),
            Array("\(text[0]).\(text[0]).\(text[2])".utf8),
        ]
        for token in forgeries {
            let error = #expect(throws: DeliveryError.self) { try stream.event(token) }
            #expect(error?.code == .invalidKey || error?.code == .invalidRequest)
        }
    }

    @Test(arguments: ["JWT", "at+jwt", "logout+jwt", "dpop+jwt"])
    func `is no other token of the same issuer`(type: String) throws {
        let token = try stream.token(Stream.claims(), type: type)
        let error = #expect(throws: DeliveryError.self) { try stream.event(token) }
        #expect(error?.code == .invalidRequest)
    }

    @Test func `is refused when it is larger than any`() throws {
        let claims = Stream.claims { $0["more"] = .string(String(repeating: "a", count: 60_000)) }
        let token = try stream.token(claims)
        #expect(throws: DeliveryError.self) { try stream.event(token) }
    }

    private static let moments: [(said: Int64, moment: Int64)] = [
        (Stream.now - 90, Stream.now - 90), (Stream.now + 900, Stream.now),
        // In milliseconds, as some write it, or nonsense: when it was signed.
        (Stream.now * 1000, Stream.now - 5), (-5, Stream.now - 5),
    ]

    @Test(arguments: moments)
    func `happened when it says, and never later than now`(said: Int64, moment: Int64) throws {
        let token = try stream.token(
            Stream.claims(
                SignalEvent.sessionRevoked.uri, ["event_timestamp": JSONValue(integer: said)]))
        #expect(try stream.event(token).moment == moment)
    }

    @Test func `asks for nothing when it is good news`() throws {
        let risen = try stream.event(
            stream.token(
                Stream.claims(
                    SignalEvent.assuranceLevelChange.uri, ["change_direction": .string("increase")]
                )))
        let complies = try stream.event(
            stream.token(
                Stream.claims(
                    SignalEvent.deviceComplianceChange.uri,
                    ["current_status": .string("compliant")])))
        for event in [risen, complies] {
            guard case .improvement = event.content else {
                Issue.record("not good news: \(event.content)")
                continue
            }
        }
    }

    @Test func `about the stream needs no subject`() throws {
        func content(_ uri: String, _ about: JSONObject) throws -> SecurityEvent.Content {
            let claims = Stream.claims(uri, about) { $0["sub_id"] = nil }
            return try stream.event(stream.token(claims)).content
        }
        let verification = StreamEvent.verification.rawValue
        #expect(
            try content(verification, ["state": .string("x")]) == .verification(state: "x"))
        #expect(try content(verification, [:]) == .verification(state: nil))
        let updated = StreamEvent.updated.rawValue
        #expect(
            try content(updated, ["status": .string("paused")]) == .streamUpdated(status: "paused"))
        #expect(throws: DeliveryError.self) { try content(updated, ["status": .string("odd")]) }
        #expect(throws: DeliveryError.self) { try content(verification, ["state": .number("1")]) }
    }

    @Test func `of a kind that is not known is no error`() throws {
        let token = try stream.token(Stream.claims("https://example.org/secevent/sneezed"))
        #expect(try stream.event(token).content == .unknown)
    }
}

@Suite struct `A subject` {
    private func read(_ text: String) throws -> SubjectIdentifier {
        let bytes = Array(text.utf8)
        return try SubjectIdentifier(JSONValue(bytes.span))
    }

    private static let formats: [(text: String, subject: SubjectIdentifier)] = [
        (#"{"format":"account","uri":"acct:8@x"}"#, .account("acct:8@x")),
        (#"{"format":"email","email":"a@b"}"#, .email("a@b")),
        (
            #"{"format":"iss_sub","iss":"https://i","sub":"8"}"#,
            .issuerSubject(issuer: "https://i", subject: "8")
        ), (#"{"format":"opaque","id":"8"}"#, .opaque("8")),
        (#"{"format":"phone_number","phone_number":"+33"}"#, .phone("+33")),
        (#"{"format":"did","url":"did:x"}"#, .did("did:x")),
        (#"{"format":"uri","uri":"urn:x"}"#, .uri("urn:x")),
        (
            #"{"format":"aliases","identifiers":[{"format":"opaque","id":"8"}]}"#,
            .aliases([.opaque("8")])
        ),
    ]

    @Test(arguments: formats)
    func `is read in every format of RFC 9493`(text: String, subject: SubjectIdentifier) throws {
        #expect(try read(text) == subject)
        #expect(try read(text).part("user") == subject)
        #expect(try read(text).part("session") == nil)
    }

    @Test func `may be one of several sessions of a user`() throws {
        let subject = try read(
            #"{"format":"complex","user":{"format":"opaque","id":"8"},"#
                + #""session":{"format":"opaque","id":"s"}}"#)
        #expect(subject.part("user") == .opaque("8"))
        #expect(subject.part("session") == .opaque("s"))
        #expect(subject.part("device") == nil)
    }

    @Test(arguments: [
        "{}", "[]", #""x""#, #"{"format":"iss_sub","iss":"https://i"}"#,
        #"{"format":"opaque","id":""}"#, #"{"format":"opaque","id":7}"#,
        #"{"format":"opaque","id":"a\u0000b"}"#, #"{"format":"complex"}"#,
        #"{"format":"complex","user":{"format":"complex","user":{"format":"opaque","id":"8"}}}"#,
        #"{"format":"aliases","identifiers":[]}"#,
        #"{"format":"aliases","identifiers":[{"format":"aliases","identifiers":[]}]}"#,
        #"{"format":"complex","user":"8"}"#,
    ])
    func `is refused when it is none`(text: String) throws {
        let error = #expect(throws: DeliveryError.self) { try read(text) }
        #expect(error?.code == .invalidRequest)
    }
}
