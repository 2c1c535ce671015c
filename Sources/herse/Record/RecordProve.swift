// RecordProve.swift: herse record prove and check-proof: one entry, proven to somebody else.

import ArgumentParser
import Foundation
import Glibc
import RecordReading
import Transparency

struct RecordProveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prove",
        abstract: "Prove that one entry is in the record.",
        discussion: """
            Writes the entry's line, the hashes that lead from it to the root and the newest \
            checkpoint (C2SP tlog-proof): whoever knows the gate's public key can check it, by \
            `herse record check-proof` or a program of their own, without seeing anything else of \
            the record. A sealed entry stays sealed unless --reveal adds the key that opens it, and \
            no other.

            Examples:
              herse record prove 1234 -o entry-1234.proof
              herse record prove 1234 --reveal --auditor-key anne.key.pem
            """)

    @Argument(help: ArgumentHelp("Number of the entry.", valueName: "entry"))
    var entry: UInt64

    @Flag(help: "Add the key that opens this entry alone.")
    var reveal = false

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("File to write; standard output unless given.", valueName: "file"),
        completion: .file())
    var output: String?

    @OptionGroup var source: RecordOptions

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let reader = try reveal ? source.open("prove") : source.openSealed()
        let proof = try passing { () throws(RecordReadingError) in
            try reader.proof(of: entry, reveals: reveal)
        }
        guard let output else {
            console.print(String(proof.text.dropLast()))
            return .done
        }
        var status = stat()
        // What takes its name would take a device's place: root has one `/dev/null`.
        // Safe because path and result outlive the call.
        if unsafe lstat(output, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Failure(
                "\(output): is no ordinary file",
                hint: "without -o the proof goes to standard output")
        }
        do {
            try Data(proof.text.utf8).write(
                to: URL(fileURLWithPath: output), options: [.atomic])
        } catch {
            throw Failure("\(output): cannot be written", hint: "is there room, and is it yours?")
        }
        console.talk("\(output): the proof of entry \(entry)")
        return .done
    }
}

struct RecordCheckProofCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "check-proof",
        abstract: "Check a proof of one entry.",
        discussion: """
            Says whether the entry is in the record that the gate signed, and prints what it says \
            if the proof opens it. Needs neither a gate nor a record.

            Exits 0 when the entry is proven, 1 when it is not.

            Examples:
              herse record check-proof entry-1234.proof --key gate.pub
            """)

    @Argument(help: ArgumentHelp("File of the proof.", valueName: "file"), completion: .file())
    var file: String

    @Option(
        help: ArgumentHelp(
            "The gate's public key, NAME+HASH+KEY, or a file that holds it.", valueName: "key"))
    var key: String

    @OptionGroup var output: OutputOption

    private struct Report: Encodable {
        let entry: UInt64
        let proven: Bool
        let size: UInt64?
        let origin: String?
        let says: String?
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard let data = FileManager.default.contents(atPath: file),
            data.count <= EntryProof.lengthMax,
            let proof = EntryProof(String(decoding: data, as: UTF8.self))
        else {
            throw Failure(
                "\(file): is no proof of an entry", hint: "`herse record prove` writes them")
        }
        let keys = try verifierKeys([key])
        let verdicts = keys.map { proof.verdict(key: $0) }
        var signed: Checkpoint?
        for case .proven(let checkpoint) in verdicts { signed = checkpoint }
        guard let signed else {
            if output.json {
                console.print(
                    json(
                        Report(
                            entry: proof.index, proven: false, size: nil, origin: nil, says: nil)))
            }
            throw Failure("\(file): \(words(verdicts[0]))")
        }
        let says = proof.plain.map { String(decoding: $0, as: UTF8.self) }
        if output.json {
            console.print(
                json(
                    Report(
                        entry: proof.index, proven: true, size: signed.size,
                        origin: signed.origin, says: says)))
        } else {
            console.print(
                "proven: entry \(proof.index) of the \(signed.size) that \(signed.origin) signed")
            console.print(says.map(printable) ?? "(sealed: the proof does not open it)")
        }
        return .done
    }

    private func words(_ verdict: EntryProof.Verdict) -> String {
        switch verdict {
        case .proven: "proven"
        case .noCheckpoint: "holds no checkpoint"
        case .notSigned: "its checkpoint is not signed by \(key)"
        case .notInTree: "NOT PROVEN: the checkpoint is not one of a record with this entry in it"
        }
    }
}
