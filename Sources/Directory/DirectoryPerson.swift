// DirectoryPerson.swift: what the professionals' directory says of one of them.

/// One professional of the directory.
package struct DirectoryPerson: Equatable, Sendable {
    /// The national identifier under which the person is counted and recorded: RPPS if any.
    package var id: String
    /// The other national identifiers of the same person.
    package var aliases: [String]
    /// Struct_IdNat of the structures the person works for.
    package var structures: [String]
    /// Codes of TRE_G15, such as `10`; of whoever is in training, such as `10/E`.
    package var professions: [String]
    /// Whether a newer edition of an extract no longer has the person.
    package var hasLeft: Bool
    /// Whether an extract has the person; false for one that only a correspondence file names.
    package var isListed: Bool

    package init(
        id: String, aliases: [String] = [], structures: [String] = [], professions: [String] = [],
        hasLeft: Bool = false, isListed: Bool = true
    ) {
        self.id = id
        self.aliases = aliases
        self.structures = structures
        self.professions = professions
        self.hasLeft = hasLeft
        self.isListed = isListed
    }
}

/// What the directory has to say of an identifier.
package enum DirectoryStanding: Equatable, Sendable {
    /// No extract was read, so nobody can be unknown.
    case unchecked
    case known
    case unknown
    /// In an older edition of an extract, and no longer in the newest.
    case left
}
