// Exchanges.swift: what is said to a witness, and what its answers mean.

import Foundation
import Record
import Testing

@testable import RecordKeeping
@testable import Transparency

private let now: UInt64 = 1_800_000_000

@Suite struct `A witness` {
    let request: WitnessRequest
    let witness: TestWitness

    init() throws {
        let signer = try terms().signer
        let checkpoint = Checkpoint(
            origin: signer.verifier.name, size: 9, root: .leaf([1].span))
        let note = try #require(SignedNote(checkpoint.text, by: signer)).description
        request = WitnessRequest(old: 5, proof: [.leaf([2].span), .empty], note: note)
        witness = try TestWitness()
    }

    private func verdict(_ status: Int, _ text: String) -> WitnessVerdict {
        WitnessVerdict(
            status: status, body: Array(text.utf8), to: request, key: witness.key, now: now)
    }

    @Test func `is asked as tlog-witness has it`() {
        let lines = String(decoding: request.body, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines[0] == "old 5")
        #expect(lines[2] == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        #expect(lines[3] == "")
        #expect(lines[4...5] == ["herse.test", "9"])
        #expect(lines[7] == "")
        #expect(lines[8].hasPrefix("— herse.test "))
        #expect(lines.last == "" && lines.count == 10)
    }

    @Test func `signs, beside others`() throws {
        let other = try TestWitness(name: "other.test", seed: 8)
        let lines =
            try other.line(over: request.note, at: now) + witness.line(over: request.note, at: now)
        guard case .cosigned(let note, let at) = verdict(200, lines) else {
            Issue.record("not cosigned")
            return
        }
        #expect(at == now)
        let signed = try #require(SignedNote(note))
        #expect(signed.cosigned(by: witness.key) == now)
        #expect(signed.isSigned(by: try terms().signer.verifier))
        // Nobody knows the other's key here.
        #expect(signed.signatures.count == 2)
    }

    @Test func `has one of its signatures kept, however many it sends`() throws {
        let good = try witness.line(over: request.note, at: now)
        let bad = try witness.line(over: request.note.replacing("\n9\n", with: "\n8\n"), at: now)
        for lines in [String(repeating: good, count: 64), bad + good + bad] {
            guard case .cosigned(let note, _) = verdict(200, lines) else {
                Issue.record("not cosigned")
                continue
            }
            // What is kept must be read again after a restart.
            let read = try #require(SignedNote(note))
            #expect(read.signatures.count == 2 && read.cosigned(by: witness.key) == now)
        }
    }

    @Test func `is not believed without its own signature`() throws {
        let other = try TestWitness(name: "witness.test", seed: 8)
        let mistakes = [
            "", "\n", "no signature\n", try other.line(over: request.note, at: now),
            try witness.line(over: request.note.replacing("\n9\n", with: "\n8\n"), at: now),
            try witness.line(over: request.note, at: now + 301),
            String(repeating: try other.line(over: request.note, at: now), count: 65),
        ]
        for text in mistakes {
            guard case .failed = verdict(200, text) else {
                Issue.record("believed: \(text)")
                continue
            }
        }
    }

    @Test(arguments: [
        (409, "7\n", WitnessVerdict.knows(size: 7)), (409, "0\n", .knows(size: 0)),
        (409, "7", .knows(size: 7)),
        (409, "5\n", .contradicts("it knows another tree of 5 entries")),
        (409, "", .failed("answers 409 without the size it knows")),
        (409, "07\n", .failed("answers 409 without the size it knows")),
        (409, "-1\n", .failed("answers 409 without the size it knows")),
        (422, "", .contradicts("the tree did not only grow since 5 entries")),
        (404, "", .failed("does not know this record (404); tell its operator the origin")),
        (403, "", .failed("does not know this gate's key (403); `herse record keys` has it")),
        (400, "", .failed("does not understand the question (400)")),
        (500, "x", .failed("answers 500")), (302, "", .failed("answers 302")),
    ])
    func `answers`(status: Int, text: String, verdict: WitnessVerdict) {
        #expect(self.verdict(status, text) == verdict)
    }
}
