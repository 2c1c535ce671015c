// Articles.swift: what the documentation names must be there.

import Foundation
import Testing

@Suite struct `The documentation` {
    /// Tops of paths that a reader may open.
    private static let tops: Set<Substring> = [
        "Sources", "Tests", "policies", "certs", "script", ".ci",
    ]

    @Test func `names only files that exist`() {
        var findings: [Finding] = []
        for article in Repository.articles {
            for (index, line) in article.lines.enumerated() {
                for path in paths(in: line) where !Repository.exists(path) {
                    findings.append(
                        Finding(path: article.path, line: index + 1, what: "`\(path)` is not there")
                    )
                }
            }
        }
        report(findings)
    }

    /// Words in backticks or link targets that begin with a folder of the repository.
    private func paths(in line: String) -> [String] {
        line.split { "` ()\"<>|,".contains($0) }.compactMap { word in
            let parts = word.split(separator: "/")
            guard parts.count > 1, let top = parts.first, Self.tops.contains(top),
                word.hasPrefix(top), !word.contains("*"), !word.contains("…")
            else { return nil }
            var path = String(word)
            while let last = path.last, ".:;/".contains(last) { path.removeLast() }
            return path
        }
    }

    @Test func `says what every file of the gate is for`() throws {
        let article = "Sources/Gate/Documentation.docc/LifeOfARequest.md"
        let text = try #require(Repository.file(article)).lines.joined(separator: "\n")
        let missing = SwiftFile.all.filter { file in
            file.path.hasPrefix("Sources/Gate/")
                && !text.contains(file.path.dropFirst("Sources/Gate/".count))
        }
        report(missing.map { $0.finding(0, "not in \(article)") })
    }
}
