// ConfigurationLoader.swift: from files to a configuration, or to all that is wrong with them.

/// What came of loading.
package struct Loaded: Sendable {
    /// Nil when there is any error.
    package let configuration: Configuration?
    /// Errors and warnings, in order of place.
    package let diagnostics: [Diagnostic]
}

/// Loads a configuration; keeps nothing.
package struct ConfigurationLoader: Sendable {
    /// Whether certificates, keys and lists must be there; the gate says yes.
    package var filesMustExist: Bool

    package init(filesMustExist: Bool = true) { self.filesMustExist = filesMustExist }

    /// Files of one folder.
    package static let filesMax = 256

    /// Loads a file, or all `*.yaml` of a folder but the policy tests (`*.test.yaml`).
    package func load(path: String) -> Loaded {
        let problems = Problems()
        var parts: [(file: String, bytes: [UInt8])] = []
        for file in configurationFiles(path, problems) {
            do {
                parts.append((file, try readFile(file, sizeMax: Screening.sizeMax)))
            } catch {
                problems.error(SourceLocation(startOf: file), error)
            }
        }
        return load(parts, origin: path, problems)
    }

    /// Loads one text without looking at any other file.
    package static func load(text: [UInt8], name: String = "herse.yaml") -> Loaded {
        ConfigurationLoader(filesMustExist: false)
            .load([(name, text)], origin: name, Problems())
    }

    private func load(
        _ parts: [(file: String, bytes: [UInt8])], origin: String, _ problems: Problems
    ) -> Loaded {
        var assembly = Assembly(problems: problems)
        for (file, bytes) in parts {
            guard let document = readDocument(bytes, file: file, problems: problems) else {
                continue
            }
            assembly.add(document)
        }
        // What is missing is only known once everything could be read.
        guard problems.errorCount == 0 || assembly.hasContent else {
            return Loaded(configuration: nil, diagnostics: problems.sorted)
        }
        let hasAllFiles = assembly.filesRead == parts.count
        let reading = Reading(
            problems: problems, filesMustExist: filesMustExist, hasAllFiles: hasAllFiles,
            expectsAll: hasAllFiles && problems.errorCount == 0,
            start: SourceLocation(startOf: parts.first?.file ?? origin))
        let configuration = reading.configuration(assembly, files: parts.map(\.file))
        let isValid = problems.errorCount == 0
        if isValid { warn(of: configuration, problems) }
        return Loaded(
            configuration: isValid ? configuration : nil, diagnostics: problems.sorted)
    }

    private func configurationFiles(_ path: String, _ problems: Problems) -> [String] {
        guard isFolder(path) else { return [path] }
        let folder = path.hasSuffix("/") ? path : path + "/"
        do throws(Complaint) {
            let names = try files(of: folder, suffix: ".yaml")
                .filter { !$0.hasSuffix(".test.yaml") }
            for name in try files(of: folder, suffix: ".yml") {
                problems.warning(
                    SourceLocation(startOf: folder + name), "not read",
                    hint: "only `*.yaml` is; rename it")
            }
            guard !names.isEmpty else { throw Complaint("no `*.yaml` file in this folder") }
            guard names.count <= Self.filesMax else {
                throw Complaint("\(names.count) files, at most \(Self.filesMax) are read")
            }
            return names.map { folder + $0 }
        } catch {
            problems.error(SourceLocation(startOf: path), error)
            return []
        }
    }
}

/// The files of a configuration put together: lists one after the other, limit sets side by side,
/// everything else at most once.
struct Assembly {
    static let requiredListKeys = ["listeners", "identity_servers", "routes"]
    static let listKeys = requiredListKeys + ["neutralization_lists", "extractors", "alerts"]
    static let singleKeys = [
        "state", "control", "workers", "drain", "contact", "authentication", "neutralized",
        "record", "administration", "signals",
    ]

    let problems: Problems
    private(set) var filesRead = 0
    private(set) var lists: [String: [Value]] = [:]
    private(set) var singles: [String: Entry] = [:]
    private(set) var limits: [Entry] = []
    /// Where each list was first begun.
    private(set) var places: [String: SourceLocation] = [:]

    init(problems: Problems) { self.problems = problems }

    var hasContent: Bool { filesRead > 0 }

    mutating func add(_ document: Value) {
        let keys = Self.listKeys + Self.singleKeys + ["limits"]
        guard
            let fields = Fields(document, of: "a configuration", keys: keys, problems: problems)
        else { return }
        filesRead += 1
        for key in Self.listKeys {
            lists[key, default: []] += fields.list(key, countMax: 4096)
            places[key] = places[key] ?? fields[key]?.place
        }
        for key in Self.singleKeys {
            guard let entry = fields[key] else { continue }
            if let first = singles[key] {
                problems.error(
                    entry.place, "`\(key)` stands in two files", hint: "first at \(first.place)")
            } else {
                singles[key] = entry
            }
        }
        if let entry = fields["limits"] { addLimits(entry) }
    }

    private mutating func addLimits(_ entry: Entry) {
        guard case .mapping(let sets) = entry.value.content else {
            problems.error(
                entry.value.place, "`limits` must be a mapping, not \(entry.value.kind)",
                hint: "write `NAME:` and its list of limits")
            return
        }
        for set in sets {
            if let first = limits.first(where: { $0.key == set.key }) {
                problems.error(
                    set.place, "duplicate limits \(quoted(set.key))",
                    hint: "first at \(first.place)")
            } else {
                limits.append(set)
            }
        }
    }
}
