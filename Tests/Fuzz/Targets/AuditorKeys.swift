// AuditorKeys.swift: the keys of auditors and of the record, in PEM, and what is sealed to them.

import Record
import RecordReading
import Sealing
import Transparency

extension FuzzTarget {
    /// What is read as a key is written as one and is the same; no public key asks for a passphrase.
    static let auditorKey = FuzzTarget(name: "auditor-key") { bytes in
        let pem = bytesOf(bytes)
        if let key = try? AuditorPublicKey(pem: pem) {
            let again = try? AuditorPublicKey(pem: Array(key.pem.utf8))
            precondition(again == key && key.raw.count == 32, "a public key reads back")
            precondition(key.id.utf8.count == 16, "it has a name")
        }
        if let signer = NoteSigner(name: "herse.test", pem: pem) {
            precondition(
                SignedNote("text\n", by: signer)?.isSigned(by: signer.verifier) == true,
                "a key signs what it verifies")
        }
        // A private key may ask at the terminal, where nobody is.
        let text = String(decoding: pem, as: UTF8.self)
        guard !text.contains("ENCRYPTED"), let key = try? AuditorKey(pem: pem) else { return }
        let again = try? AuditorKey(pem: Array(key.pem.utf8))
        precondition(again?.publicKey == key.publicKey, "a private key reads back")
    }

    /// A sealed entry opens as what it was, under its own number and key, or not at all; what a
    /// corrupt gate packed unpacks within a bound.
    static let sealedEntry = FuzzTarget(name: "sealed-entry") { bytes in
        if let entry = EntryUnpacker()?.entry(of: [1] + bytesOf(bytes)) {
            precondition(entry.count <= packedEntryMax, "no entry unpacks to more")
        }
        if let range = sealedText(bytes) {
            precondition(range.upperBound <= bytes.count - 2, "the text stands within the line")
            _ = sealing.opener.open(
                bytes.extracting(range), entryKey: sealing.key.entryKey(sealing.number))
        }
        let line = edited(sealing.line, by: bytes)
        guard let range = sealedText(line.span) else { return }
        let text = line.span.extracting(range)
        let number = sealing.number
        if let plain = sealing.opener.open(text, entryKey: sealing.key.entryKey(number)) {
            precondition(plain == genuineLine(0), "an entry opens as what it was")
        }
        precondition(
            sealing.opener.open(text, entryKey: sealing.key.entryKey(number + 1)) == nil,
            "and under no other number")
    }

    /// A segment's key opens as what it was, for its auditor, its record and its number, or not at
    /// all.
    static let segmentKey = FuzzTarget(name: "segment-key") { bytes in
        guard let auditor else { return }
        let genuine = sealing.sealed
        let both = edited(genuine.encapsulated + genuine.key, by: bytes)
        let cut = bytes.count > 0 && bytes[0] > 0xF0 ? Int(bytes[0] & 15) + 24 : 32
        let changed = SealedSegmentKey(
            auditor: genuine.auditor, encapsulated: Array(both.prefix(cut)),
            key: Array(both.dropFirst(cut)))
        let opened = SegmentKey.opened(
            changed, with: auditor, origin: "herse.test/record", segment: 3)
        if changed == genuine {
            precondition(opened?.entryKey(0) == sealing.key.entryKey(0), "the key comes back")
            precondition(
                SegmentKey.opened(changed, with: auditor, origin: "herse.test/record", segment: 4)
                    == nil, "for its own segment only")
        } else {
            precondition(opened == nil, "a key that was changed is none")
        }
    }
}

/// An entry and a segment's key, sealed; new at each start, since their keys are.
private let sealing = Sealing()

private struct Sealing {
    let key: SegmentKey
    let sealed: SealedSegmentKey
    let opener: EntryOpener
    let number: UInt64 = 7
    /// The sealed line of the first genuine entry.
    let line: [UInt8]

    init() {
        guard let key = SegmentKey.make(), let sealer = EntrySealer(key),
            let opener = EntryOpener(), let auditor = FuzzTarget.auditor?.publicKey,
            let sealed = key.sealed(to: auditor, origin: "herse.test/record", segment: 3)
        else { preconditionFailure("the library seals") }
        var line = Array("{\"sealed\":\"".utf8)
        precondition(sealer.append(genuineLine(0).span, number: 7, to: &line), "an entry is sealed")
        self.line = line + Array("\"}".utf8)
        (self.key, self.sealed, self.opener) = (key, sealed, opener)
    }
}
