// PersonResolving.swift: candidates' identifiers, hashed as the gate hashes them.

import Foundation
import KeyedHash
import Limits
import Lookup
import Policy

/// Finds out which of many candidates are the patients that a record knows by a keyed hash.
struct PersonResolver {
    private let hashers: [PersonHasher]
    /// Which keys name the same person, as far as the gate knows.
    private let links: [UInt64: [UInt64]]

    /// Bytes of a line of candidates.
    static let lineMax = 64 * 1024

    /// `configuration` is the gate's: its state folder has the secret, its identity servers the
    /// systems of their canonical identifiers.
    init(configuration path: String) throws(Failure) {
        let key: SipKey
        do {
            let file = try PersonsFile(stateFolder: stateFolder(of: path))
            key = file.key
            links = try file.links()
        } catch {
            throw Failure(
                "--resolve: \(error.message)",
                hint: "run this where the gate's state is, with -c, as root or the gate's user")
        }
        let servers =
            ConfigurationLoader(filesMustExist: false).load(path: path).configuration?
            .identityServers.map { (name: $0.name, canonical: $0.canonicalSystem) } ?? []
        let known = servers.isEmpty ? [(name: "", canonical: "")] : servers
        hashers = known.map {
            PersonHasher(key: key, server: $0.name, canonicalSystem: $0.canonical)
        }
    }

    /// Gives the identifiers of each line of `path` that may be one patient's, with the hashes each
    /// of them may have; how many lines have any.
    func read(
        _ path: String, _ use: ([(identifier: String, keys: [UInt64])]) -> Void
    ) throws(Failure) -> Int {
        var usable = 0
        func take(_ candidates: [(identifier: String, keys: [UInt64])]) {
            if !candidates.isEmpty { usable += 1 }
            use(candidates)
        }
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw Failure("--resolve: \(path): cannot be read", hint: "is it there?")
        }
        defer { try? file.close() }
        var rest: [UInt8] = []
        while true {
            let data: Data
            do {
                data = try file.read(upToCount: 1 << 20) ?? Data()
            } catch {
                throw Failure("--resolve: \(path): cannot be read to its end")
            }
            let bytes = rest + Array(data)
            var start = 0
            for index in rest.count..<bytes.count where bytes[index] == 0x0A {
                take(candidates(bytes[start..<index]))
                start = index + 1
            }
            rest = Array(bytes[start...])
            guard rest.count <= Self.lineMax else {
                throw Failure(
                    "--resolve: \(path): a line is longer than \(Self.lineMax) bytes",
                    hint: "one candidate a line: SYSTEM|VALUE, an INS, or Patient/ID")
            }
            if data.isEmpty { break }
        }
        take(candidates(rest[...]))
        return usable
    }

    /// The keys, and those by which the gate came to know the same person.
    private func namesakes(of keys: Set<UInt64>) -> Set<UInt64> {
        var all = keys
        var fresh = Array(keys)
        while let key = fresh.popLast() {
            for other in links[key] ?? [] where all.insert(other).inserted { fresh.append(other) }
        }
        return all
    }

    private func candidates(
        _ line: ArraySlice<UInt8>
    ) -> [(identifier: String, keys: [UInt64])] {
        line.split { [0x2C, 0x3B, 0x09, 0x0D].contains($0) }.compactMap { cell in
            let text = String(decoding: cell.filter { $0 != 0x22 }, as: UTF8.self)
            guard let patient = PatientArgument(text) else { return nil }
            return (text, Array(namesakes(of: Set(hashers.flatMap(patient.keys)))))
        }
    }
}
