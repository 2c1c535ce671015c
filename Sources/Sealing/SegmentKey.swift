// SegmentKey.swift: the key of one segment, and how only auditors get it back.
//
// HPKE (RFC 9180) in base mode, by swift-crypto; the sender's half is forgotten at once, so that
// the gate cannot open what it sealed once the segment's key is gone from memory.

internal import COpenSSL
internal import Crypto
internal import Foundation

/// The key of one segment: 32 random bytes.
package final class SegmentKey: Sendable {
    let bytes: [UInt8]

    /// A new key; nil when the system has no randomness.
    package static func make() -> SegmentKey? {
        var bytes = [UInt8](repeating: 0, count: 32)
        // Safe because the array has the count given.
        guard unsafe RAND_bytes(&bytes, 32) == 1 else { return nil }
        return SegmentKey(bytes)
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The key that seals entry `number`, and nothing else.
    package func entryKey(_ number: UInt64) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        entryKey(number, into: &out)
        return out
    }

    /// The same, into an array of 32 bytes.
    func entryKey(_ number: UInt64, into out: inout [UInt8]) {
        precondition(out.count == 32)
        let label: StaticString = "herse entry"
        var text: InlineArray<19, UInt8> = .init(repeating: 0)
        // Safe because the label has eleven bytes.
        for place in 0..<11 { text[place] = unsafe label.utf8Start[place] }
        for place in 0..<8 {
            text[11 + place] = UInt8(truncatingIfNeeded: number >> UInt64(56 - 8 * place))
        }
        // Safe because both keys have 32 bytes and the text its own count.
        unsafe text.span.withUnsafeBufferPointer { text in
            unsafe herse_hmac_sha256(bytes, text.baseAddress, text.count, &out)
        }
    }

    /// The key under which an index of this segment knows people.
    package var indexKey: [UInt8] { derived(Array("herse index".utf8)) }

    private func derived(_ text: [UInt8]) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        // Safe because both keys have 32 bytes and the text its own count.
        unsafe herse_hmac_sha256(bytes, text, text.count, &out)
        return out
    }

    // MARK: For auditors

    private static let suite = HPKE.Ciphersuite(
        kem: .Curve25519_HKDF_SHA256, kdf: .HKDF_SHA256, aead: .AES_GCM_256)
    private static let info = Data("herse record segment key v1".utf8)

    /// This key as only `auditor` can open it, bound to the record and the segment's number; nil
    /// when it cannot be sealed.
    package func sealed(
        to auditor: AuditorPublicKey, origin: String, segment: Int
    ) -> SealedSegmentKey? {
        do {
            let key = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: auditor.raw)
            var sender = try HPKE.Sender(
                recipientKey: key, ciphersuite: Self.suite, info: Self.info)
            let text = try sender.seal(
                bytes, authenticating: Self.binding(origin: origin, segment: segment))
            return SealedSegmentKey(
                auditor: auditor.id, encapsulated: Array(sender.encapsulatedKey),
                key: Array(text))
        } catch {
            return nil
        }
    }

    /// The segment's key; nil when it was sealed to another auditor, or is not what was sealed.
    package static func opened(
        _ sealed: SealedSegmentKey, with auditor: AuditorKey, origin: String, segment: Int
    ) -> SegmentKey? {
        do {
            let key = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: auditor.raw)
            var recipient = try HPKE.Recipient(
                privateKey: key, ciphersuite: suite, info: info,
                encapsulatedKey: Data(sealed.encapsulated))
            let bytes = try recipient.open(
                sealed.key, authenticating: binding(origin: origin, segment: segment))
            return bytes.count == 32 ? SegmentKey(Array(bytes)) : nil
        } catch {
            return nil
        }
    }

    private static func binding(origin: String, segment: Int) -> Data {
        Data("\(origin)\n\(segment)".utf8)
    }
}

/// A segment's key, sealed to one auditor.
package struct SealedSegmentKey: Equatable, Sendable {
    /// Of whom: `AuditorPublicKey.id`.
    package let auditor: String
    package let encapsulated: [UInt8]
    package let key: [UInt8]

    package init(auditor: String, encapsulated: [UInt8], key: [UInt8]) {
        self.auditor = auditor
        self.encapsulated = encapsulated
        self.key = key
    }
}
