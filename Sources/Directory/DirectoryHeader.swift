// DirectoryHeader.swift: what the columns of a file mean, by their names in any order.
//
// The columns of the directory's extracts change with its editions, and so does the spelling of
// their names: only letters and digits count, without case and accents.

/// What a file is, and where its columns stand.
struct DirectoryHeader: Sendable {
    enum Column: Int, CaseIterable, Sendable {
        /// The key. The type and the number beside it are not put together: they may disagree.
        case national
        case profession
        case category
        /// Struct_IdNat of the structure, under the name "ancien identifiant".
        case structure
        case siret
        case finess
        case legalFiness
        case adeli
        case rpps

        fileprivate var name: String {
            switch self {
            case .national: "identificationnationalepp"
            case .profession: "codeprofession"
            case .category: "codecategorieprofessionnelle"
            case .structure: "ancienidentifiantdelastructure"
            case .siret: "numerosiretsite"
            case .finess: "numerofinesssite"
            case .legalFiness: "numerofinessetablissementjuridique"
            case .adeli: "nadeli"
            case .rpps: "nrpps"
            }
        }
    }

    let separator: UInt8
    /// A correspondence file, rather than an extract.
    let isCorrespondence: Bool
    /// Columns of a line, a last one without name left out.
    let count: Int
    /// Of each column, what it is.
    let columns: [Column?]

    /// Columns that are looked at; an extract has 50 to 60.
    static let columnsMax = 256

    /// Nil when the line names neither the one kind's columns nor the other's.
    init?(_ line: Span<UInt8>) {
        let text = Self.text(line)
        let separator: Character = text.contains("|") ? "|" : ";"
        var names = text.split(separator: separator, omittingEmptySubsequences: false)
            .map { Self.folded($0) }
        if names.count > 1, names.last == "" { names.removeLast() }
        guard names.count <= Self.columnsMax else { return nil }
        let isExtract = names.contains(Column.national.name)
        isCorrespondence =
            !isExtract && names.contains(Column.adeli.name) && names.contains(Column.rpps.name)
        guard isExtract || isCorrespondence else { return nil }
        self.separator = separator.asciiValue ?? 0
        count = names.count
        var seen: Set<Column> = []
        columns = names.map { name in
            // Of two columns with one name, the first counts.
            guard let column = Column.allCases.first(where: { $0.name == name }),
                seen.insert(column).inserted
            else { return nil }
            return column
        }
    }

    /// The line as text, in whichever of the two encodings it is.
    private static func text(_ line: Span<UInt8>) -> String {
        let bytes = (0..<line.count).map { line[$0] }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        var text = ""
        for byte in bytes { text.unicodeScalars.append(Unicode.Scalar(byte)) }
        return text
    }

    private static func folded(_ name: Substring) -> String {
        var folded = ""
        for scalar in name.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9": folded.unicodeScalars.append(scalar)
            case "é", "è", "ê", "ë": folded += "e"
            case "à", "â": folded += "a"
            case "î", "ï": folded += "i"
            case "ô": folded += "o"
            case "ù", "û": folded += "u"
            case "ç": folded += "c"
            default: break
            }
        }
        return folded
    }
}
