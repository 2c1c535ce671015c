// Document.swift: a YAML file as values that know their place.
//
// The one file that knows the YAML library. What YAML offers beyond scalars, lists and mappings
// (anchors, aliases, tags, several documents, keys that are no text) is refused: a reader of a
// configuration sees what is in force, and one value is written one way.

import Yams

/// A value of a configuration file.
struct Value: Sendable {
    let place: SourceLocation
    let content: Content

    enum Content: Sendable {
        /// Text as it was written; `isQuoted` when in quotes or a block.
        case scalar(String, isQuoted: Bool)
        case list([Value])
        case mapping([Entry])
        /// Nothing, `~` or `null`.
        case nothing
    }

    /// What it is, for a person.
    var kind: String {
        switch content {
        case .scalar: "text"
        case .list: "a list"
        case .mapping: "a mapping"
        case .nothing: "nothing"
        }
    }
}

/// One `key: value` of a mapping.
struct Entry: Sendable {
    let key: String
    let place: SourceLocation
    let value: Value
}

/// Reads one file's text; nil when it holds an error, which `problems` then knows.
func readDocument(_ bytes: [UInt8], file: String, problems: Problems) -> Value? {
    guard let text = screen(bytes, file: file, problems: problems) else { return nil }
    let errorsBefore = problems.errorCount
    do {
        // Nodes refer to their anchors weakly: the parser must live until they are converted, or
        // an anchor would go unseen.
        let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
        guard let root = try parser.singleRoot() else {
            problems.error(SourceLocation(startOf: file), "the file is empty")
            return nil
        }
        let value = withExtendedLifetime(parser) {
            Conversion(file: file, problems: problems).value(of: root, depth: 0)
        }
        return problems.errorCount == errorsBefore ? value : nil
    } catch let error as YamlError {
        report(error, text: text, file: file, problems: problems)
    } catch {
        problems.error(SourceLocation(startOf: file), "not readable as YAML")
    }
    return nil
}

private struct Conversion {
    /// Levels a configuration may be nested; it needs six.
    static let depthMax = 16

    let file: String
    let problems: Problems

    func value(of node: Node, depth: Int) -> Value {
        let place = place(of: node.mark)
        let nothing = Value(place: place, content: .nothing)
        guard depth < Self.depthMax else {
            problems.error(place, "nested deeper than \(Self.depthMax) levels")
            return nothing
        }
        guard node.anchor == nil else {
            problems.error(place, Screening.aliasRefused)
            return nothing
        }
        switch node {
        case .scalar(let scalar):
            return Value(place: place, content: content(of: scalar, at: place))
        case .sequence(let sequence):
            refuseTag(sequence.tag, at: place)
            return Value(
                place: place, content: .list(sequence.map { value(of: $0, depth: depth + 1) }))
        case .mapping(let mapping):
            refuseTag(mapping.tag, at: place)
            let entries = mapping.compactMap { entry(key: $0.key, node: $0.value, depth: depth) }
            return Value(place: place, content: .mapping(entries))
        case .alias:
            problems.error(place, Screening.aliasRefused)
            return nothing
        }
    }

    private func entry(key: Node, node: Node, depth: Int) -> Entry? {
        guard case .scalar(let scalar) = key, scalar.anchor == nil else {
            problems.error(place(of: key.mark), "a key must be a word")
            return nil
        }
        let place = place(of: key.mark)
        return Entry(key: scalar.string, place: place, value: value(of: node, depth: depth + 1))
    }

    private func content(of scalar: Node.Scalar, at place: SourceLocation) -> Value.Content {
        let isQuoted = scalar.style != .plain
        if !isQuoted || scalar.tag.description != Tag.Name.str.rawValue {
            refuseTag(scalar.tag, at: place)
        }
        if !isQuoted, ["", "~", "null", "Null", "NULL"].contains(scalar.string) { return .nothing }
        return .scalar(scalar.string, isQuoted: isQuoted)
    }

    private func refuseTag(_ tag: Tag, at place: SourceLocation) {
        guard !tag.description.isEmpty else { return }
        problems.error(place, "YAML tags are not accepted", hint: "remove the word after `!`")
    }

    private func place(of mark: Mark?) -> SourceLocation {
        SourceLocation(file: file, line: mark?.line ?? 1, column: mark?.column ?? 1)
    }
}

private func report(_ error: YamlError, text: String, file: String, problems: Problems) {
    func place(_ mark: Mark) -> SourceLocation {
        SourceLocation(file: file, line: mark.line, column: mark.column)
    }
    switch error {
    case .scanner(let context, let problem, let mark, _),
        .parser(let context, let problem, let mark, _):
        guard !problem.hasPrefix("Maximum nesting") else {
            problems.error(place(mark), "nested deeper than \(Conversion.depthMax) levels")
            return
        }
        problems.error(
            place(mark), "not readable as YAML: \(problem)",
            hint: context.map { "\($0.text), which began on line \($0.mark.line)" })
    case .composer(_, let problem, let mark, _):
        problems.error(place(mark), "not readable as YAML: \(problem)")
    case .duplicatedKeysInMapping(let keys, let context):
        reportDuplicate(keys.first ?? "", first: context.mark, text, file, problems)
    case .reader(let problem, _, _, _):
        problems.error(SourceLocation(startOf: file), "not readable as YAML: \(problem)")
    case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
        problems.error(SourceLocation(startOf: file), "not readable as YAML")
    }
}

/// The library tells where a key stands first; an operator looks for the second.
private func reportDuplicate(
    _ key: String, first: Mark, _ text: String, _ file: String, _ problems: Problems
) {
    let second = placeOfRepetition(of: key, after: first, in: text)
    let message = "duplicate key \(quoted(key))"
    guard let second else {
        problems.error(
            SourceLocation(file: file, line: first.line, column: first.column), message,
            hint: "it stands more than once in this mapping")
        return
    }
    problems.error(
        SourceLocation(file: file, line: second.line, column: second.column), message,
        hint: "first on line \(first.line)")
}

/// Where `key` comes again: at the same column of a later line, or later on its own line.
private func placeOfRepetition(
    of key: String, after first: Mark, in text: String
) -> (line: Int, column: Int)? {
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    guard first.line >= 1, first.line <= lines.count, first.column >= 1 else { return nil }
    let spellings = [key, "\"\(key)\"", "'\(key)'"]
    let ownLine = Array(lines[first.line - 1].unicodeScalars)
    for column in ownLine.indices.dropFirst(first.column)
    where [" ", ",", "{"].contains(ownLine[column - 1])
        && spellings.contains(where: { startsKey(ownLine[column...], $0) })
    {
        return (first.line, column + 1)
    }
    for index in first.line..<lines.count {
        let line = Array(lines[index].unicodeScalars)
        guard line.count >= first.column else { continue }
        if line[..<(first.column - 1)].allSatisfy({ $0 == " " }),
            spellings.contains(where: { startsKey(line[(first.column - 1)...], $0) })
        {
            return (index + 1, first.column)
        }
    }
    return nil
}

private func startsKey(_ text: ArraySlice<Unicode.Scalar>, _ key: String) -> Bool {
    let key = Array(key.unicodeScalars)
    guard !key.isEmpty, text.starts(with: key) else { return false }
    return text.dropFirst(key.count).first { $0 != " " } == ":"
}
