// Repository.swift: the files of this repository, as the tidy tests read them.

import Foundation
import Testing

/// A text file and its lines.
struct TextFile: Sendable {
    /// From the top of the repository, such as `Sources/Gate/Serve.swift`.
    let path: String
    let bytes: [UInt8]

    var name: String { path.split(separator: "/").last.map(String.init) ?? path }

    /// Lines without their ends; a last line feed begins no further line.
    var lines: [String] {
        var lines = String(decoding: bytes, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        return lines
    }

    /// Whether `text` stands anywhere in it.
    func holds(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        guard let first = wanted.first, bytes.count >= wanted.count else { return false }
        var index = 0
        while index <= bytes.count - wanted.count {
            if bytes[index] == first, bytes[index..<index + wanted.count].elementsEqual(wanted) {
                return true
            }
            index += 1
        }
        return false
    }
}

/// The working copy these tests were built from.
enum Repository {
    static let root: URL = {
        // Tests/TidyTests/Repository.swift
        var place = URL(filePath: #filePath)
        for _ in 0..<3 { place.deleteLastPathComponent() }
        return place
    }()

    /// Everything a person writes: code, tests, scripts, policies, documentation.
    static let files: [TextFile] = {
        let tops = ["Sources", "Tests", "certs", "policies", "script", ".ci"]
        var found = tops.flatMap { files(under: $0) }
        for name in ["Package.swift", "README.md", "CHANGELOG.md", ".gitignore", ".swift-format"] {
            if let file = file(name) { found.append(file) }
        }
        return found.sorted { $0.path < $1.path }
    }()

    static let swiftFiles = files.filter { $0.path.hasSuffix(".swift") }
    static let articles = files.filter { $0.path.hasSuffix(".md") }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).path)
    }

    static func file(_ path: String) -> TextFile? {
        (try? Data(contentsOf: root.appending(path: path))).map {
            TextFile(path: path, bytes: Array($0))
        }
    }

    private static func files(under folder: String) -> [TextFile] {
        let names = try? FileManager.default.subpathsOfDirectory(
            atPath: root.appending(path: folder).path)
        return (names ?? []).filter { isOurs($0) }.compactMap { file(folder + "/" + $0) }
    }

    /// What is generated, or bytes meant for a parser, is nobody's prose.
    private static func isOurs(_ path: String) -> Bool {
        let parts = path.split(separator: "/")
        let generated: Set<Substring> = [
            "__pycache__", ".venv", ".pytest_cache", "Corpus", "node_modules",
        ]
        return generated.isDisjoint(with: parts) && parts.last?.hasPrefix(".#") != true
    }
}

/// A place where a rule is broken, as a person finds it.
struct Finding: Hashable, CustomStringConvertible {
    let path: String
    /// From 1.
    let line: Int
    let what: String

    var description: String { "\(path):\(line): \(what)" }
}

/// Fails the running test once, with a line for each finding.
func report(_ findings: [Finding], sourceLocation: SourceLocation = #_sourceLocation) {
    guard !findings.isEmpty else { return }
    Issue.record(
        "\n\(findings.map(\.description).joined(separator: "\n"))", sourceLocation: sourceLocation)
}
