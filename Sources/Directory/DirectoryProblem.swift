// DirectoryProblem.swift: what is wrong with a file of the directory, and on which line.

/// One problem of one file; holds nothing of what stands there.
package struct DirectoryProblem: Equatable, Sendable {
    package let file: String
    /// From 1; 0 when it is about the whole file.
    package let line: Int
    package let fault: DirectoryFault
}

/// What is wrong; the fatal ones leave the directory that is in force.
package enum DirectoryFault: Error, Equatable, Sendable {
    /// With the error number.
    case unreadable(Int32)
    case empty
    /// The first line has neither the columns of an extract nor of a correspondence file.
    case unknownFormat
    case lineTooLong
    case columns(found: Int, of: Int)
    case notAProfessional
    case notACorrespondence
    /// An ADELI number that an earlier line gave to another RPPS number.
    case otherCorrespondence
    /// The last line breaks off.
    case cutShort
    /// Not half as many lines as the edition before.
    case shrunk(lines: Int, before: Int)
    case tooMany
    case tooLarge

    /// Whether the file cannot be believed as a whole, rather than a line of it.
    package var isFatal: Bool {
        switch self {
        case .unreadable, .empty, .unknownFormat, .cutShort, .shrunk, .tooMany, .tooLarge: true
        case .lineTooLong, .columns, .notAProfessional, .notACorrespondence,
            .otherCorrespondence:
            false
        }
    }

    /// What is wrong, for a person.
    package var message: String {
        switch self {
        case .unreadable(let number): "cannot be read (error \(number))"
        case .empty: "the file is empty"
        case .unknownFormat: "neither an extract of the directory nor a correspondence file"
        case .lineTooLong: "longer than \(DirectoryReader.lineMax) bytes"
        case .columns(let found, let wanted): "\(found) columns, the first line has \(wanted)"
        case .notAProfessional: "no national identifier where one is expected"
        case .notACorrespondence: "not an ADELI number and an RPPS number"
        case .otherCorrespondence: "this ADELI number belongs to another RPPS number already"
        case .cutShort: "the last line breaks off"
        case .shrunk(let lines, let before):
            "\(lines) lines, where the edition before has \(before)"
        case .tooMany: "more than \(DirectoryBuilder.peopleMax) people"
        case .tooLarge: "more than \(DirectoryReader.fileMax >> 30) GiB"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .unreadable: "the file and its folder must be readable by the gate"
        case .empty, .cutShort, .shrunk: "fetch it again; the directory in force stays"
        case .unknownFormat:
            "the first line must name `Identification nationale PP`, or `N° ADELI` and `N° RPPS`"
        case .lineTooLong, .columns, .notAProfessional, .notACorrespondence:
            "the line is passed over"
        case .otherCorrespondence: "the first one holds"
        case .tooMany, .tooLarge: "give the extracts of one country"
        }
    }
}
