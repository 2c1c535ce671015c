// ListError.swift: what is wrong with a list file, line by line, in words for the operator.

/// Why a list was refused as a whole.
package struct ListError: Error, Equatable {
    /// The first bad lines, in the order of the file, at most `problemsMax`.
    package let problems: [ListProblem]
    /// How many lines are bad in all.
    package let total: Int

    package static let problemsMax = 100
}

/// One bad line.
package struct ListProblem: Error, Equatable {
    /// From 1; 0 when the file as a whole is meant.
    package let line: Int
    /// In bytes, from 1.
    package let column: Int
    package let fault: Fault

    /// What is wrong with the line.
    package enum Fault: Equatable, Sendable {
        case unknownKind(String)
        case missingSubject(kind: String)
        case subject(SubjectError)
        case unknownField(String)
        /// Probably the rest of an issuer's name.
        case unknownFieldAfterSerial(String)
        case repeatedField(ListField)
        case emptyField(ListField)
        case notATime(ListField)
        case fieldTooLong(ListField, length: Int)
        case fieldByte(ListField, UInt8)
        /// `until` is not later than `since`.
        case neverInForce
        case lineTooLong(length: Int)
        case bareCarriageReturn
        case zeroByte
        case tooManyForSubject
        /// `reinstate` without a time: nobody could deny them again.
        case reinstatedSinceWhen
        /// A hashed account in a list that tells no key.
        case hashedWithoutKey
        case tooManyMoments
        case tooManyLines
        case fileTooLarge(bytes: Int)
    }
}

/// What may follow a subject on its line.
package enum ListField: String, CaseIterable, Sendable {
    case since, until, reason, ticket
}

extension ListProblem.Fault {
    /// What is wrong, for a person.
    package var message: String {
        switch self {
        case .unknownKind(let kind): "unknown kind of subject `\(kind)`"
        case .missingSubject(let kind): "nothing after `\(kind)`"
        case .subject(let error): error.message
        case .unknownField(let word), .unknownFieldAfterSerial(let word): "unknown field `\(word)`"
        case .repeatedField(let field): "`\(field.rawValue)` is given twice"
        case .emptyField(let field): "`\(field.rawValue)` is empty"
        case .notATime(let field): "`\(field.rawValue)` is not a time"
        case .fieldTooLong(let field, let length):
            "`\(field.rawValue)` is \(length) bytes long, at most \(ListLimits.tokenMax) are allowed"
        case .fieldByte(let field, let byte): "\(named(byte)) is not allowed in `\(field.rawValue)`"
        case .neverInForce: "`until` is not later than `since`"
        case .lineTooLong(let length):
            "line is \(length) bytes long, at most \(ListLimits.lineMax) are allowed"
        case .bareCarriageReturn: "carriage return without a line feed"
        case .zeroByte: "zero byte"
        case .tooManyForSubject:
            "more than \(NeutralizedSet.sameSubjectMax) lines about one subject"
        case .reinstatedSinceWhen: "`reinstate` without `since`"
        case .hashedWithoutKey: "a hashed account in a list without a `hash-key`"
        case .tooManyMoments: "more than \(ListLimits.momentsMax) lines of `issued-before`"
        case .tooManyLines: "more than \(ListLimits.linesMax) lines"
        case .fileTooLarge(let bytes):
            "file is \(bytes) bytes long, at most \(ListLimits.bytesMax) are allowed"
        }
    }

    /// What to do about it.
    package var hint: String {
        switch self {
        case .unknownKind, .missingSubject:
            "a line begins with account ID, structure ID, certificate sha256:HEX, "
                + "serial HEX@ISSUER, session ID, token JTI, client ID, issued-before TIME or "
                + "network CIDR"
        case .subject(let error): error.hint
        case .unknownField, .repeatedField, .emptyField:
            "after the subject: since=TIME until=TIME reason=WORD ticket=WORD, each at most once"
        case .unknownFieldAfterSerial:
            "write blanks in the issuer's name as %20, as in serial 0a1b@AC%20IGC-SANTE%20FORT"
        case .notATime: "write UTC as in 2026-11-20T08:00:00Z"
        case .fieldTooLong, .fieldByte: "write one short word in ASCII, or a comment after ` #`"
        case .neverInForce: "swap the two times or correct one"
        case .lineTooLong: "one subject a line; put long remarks on comment lines of their own"
        case .bareCarriageReturn: "end lines with LF or CR LF"
        case .zeroByte: "save the file as UTF-8, not UTF-16"
        case .tooManyForSubject: "keep one line about it"
        case .reinstatedSinceWhen:
            "give the moment: whoever is denied later than that is denied again"
        case .hashedWithoutKey: "name the account itself, or the key in the list's header"
        case .tooManyMoments: "the latest alone says as much"
        case .tooManyLines, .fileTooLarge: "name networks or structures instead of single accounts"
        }
    }
}

extension ListProblem {
    /// `FILE:LINE:COLUMN: error: WHAT (hint)`, as `herse check` prints it.
    package func description(file: String) -> String {
        "\(file):\(line):\(column): error: \(fault.message) (\(fault.hint))"
    }
}
