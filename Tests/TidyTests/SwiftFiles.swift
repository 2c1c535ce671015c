// SwiftFiles.swift: the rules every Swift file keeps; whatever a reviewer says twice comes here.

import Foundation
import Testing

@Suite struct `Swift files` {
    @Test func `begin with their name and purpose`() {
        let findings = Repository.swiftFiles.compactMap { file -> Finding? in
            // SwiftPM wants the first line of its manifest for itself.
            let line = file.name == "Package.swift" ? 1 : 0
            let lines = file.lines
            let first = line < lines.count ? lines[line] : ""
            guard !first.hasPrefix("// \(file.name): ") else { return nil }
            return Finding(
                path: file.path, line: line + 1, what: "does not begin `// \(file.name): `")
        }
        report(findings)
    }

    /// Lines beyond which a file is about more than one thing.
    static let lengthMax = 500
    /// Files that are longer nevertheless, with why.
    static let longFiles = [
        // One table of mistakes and the words each is told in.
        "Tests/PolicyTests/RefusedConfigurations.swift": 600
    ]

    @Test func `are no longer than one idea`() {
        let findings = SwiftFile.all.compactMap { file -> Finding? in
            let most = Self.longFiles[file.path] ?? Self.lengthMax
            guard file.lines.count > most else { return nil }
            return file.finding(file.lines.count - 1, "more than \(most) lines")
        }
        report(findings)
    }

    @Test func `stop on a condition, never by force`() {
        var findings: [Finding] = []
        for file in SwiftFile.all {
            for (index, line) in file.lines.enumerated() {
                for what in forced(line.code) { findings.append(file.finding(index, what)) }
                if line.words.contains("fatalError") {
                    findings.append(
                        file.finding(index, "`fatalError`: throw, or say `precondition`"))
                }
            }
        }
        report(findings)
    }

    /// `try!`, `as!`, `value!` and `Type!`: a `!` that has something on its left.
    private func forced(_ code: [UInt8]) -> [String] {
        var found: [String] = []
        for (index, byte) in code.enumerated() where byte == UInt8(ascii: "!") && index > 0 {
            let next = index + 1 < code.count ? code[index + 1] : UInt8(ascii: " ")
            guard next != UInt8(ascii: "=") else { continue }
            switch code[index - 1] {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: ")"),
                UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: "?"), UInt8(ascii: ">"):
                found.append("`!` forces what may fail")
            default: break
            }
        }
        return found
    }

    /// Names of the modules' types and functions that other modules use are explained there.
    @Test func `document every type that other modules see`() {
        let kinds: Set<Substring> = ["struct", "class", "enum", "actor", "protocol", "typealias"]
        var findings: [Finding] = []
        for file in SwiftFile.all where file.path.hasPrefix("Sources/") {
            for (index, line) in file.lines.enumerated() {
                let words = line.words
                guard let access = words.firstIndex(where: { $0 == "package" || $0 == "public" }),
                    let kind = words.dropFirst(access + 1).first(where: {
                        !["final", "indirect", "distributed", "nonisolated"].contains($0)
                    }), kinds.contains(kind), !file.isDocumented(index)
                else { continue }
                findings.append(file.finding(index, "`\(kind)` without a doc comment"))
            }
        }
        report(findings)
    }
}
