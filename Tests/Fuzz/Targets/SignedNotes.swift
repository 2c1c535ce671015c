// SignedNotes.swift: signed notes, the checkpoints in them, and the keys that verify them.

import Foundation
import Record
import Transparency

extension FuzzTarget {
    /// A note reads back, byte for byte, and nothing is signed that was not.
    static let signedNote = FuzzTarget(name: "signed-note") { bytes in
        check(note: bytesOf(bytes))
        check(note: edited(Array(genuineNote.utf8), by: bytes))
    }

    /// A key is spelled in one way.
    static let verifierKey = FuzzTarget(name: "verifier-key") { bytes in
        let text = String(decoding: bytesOf(bytes), as: UTF8.self)
        guard let key = NoteVerifier(text) else { return }
        precondition(key.text.utf8.elementsEqual(text.utf8), "a key reads back")
        precondition(key.key.count == 32 && key.id.count == 4, "it is an Ed25519 key")
        precondition(isNoteName(key.name), "and has a name")
    }

    /// Signs whatever the corpus holds.
    static let signer = NoteSigner(name: "herse.test/record", seed: Array(1...32))
    /// A witness's, which signs the same way here: its cosignatures are in `WitnessAnswers.swift`.
    static let witness = NoteSigner(name: "witness.test", seed: Array(2...33))
}

/// The hashes of the seven entries of the fuzzed tree.
let leaves: [TreeHash] = (0..<7).map { TreeHash.leaf(genuineLine($0).span) }

func genuineLine(_ number: Int) -> [UInt8] {
    Array("{\"time\":\"2026-11-28T20:11:02.000Z\",\"request\":\"\(number)\"}".utf8)
}

/// The only checkpoint that the fuzzed gate ever signed.
let genuineCheckpoint: Checkpoint = {
    var tree = CompactRange()
    for leaf in leaves { tree.append(leaf) }
    return Checkpoint(origin: "herse.test/record", size: tree.end, root: tree.root)
}()

let genuineNote: String = {
    guard let signer = FuzzTarget.signer,
        let note = SignedNote(genuineCheckpoint.text, by: signer)
    else { preconditionFailure("the library signs") }
    return note.description
}()

private func check(note bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    guard let note = SignedNote(text) else { return }
    precondition(note.description.utf8.elementsEqual(text.utf8), "a note reads back")
    precondition(note.text.hasSuffix("\n") && !note.signatures.isEmpty, "lines, and who signed")
    if let checkpoint = Checkpoint(note.text) {
        precondition(Checkpoint(checkpoint.text) == checkpoint, "a checkpoint reads back")
    }
    guard let key = FuzzTarget.signer?.verifier else { return }
    if note.isSigned(by: key) {
        precondition(
            note.text.utf8.elementsEqual(genuineCheckpoint.text.utf8),
            "a gate signed what it signed, and nothing else")
    }
    precondition(note.cosigned(by: key) == nil || note.signatures.contains { $0.isOf(key) })
}

/// Base64 with padding.
func spelledBase64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }
