// NoteTests.swift: signed notes in one spelling only, and keys that ask nobody anything.

import Foundation
import Testing

@testable import Transparency

@Suite struct `A signed note` {
    private let signer: NoteSigner
    private let note: String

    init() throws {
        signer = try #require(NoteSigner(name: "herse.test/é", seed: Array(1...32)))
        note = try #require(SignedNote("herse.test/é\n1\n", by: signer)).description
    }

    @Test func `is read as it was written`() throws {
        let read = try #require(SignedNote(note))
        #expect(read.description == note && read.isSigned(by: signer.verifier))
    }

    /// The signature's last character holds two bits that nobody reads.
    @Test func `is none in another spelling of the same signature`() throws {
        let last = try #require(note.dropLast(2).last?.asciiValue)
        for bits: UInt8 in 1...3 {
            let other = note.dropLast(3) + String(UnicodeScalar(last + bits)) + "=\n"
            #expect(other.utf8.count == note.utf8.count)
            #expect(SignedNote(String(other)) == nil)
        }
        #expect(NoteVerifier(signer.verifier.text + "\n") == nil)
        #expect(TreeHash(base64: TreeHash.empty.base64.replacing("U=", with: "V=")) == nil)
    }

    @Test func `is not signed by a name that only looks the same`() throws {
        // An e and its accent are two scalars, and equal in Swift to the one that is both.
        let other = note.replacing("— herse.test/é", with: "— herse.test/e\u{301}")
        #expect(!other.utf8.elementsEqual(note.utf8))
        #expect(try #require(SignedNote(other)).isSigned(by: signer.verifier) == false)
    }

    @Test func `is not signed with a key that asks for a passphrase`() throws {
        let pem = try #require(NoteSigner.newKey())
        #expect(NoteSigner(name: "a", pem: Array(pem.utf8)) != nil)
        let asks = pem.replacing(
            "KEY-----\nM",
            with: "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,"
                + "00112233445566778899AABBCCDDEEFF\n\nM")
        #expect(asks != pem)
        #expect(NoteSigner(name: "a", pem: Array(asks.utf8)) == nil)
    }
}
