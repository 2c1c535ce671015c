// Scratch.swift: a record of a test's own, and who witnesses it.

import Foundation
import Record
import Testing

@testable import Transparency

/// A folder that is removed with its test.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "herse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path + "/record", withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var record: String { path + "/record" }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name)))
    }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
    }

    func names(_ folder: String = "record") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path + "/" + folder).sorted()
    }
}

/// Terms under which records of tests are kept.
func terms(seed: UInt8 = 1) throws -> RecordTerms {
    let signer = try #require(
        NoteSigner(name: "herse.test", seed: [UInt8](repeating: seed, count: 32)))
    return RecordTerms(signer: signer, auditors: [])
}

/// A record that is written by hand, in small segments.
struct HandWritten {
    private var chain: SegmentChain<SegmentFolder>
    /// Every leaf, as it went in.
    private(set) var seconds: UInt64 = 1_795_000_000
    private var number = 0

    init(_ scratch: Scratch, bytesMax: Int = 4096) throws {
        let terms = try terms()
        chain = SegmentChain(
            folder: SegmentFolder(scratch.record), terms: terms, segmentBytesMax: bytesMax,
            stride: 4096)
    }

    /// Commits an entry and, if so, a checkpoint.
    mutating func add(_ count: Int = 1, isDue: Bool = true) throws {
        for _ in 0..<count {
            number += 1
            seconds += 1
            let line = "{\"time\":\"\(rfc3339(milliseconds: seconds * 1000))\",\"n\":\(number)}\n"
            try chain.commit(
                [Array(line.utf8)], durable: false,
                at: CommitTime(milliseconds: seconds * 1000, isCheckpointDue: isDue))
        }
    }

    mutating func close() { chain.close(at: CommitTime(milliseconds: seconds * 1000)) }

    var size: UInt64 { chain.size }
    var note: String { chain.checkpoint ?? "" }
    var checkpoint: Checkpoint {
        get throws { try #require(SignedNote(note).flatMap { Checkpoint($0.text) }) }
    }
}

/// The roots of a record at every size, hashed anew from its lines.
func roots(_ scratch: Scratch) throws -> [TreeHash] {
    var range = CompactRange()
    var roots = [range.root]
    for name in try scratch.names() where name.hasSuffix(".jsonl") {
        for line in try scratch.bytes("record/" + name).split(separator: 0x0A) {
            range.append(TreeHash.leaf(Array(line).span))
            roots.append(range.root)
        }
    }
    return roots
}

/// A witness as the protocol has it, made by other means than the code under test.
struct TestWitness {
    let signer: NoteSigner
    let key: NoteVerifier

    init(name: String = "witness.test", seed: UInt8 = 7) throws {
        signer = try #require(NoteSigner(name: name, seed: [UInt8](repeating: seed, count: 32)))
        key = try #require(
            NoteVerifier(name: name, algorithm: .cosignature, key: signer.verifier.key))
    }

    /// Its signature line over a note's text.
    func line(over note: String, at time: UInt64) throws -> String {
        let text = try #require(SignedNote(note)).text
        let signed = Array("cosignature/v1\ntime \(time)\n\(text)".utf8)
        let signature = try #require(signer.signature(over: signed))
        let moment = (0..<8).map { UInt8(truncatingIfNeeded: time >> UInt64(56 - 8 * $0)) }
        let blob = Data(key.id + moment + signature).base64EncodedString()
        return "— \(key.name) \(blob)\n"
    }
}
