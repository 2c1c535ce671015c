// ProfessionalNames.swift: professionals as an operator names them, and as the record knows them.

import Directory
import Identity
import Policy

/// The identifiers under which the record may have professionals that an operator names.
///
/// The gate records a person under one number, the one its directory counts them under; before there
/// was a directory, or before it knew better, under whichever was shown.
struct ProfessionalNames {
    /// Whatever is looked for, each once; those that were named come first.
    let all: [String]
    /// What is said of it; nil when nobody was named.
    let note: String?

    /// Reads the directory of this configuration, if it has one, which takes some seconds for that
    /// of a whole country.
    init(_ named: [String], configuration path: String) {
        guard !named.isEmpty else {
            self.init(all: [], note: nil)
            return
        }
        let spelled = named.flatMap(Self.spellings)
        let loaded = ConfigurationLoader(filesMustExist: false).load(path: path)
        guard let rule = loaded.configuration?.authentication.directory else {
            let all = Self.distinct(spelled)
            self.init(
                all: all,
                note: Self.words(all) + " (no directory is configured that knows other numbers)")
            return
        }
        guard let directory = loadDirectory(rule.files.map(\.path)).directory else {
            let all = Self.distinct(spelled)
            self.init(
                all: all,
                note: Self.words(all)
                    + " alone: the directory, which knows other numbers, cannot be read (`herse "
                    + "check` says why)")
            return
        }
        self.init(spelled) { directory.person($0) }
    }

    init(_ spelled: [String], person: (String) -> DirectoryPerson?) {
        let others = spelled.compactMap(person).flatMap { [$0.id] + $0.aliases }
        let all = Self.distinct(spelled + others)
        let named = Self.distinct(spelled)
        let more = all.dropFirst(named.count).joined(separator: ", ")
        self.init(
            all: all,
            note: Self.words(named)
                + (more.isEmpty
                    ? "" : ", and for \(more): other numbers of the same person in the directory"))
    }

    private init(all: [String], note: String?) {
        self.all = all
        self.note = note
    }

    /// What somebody may mean who writes this: `ID` or `account:ID`, the number of an RPPS (11
    /// digits) or of an ADELI (9 characters) without the digit that says which it is, or the name
    /// of a local account.
    static func spellings(_ text: String) -> [String] {
        let text = text.hasPrefix("account:") ? String(text.dropFirst("account:".count)) : text
        if let id = try? ProfessionalID(text) { return [id.description] }
        let isNumber = text.utf8.first.map { (0x30...0x39).contains($0) } ?? false
        // As it was written as well: no guess hides what it was a guess at.
        guard isNumber else { return [text] }
        let prefix = text.utf8.count == 11 ? "8" : text.utf8.count == 9 ? "0" : nil
        let whole = prefix.flatMap { try? ProfessionalID($0 + text) }
        return (whole.map { [$0.description] } ?? []) + [text.uppercased()]
    }

    private static func distinct(_ names: [String]) -> [String] {
        var seen: Set<String> = []
        return names.filter { seen.insert($0).inserted }
    }

    private static func words(_ names: [String]) -> String {
        "looked for " + names.map(printable).joined(separator: ", ")
    }

    /// The same among what narrowed a reading, for the record.
    var filters: [String] { all.map { "professional:" + $0 } }
}
