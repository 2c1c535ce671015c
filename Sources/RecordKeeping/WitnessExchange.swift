// WitnessExchange.swift: what is said to a witness and what it answers, C2SP tlog-witness.

internal import Foundation
package import Transparency

/// What a checkpoint is shown with.
package struct WitnessRequest: Equatable, Sendable {
    /// Entries of the last checkpoint the witness is known to have signed; 0 for none.
    package let old: UInt64
    package let proof: [TreeHash]
    /// The checkpoint, a signed note.
    package let note: String

    package init(old: UInt64, proof: [TreeHash], note: String) {
        self.old = old
        self.proof = proof
        self.note = note
    }

    /// The body of the request.
    package var body: [UInt8] {
        let lines = ["old \(old)"] + proof.map(\.base64) + ["", note]
        return Array(lines.joined(separator: "\n").utf8)
    }
}

/// What a witness made of a checkpoint.
package enum WitnessVerdict: Equatable, Sendable {
    /// It signed: the checkpoint with its signature, and when it did, in seconds since 1970.
    case cosigned(note: String, at: UInt64)
    /// It knows the tree at another size, and can be shown a proof from there.
    case knows(size: UInt64)
    /// The tree is not one that only grew, as far as the witness has seen it.
    case contradicts(String)
    /// Anything else, in words for the operator.
    case failed(String)

    /// Bytes of an answer that are read.
    package static let answerMax = 16 * 1024
    /// Seconds a witness's clock may be ahead.
    package static let skew: UInt64 = 300

    /// Reads an answer; `now` is in seconds since 1970.
    package init(
        status: Int, body: [UInt8], to request: WitnessRequest, key: NoteVerifier, now: UInt64
    ) {
        let text = String(decoding: body, as: UTF8.self)
        switch status {
        case 200: self = Self.cosignature(text, request, key, now: now)
        case 409:
            // Of the size it was shown it knows another root, or it says nothing that is a size.
            let digits = text.hasSuffix("\n") ? String(text.dropLast()) : text
            guard let size = UInt64(digits), String(size) == digits else {
                self = .failed("answers 409 without the size it knows")
                return
            }
            self =
                size == request.old
                ? .contradicts("it knows another tree of \(size) entries") : .knows(size: size)
        case 422: self = .contradicts("the tree did not only grow since \(request.old) entries")
        case 404: self = .failed("does not know this record (404); tell its operator the origin")
        case 403: self = .failed("does not know this gate's key (403); `herse record keys` has it")
        case 400: self = .failed("does not understand the question (400)")
        case 429: self = .failed("is asked too often (429)")
        default: self = .failed("answers \(status)")
        }
    }

    private static func cosignature(
        _ text: String, _ request: WitnessRequest, _ key: NoteVerifier, now: UInt64
    ) -> WitnessVerdict {
        guard let note = SignedNote(request.note), let signatures = SignedNote.signatures(text)
        else { return .failed("answers 200 without signatures") }
        // One is kept: with all that it may send, the note would be too long to be read again.
        for signature in signatures where signature.isOf(key) {
            var cosigned = note
            cosigned.add(signature)
            guard let time = cosigned.cosigned(by: key) else { continue }
            guard time <= now + skew else {
                return .failed("signed at a time that is still to come: look at both clocks")
            }
            return .cosigned(note: cosigned.description, at: time)
        }
        return .failed("answers 200 without a signature of `\(key.name)`")
    }
}
