// Declarations.swift: which declaration a line belongs to, by the indentation swift-format gives.

/// A Swift file with what the rules ask of it.
struct SwiftFile: Sendable {
    let path: String
    let name: String
    let lines: [SwiftLine]

    init(_ file: TextFile) {
        path = file.path
        name = file.name
        lines = SwiftText(file).lines
    }

    static let all = Repository.swiftFiles.map(SwiftFile.init)

    func finding(_ index: Int, _ what: String) -> Finding {
        Finding(path: path, line: index + 1, what: what)
    }

    private static let typeWords: Set<Substring> = [
        "struct", "class", "enum", "actor", "protocol", "extension",
    ]
    private static let memberWords: Set<Substring> = [
        "func", "init", "deinit", "subscript", "var", "let", "case", "typealias", "macro",
    ]

    /// Whether a line begins a type or an extension, rather than something in it.
    func beginsType(_ index: Int) -> Bool {
        for word in lines[index].words {
            if Self.typeWords.contains(word) { return true }
            if Self.memberWords.contains(word) {
                // `class func` and the like: a member after all.
                return false
            }
        }
        return false
    }

    /// Whether a line goes on with what an earlier one of the same indentation began.
    private func continues(_ index: Int) -> Bool {
        guard let first = lines[index].text.first else { return false }
        return ")]}{.".contains(first) || lines[index].text.hasPrefix("->")
    }

    /// The lines that enclose a line, the innermost first, beginning with the line itself.
    private func enclosing(_ index: Int) -> [Int] {
        var found: [Int] = []
        var line = index
        var indentation = lines[index].indentation + 1
        while line >= 0 {
            let candidate = lines[line]
            if !candidate.isBlank, !candidate.text.isEmpty, candidate.indentation < indentation,
                !continues(line)
            {
                found.append(line)
                indentation = candidate.indentation
                if indentation == 0 { break }
            }
            line -= 1
        }
        return found
    }

    /// The comments and attributes directly above a line.
    private func commentsAbove(_ index: Int) -> Range<Int> {
        var first = index
        while first > 0, lines[first - 1].isComment || lines[first - 1].text.hasPrefix("@") {
            first -= 1
        }
        return first..<index
    }

    /// The lines of the member, function or type-level statement that holds a line, with the
    /// comments above it; and the comments above the types around it.
    func surroundings(of index: Int) -> [Range<Int>] {
        let around = enclosing(index)
        let types = around.filter { beginsType($0) }
        let member = around.last { line in
            !types.contains(line) && (types.isEmpty || line > types.max() ?? 0)
        }
        var found = types.map { commentsAbove($0).lowerBound..<$0 + 1 }
        guard let member else { return found }
        var end = index + 1
        while end < lines.count {
            let line = lines[end]
            let isOver = !line.isBlank && line.indentation <= lines[member].indentation
            if isOver, !continues(end) { break }
            end += 1
        }
        found.append(commentsAbove(member).lowerBound..<end)
        return found
    }

    /// Whether a doc comment stands above a line, attributes between them aside.
    func isDocumented(_ index: Int) -> Bool {
        commentsAbove(index).contains { !lines[$0].comment.isEmpty }
    }
}
