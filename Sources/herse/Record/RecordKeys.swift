// RecordKeys.swift: herse record keys: the gate's key, whom segments are sealed to, and new pairs.

import ArgumentParser
import Foundation
import Policy
import Record
import RecordReading
import Sealing
import Transparency

struct RecordKeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Show the record's keys, or make a pair for an auditor.",
        discussion: """
            The gate signs with a key of its own, in its state folder. Auditors open what is sealed \
            to them with a key that never is on the gate.

            Examples:
              herse record keys
              herse record keys new anne
            """,
        subcommands: [RecordKeysShowCommand.self, RecordKeysNewCommand.self],
        defaultSubcommand: RecordKeysShowCommand.self)
}

struct RecordKeysShowCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show the gate's public key, and whom each segment is sealed to.",
        discussion: """
            Write the gate's key down where the gate cannot change it: `record verify --key` wants \
            it on the day it matters. Auditors that the configuration names are shown with the file \
            of their public key.

            Examples:
              herse record keys
              herse record keys --json
            """)

    @OptionGroup var source: RecordOptions
    @OptionGroup var output: OutputOption

    private struct Report: Encodable {
        struct Segment: Encodable {
            let segment: Int
            let sealedTo: [String]
        }
        let key: String?
        let segments: [Segment]
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let reader = try source.openSealed()
        let key = reader.segments.last { $0.head != nil }?.head?.key.text
        let segments = reader.segments.map { segment in
            Report.Segment(
                segment: segment.number,
                sealedTo: (segment.head?.sealedTo ?? []).map(\.auditor))
        }
        if output.json {
            console.print(json(Report(key: key, segments: segments)))
            return .done
        }
        console.print(key ?? "no key: nothing in this record is signed")
        var table = Table(">SEGMENT", "SEALED TO")
        let files = auditorFiles
        for segment in segments {
            let auditors = segment.sealedTo.map { id in
                files[id].map { "\(id) (\($0))" } ?? id
            }
            table.add(
                String(segment.segment),
                auditors.isEmpty ? "nobody" : auditors.joined(separator: ", "))
        }
        console.print(table.text)
        return .done
    }

    /// The files of the auditors that the configuration names, by what the record calls them.
    private var auditorFiles: [String: String] {
        let loaded = ConfigurationLoader(filesMustExist: false)
            .load(path: source.configuration.path)
        var files: [String: String] = [:]
        for file in loaded.configuration?.record.auditors ?? [] {
            guard let pem = try? keyFile(file.path), let key = try? AuditorPublicKey(pem: pem)
            else { continue }
            files[key.id] = URL(fileURLWithPath: file.path).lastPathComponent
        }
        return files
    }
}

struct RecordKeysNewCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "new",
        abstract: "Make a pair of keys for an auditor.",
        discussion: """
            Writes NAME.key.pem, the private half, and NAME.pub.pem, which goes into `record: \
            {auditors: [NAME.pub.pem]}`. Do this on a computer that is not the gate's, and keep the \
            private half offline, twice: what is sealed to a lost key is lost. `openssl genpkey \
            -algorithm X25519 -aes256` makes one with a passphrase.

            Examples:
              herse record keys new anne
              herse record keys new anne -o /media/vault
            """)

    @Argument(help: ArgumentHelp("Name of the two files.", valueName: "name"))
    var name: String

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Folder they are written to.", valueName: "folder"),
        completion: .directory)
    var output = "."

    func validate() throws {
        guard !name.isEmpty, name.utf8.count <= 100, !name.contains("/"), !name.hasPrefix(".")
        else {
            throw ValidationError("NAME: is no name of a file")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard let key = AuditorKey.make() else {
            throw Failure("no key can be made: the system has no randomness")
        }
        let path = output + "/" + name
        try write(key.pem, to: path + ".key.pem", 0o600)
        do throws(Failure) {
            try write(key.publicKey.pem, to: path + ".pub.pem", 0o644)
        } catch {
            try? FileManager.default.removeItem(atPath: path + ".key.pem")
            throw error
        }
        console.print("\(path).key.pem  the private half: keep it offline, and a copy")
        console.print("\(path).pub.pem  auditor \(key.publicKey.id): name it in `record.auditors`")
        return .done
    }

    /// Writes a new file; one that is there is never written over.
    private func write(_ text: String, to path: String, _ mode: Int) throws(Failure) {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw Failure("\(path): is there already", hint: "choose another name")
        }
        guard
            FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: mode])
        else {
            throw Failure("\(path): cannot be written", hint: "is the folder there, and yours?")
        }
    }
}
