// DirectoryPerson.swift: what the professionals' directory says of one of them.

/// One professional of the directory.
package struct DirectoryPerson: Equatable, Sendable {
    /// The national identifier under which the person is counted and recorded: RPPS if any.
    package var id: String
    /// The other national identifiers of the same person.
    package var aliases: [String]
    /// Struct_IdNat of the structures the person works for.
    package var structures: [String]
    /// Codes of TRE_G15, such as `10`.
    package var professions: [String]
    /// Whether the directory says that the person has left.
    package var hasLeft: Bool

    package init(
        id: String, aliases: [String] = [], structures: [String] = [], professions: [String] = [],
        hasLeft: Bool = false
    ) {
        self.id = id
        self.aliases = aliases
        self.structures = structures
        self.professions = professions
        self.hasLeft = hasLeft
    }
}
