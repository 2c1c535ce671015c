// BindingTests.swift: tokens tied to certificates and keys, and what may come with them.

import JSON
import Testing

@testable import Tokens

@Suite struct `A tied token` {
    private static let digest = (0..<32).map { UInt8(truncatingIfNeeded: $0 * 7 + 160) }
    private static let other = digest.changed(at: 31)
    private static let key = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
    private static let otherKey = "1ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"

    /// Base64 with padding, of the digest's hexadecimal digits.
    private static func hexadecimal(_ digits: String) -> String {
        let digits = digits.map(String.init)
        let text = digest.map { digits[Int($0 >> 4)] + digits[Int($0 & 15)] }.joined()
        return encodeBase64URL([UInt8](text)) + "=="
    }

    private let forge: Forge
    init() throws { forge = try Forge() }

    private func verify(
        _ confirmation: JSONObject?, _ change: (inout TokenRules) -> Void = { _ in }
    ) throws(TokenRefusal) -> VerifiedToken {
        var rules = Forge.rules
        change(&rules)
        let token = forge.token(claims: ["cnf": confirmation.map(JSONValue.object)])
        return try forge.verify(token, rules: rules)
    }

    @Test func `says to what, in either encoding`() throws {
        let usual = JSONValue.string(encodeBase64URL(Self.digest))
        #expect(try verify(["x5t#S256": usual]).certificateThumbprint == Self.digest)
        let hex = JSONValue.string(Self.hexadecimal("0123456789abcdef"))
        #expect(throws: TokenRefusal.unbound) { try verify(["x5t#S256": hex]) }
        let accepted = try verify(["x5t#S256": hex]) { $0.acceptsHexThumbprints = true }
        #expect(accepted.certificateThumbprint == Self.digest)
        #expect(try verify(["jkt": .string(Self.key)]).keyThumbprint == Self.key)
        let both = try verify(["jkt": .string(Self.key), "x5t#S256": usual])
        #expect(both.keyThumbprint == Self.key)
        #expect(both.certificateThumbprint == Self.digest)
    }

    @Test func `reads the sample that ANS published`() throws {
        // base64 of the hexadecimal digest, as its servers write it.
        let hex = "2bcfb7ecd3d9a99f" + String(repeating: "0", count: 48)
        let text = encodeBase64URL([UInt8](hex)) + "=="
        #expect(text.hasPrefix("MmJjZmI3ZWNkM2Q5YTk5Z"))
        let token = try verify(["x5t#S256": .string(text)]) { $0.acceptsHexThumbprints = true }
        #expect(token.certificateThumbprint?.prefix(4) == [0x2B, 0xCF, 0xB7, 0xEC])
    }

    @Test(
        arguments: [
            .string(""), .string("AAAA"), .number("1"), .null, .array([]),
            // 31 bytes, and 43 letters with bits left over; capitals; without padding.
            .string(encodeBase64URL([UInt8](digest.dropLast()))),
            .string(encodeBase64URL(digest).dropLast() + "B"),
            .string(encodeBase64URL(digest) + "="),
            .string(hexadecimal("0123456789ABCDEF")),
            .string(String(hexadecimal("0123456789abcdef").dropLast(2))),
        ] as [JSONValue])
    func `is refused when its thumbprint is none`(value: JSONValue) {
        #expect(throws: TokenRefusal.unbound) {
            try verify(["x5t#S256": value]) { $0.acceptsHexThumbprints = true }
        }
        #expect(throws: TokenRefusal.unbound) { try verify(["jkt": value]) }
        #expect(throws: TokenRefusal.unbound) {
            try verify(["jkt": .string(Self.key), "x5t#S256": value])
        }
    }

    private struct Case: Sendable {
        let rule: TokenBinding
        var certificate: [UInt8]?
        var key: String?
        var shown: [UInt8]?
        var proven: String?
        var refusal: TokenRefusal?
    }

    private static let cases = [
        Case(rule: .whenBound),
        Case(rule: .whenBound, shown: digest),
        Case(rule: .whenBound, certificate: digest, shown: digest),
        Case(rule: .whenBound, certificate: digest, shown: other, refusal: .otherCertificate),
        Case(rule: .whenBound, certificate: digest, shown: [], refusal: .otherCertificate),
        Case(rule: .whenBound, certificate: digest, refusal: .otherCertificate),
        Case(rule: .whenBound, key: key, proven: key),
        Case(rule: .whenBound, key: key, proven: otherKey, refusal: .otherKey),
        Case(rule: .whenBound, key: key, refusal: .otherKey),
        // A thief's own proof beside a token that is tied to nothing.
        Case(rule: .whenBound, proven: key, refusal: .otherKey),
        Case(rule: .whenBound, certificate: digest, key: key, shown: digest, proven: key),
        Case(
            rule: .whenBound, certificate: digest, key: key, shown: other, proven: key,
            refusal: .otherCertificate),
        Case(rule: .whenBound, certificate: digest, key: key, shown: digest, refusal: .otherKey),
        Case(rule: .certificate, certificate: digest, shown: digest),
        Case(rule: .certificate, shown: digest, refusal: .unbound),
        Case(rule: .certificate, key: key, shown: digest, proven: key, refusal: .unbound),
        Case(rule: .dpop, key: key, proven: key),
        Case(rule: .dpop, certificate: digest, shown: digest, refusal: .unbound),
        Case(rule: .dpop, proven: key, refusal: .unbound),
        Case(rule: .either, key: key, proven: key),
        Case(rule: .either, certificate: digest, shown: digest),
        Case(rule: .either, refusal: .unbound),
    ]

    @Test(arguments: cases.indices)
    func `comes with what it is tied to`(index: Int) throws {
        let one = Self.cases[index]
        var confirmation: JSONObject = [:]
        confirmation["x5t#S256"] = one.certificate.map { .string(encodeBase64URL($0)) }
        confirmation["jkt"] = one.key.map(JSONValue.string)
        let token = try verify(confirmation.members.isEmpty ? nil : confirmation)
        var rules = Forge.rules
        rules.binding = one.rule
        let proof = one.proven.map { VerifiedProof(thumbprint: $0, id: "a", issuedAt: 0) }
        func check() throws(TokenRefusal) {
            guard let shown = one.shown else {
                return try checkBinding(token, rules: rules, certificate: nil, proof: proof)
            }
            try checkBinding(token, rules: rules, certificate: shown.span, proof: proof)
        }
        guard let refusal = one.refusal else { return try check() }
        #expect(throws: refusal) { try check() }
    }
}
