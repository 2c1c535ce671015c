// ProofTests.swift: proofs of single entries, for whoever has nothing else of the record.

import Foundation
import Sealing
import Testing
import Transparency

@testable import RecordReading

@Suite struct `A proof of one entry` {
    @Test(arguments: [false, true])
    func `holds for every entry that is signed, and for no other line`(isSealed: Bool) throws {
        let record = try WrittenRecord(isSealed: isSealed)
        let reader = try record.reader()
        let key = record.signer.verifier
        let all = try (1...3).flatMap { try record.lines($0) }
        for number in 0..<UInt64(all.count - 1) {
            let proof = try reader.proof(of: number, reveals: true)
            let read = try #require(EntryProof(proof.text))
            #expect(read == proof)
            #expect(String(decoding: read.line, as: UTF8.self) == all[Int(number)])
            guard case .proven(let signed) = read.verdict(key: key) else {
                Issue.record("entry \(number) is not proven")
                continue
            }
            #expect(signed.size == UInt64(all.count - 1))
            var other = read
            other.line[5] ^= 1
            #expect(other.verdict(key: key) == .notInTree)
            other = read
            other.index += 1
            #expect(other.verdict(key: key) == .notInTree)
            if !read.hashes.isEmpty {
                other = read
                other.hashes.removeLast()
                #expect(other.verdict(key: key) == .notInTree)
            }
        }
        #expect(throws: RecordReadingError.self) {
            _ = try reader.proof(of: UInt64(all.count), reveals: false)
        }
    }

    @Test func `opens its own entry, and only if it is to`() throws {
        let record = try WrittenRecord(isSealed: true)
        let reader = try record.reader()
        let open = try reader.proof(of: 1, reveals: true)
        #expect(open.plain.map { String(decoding: $0, as: UTF8.self) } == record.line(0))
        #expect(try reader.proof(of: 1, reveals: false).plain == nil)
        var other = try reader.proof(of: 2, reveals: false)
        other.key = open.key
        #expect(other.plain == nil)
        // Who has no auditor's key proves without revealing.
        let closed = try RecordReader(folder: record.path)
        #expect(try closed.proof(of: 1, reveals: false).plain == nil)
        #expect(throws: RecordReadingError.self) {
            _ = try closed.proof(of: 1, reveals: true)
        }
    }

    @Test func `is not taken from another gate`() throws {
        let record = try WrittenRecord()
        let proof = try record.reader().proof(of: 1, reveals: false)
        let other = try #require(NoteSigner(name: "herse.test/record", seed: Array(2...33)))
        #expect(proof.verdict(key: other.verifier) == .notSigned)
    }

    @Test(arguments: ["", "herse record proof v1", "herse record proof v1\n{}\n\nno\nindex 1\n"])
    func `is refused when it is none`(text: String) {
        #expect(EntryProof(text) == nil)
    }
}
