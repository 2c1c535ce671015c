// Folders.swift: configurations of several files, and files that cannot be read.

import Foundation
import Testing

@testable import Policy

/// A folder of its own for one test, removed at its end.
private final class Folder {
    let path: String

    init(_ files: [String: String]) throws {
        path = NSTemporaryDirectory() + "herse-policy-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        for (name, text) in files {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// What loading says, with the folder's own path left out.
    func load(_ name: String? = nil, filesMustExist: Bool = false) -> (Configuration?, [String]) {
        let loaded = ConfigurationLoader(filesMustExist: filesMustExist)
            .load(path: name.map { "\(path)/\($0)" } ?? path)
        let lines = loaded.diagnostics.map {
            $0.description.replacingOccurrences(of: path, with: "F")
        }
        return (loaded.configuration, lines)
    }
}

/// The sample's parts, by their first words.
private func part(from first: String, to last: String?) -> String {
    let rest = sample[(sample.range(of: first)?.lowerBound ?? sample.endIndex)...]
    return String(rest[..<(last.flatMap { rest.range(of: $0)?.lowerBound } ?? rest.endIndex)])
}

private let listenersPart = part(from: "listeners:", to: "identity_servers:")
private let serversPart = part(from: "identity_servers:", to: "routes:")
private let routesPart = part(from: "routes:", to: "limits:\n")
private let limitsPart = part(from: "limits:\n", to: nil)

@Suite struct `A folder of configuration` {
    @Test func `is read in the order of names, lists one after the other`() throws {
        let second = routesPart.replacingOccurrences(of: "name: fhir", with: "name: second")
            .replacingOccurrences(of: "/fhir/", with: "/second/")
            .replacingOccurrences(of: "standard", with: "other")
        let folder = try Folder([
            "10-listeners.yaml": listenersPart + serversPart,
            "30-second.yaml": second + "limits:\n  other:\n"
                + "    - {count: patients, limit: 1, per: 1s}\n",
            "20-first.yaml": routesPart + limitsPart + "state: /var/lib/herse\n",
            "20-first.test.yaml": "not: configuration",
            ".hidden.yaml": "not: configuration",
        ])
        let (configuration, lines) = folder.load()
        #expect(lines == [])
        #expect(configuration?.routes.map(\.name) == ["fhir", "second"])
        #expect(configuration?.limitSets.map(\.name) == ["standard", "other"])
        #expect(configuration?.routes.map(\.limits) == [0, 1])
        #expect(configuration?.state == "/var/lib/herse")
        #expect(configuration?.routes[1].place.file == "\(folder.path)/30-second.yaml")
        #expect(
            configuration?.listeners[0].tls.certificates[0].certificate.path
                == "\(folder.path)/server.pem")
    }

    @Test func `may say each single thing once, and names both places`() throws {
        let folder = try Folder([
            "a.yaml": sample + "drain: 1s\n",
            "b.yaml": "drain: 2s\nlimits:\n  standard: []\n",
        ])
        let (configuration, lines) = folder.load()
        #expect(configuration == nil)
        #expect(
            lines == [
                "F/b.yaml:1:1: error: `drain` stands in two files (first at F/a.yaml:22)",
                "F/b.yaml:3:3: error: duplicate limits `standard` (first at F/a.yaml:19)",
            ])
    }

    @Test func `tells what is wrong in every file`() throws {
        let folder = try Folder(["a.yaml": "workers: 0\n", "b.yaml": "", "c.yaml": "stat: x\n"])
        #expect(
            folder.load().1 == [
                "F/a.yaml:1:10: error: `workers`: 0 is out of range (at least 1, at most 256)",
                "F/b.yaml:1:1: error: the file is empty (nothing but blank lines and comments)",
                "F/c.yaml:1:1: error: unknown key `stat` in a configuration "
                    + "(did you mean `state`?)",
            ])
    }

    @Test func `does not call unknown what stands in a file that cannot be read`() throws {
        let folder = try Folder([
            "a.yaml": listenersPart + serversPart + "\tx", "b.yaml": routesPart + limitsPart,
        ])
        #expect(folder.load().1 == ["F/a.yaml:11:1: error: a tab character (indent with spaces)"])
    }

    @Test func `without any file is refused, and a .yml is pointed out`() throws {
        let folder = try Folder(["herse.yml": sample])
        #expect(
            folder.load().1 == [
                "F:1:1: error: no `*.yaml` file in this folder",
                "F/herse.yml:1:1: warning: not read (only `*.yaml` is; rename it)",
            ])
    }

    @Test(arguments: [
        ("none.yaml", "F/none.yaml:1:1: error: cannot be read: no such file"),
        ("herse.yaml/x", "F/herse.yaml/x:1:1: error: cannot be read: no such file"),
        ("/dev/null", "/dev/null:1:1: error: cannot be read: not a file"),
    ])
    func `names a file that cannot be read`(name: String, line: String) throws {
        let folder = try Folder(["herse.yaml": sample])
        let lines =
            name.hasPrefix("/")
            ? ConfigurationLoader().load(path: name).diagnostics.map(\.description)
            : folder.load(name).1
        #expect(lines == [line])
    }

    @Test func `names each certificate that is not there`() throws {
        let folder = try Folder(["herse.yaml": sample, "server.pem": "", "server.key": ""])
        let (configuration, lines) = folder.load("herse.yaml", filesMustExist: true)
        #expect(configuration == nil)
        #expect(
            lines == [
                "F/herse.yaml:7:28: error: `client_authorities`: `F/persons-ca.pem` "
                    + "cannot be read: no such file"
            ])
    }
}

@Suite struct `A path in a configuration` {
    @Test(arguments: [
        ("server.pem", "/etc/herse/a.yaml", "/etc/herse/server.pem"),
        ("./state", "/etc/herse/a.yaml", "/etc/herse/state"),
        ("./state", "a.yaml", "state"),
        ("../x", "conf/a.yaml", "conf/../x"),
        ("/x/y", "/etc/herse/a.yaml", "/x/y"),
        (".//x", "a.yaml", "x"),
    ])
    func `is relative to the file it stands in`(path: String, file: String, resolved: String) {
        #expect(resolve(path, in: file) == resolved)
    }
}
