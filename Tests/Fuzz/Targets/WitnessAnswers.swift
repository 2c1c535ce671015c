// WitnessAnswers.swift: what witnesses answer, and what is kept of it.

import Record
import RecordKeeping
import Transparency

extension FuzzTarget {
    /// An answer means one thing; the first byte chooses the status.
    ///
    /// No signature is taken that is not the witness's, over this checkpoint.
    static let witnessAnswer = FuzzTarget(name: "witness-answer") { bytes in
        guard let key, bytes.count > 0 else { return }
        let statuses = [200, 409, 422, 404, 403, 400, 429, 500]
        let status = statuses[Int(bytes[0]) % statuses.count]
        let body = bytesOf(bytes.extracting(1..<bytes.count))
        check(status, body, key)
        check(200, edited(Array(cosignature.utf8), by: body.span), key)
    }

    /// A file of notes that others may add to: the last one that the gate signed, as it was signed.
    static let witnessFile = FuzzTarget(name: "witness-file") { bytes in
        guard let signer else { return }
        let tail = bytesOf(bytes)
        for tail in [tail, edited(Array((genuineNote + "\n" + genuineNote).utf8), by: bytes)] {
            guard let note = lastNote(in: tail, of: "herse.test/record", by: signer.verifier)
            else { continue }
            precondition(
                SignedNote(note)?.text == genuineCheckpoint.text, "only what was signed is found")
        }
    }

    /// The memory of a witness reads back, whatever note it holds.
    static let witnessMemory = FuzzTarget(name: "witness-memory") { bytes in
        guard let memory = WitnessMemory(json: bytesOf(bytes)) else { return }
        guard let json = memory.json else { preconditionFailure("what was read is spelled") }
        precondition(WitnessMemory(json: json) == memory, "a memory reads back")
        precondition(memory.size == memory.checkpoint?.size ?? 0, "it has seen what it signed")
    }

    private static let key = witness.flatMap {
        NoteVerifier(name: "witness.test", algorithm: .cosignature, key: $0.verifier.key)
    }
}

private let now: UInt64 = 1_800_000_000

/// A line that the witness signed; made where its private key is, as that of the corpus was.
private let cosignature =
    "— witness.test "
    + "R+t0HQAAAABrSdH2ybK0c3QRjQVtJEGisM0UgzJRw9UEYzrYIgtTQiD3cTzTwh9IB7GIRp"
    + "BHLDMpOCfAkS4oug7fQ5TyojoiEXEtBA==\n"

private func check(_ status: Int, _ body: [UInt8], _ key: NoteVerifier) {
    let request = WitnessRequest(old: 5, proof: [.empty], note: genuineNote)
    switch WitnessVerdict(status: status, body: body, to: request, key: key, now: now) {
    case .cosigned(let text, let at):
        precondition(status == 200 && at <= now + WitnessVerdict.skew, "signed by now")
        guard let note = SignedNote(text), let gate = FuzzTarget.signer?.verifier else {
            preconditionFailure("what is kept can be read again")
        }
        precondition(note.cosigned(by: key) == at, "the witness signed it then")
        precondition(note.isSigned(by: gate), "as the gate had")
        precondition(note.text == genuineCheckpoint.text, "and nothing else")
        precondition(at == 1_799_999_990, "it signed once")
    case .knows(let size):
        precondition(status == 409 && size != request.old, "another size")
        let digits = Array(String(size).utf8)
        precondition(body == digits || body == digits + [0x0A], "in one spelling")
    case .contradicts:
        precondition(
            status == 422 || (status == 409 && body.starts(with: Array("5".utf8))),
            "an alarm is not raised by accident")
    case .failed: break
    }
}
