// RecordOptions.swift: which record is read, and with which keys.

import ArgumentParser
import Foundation
import RecordReading

/// Where the record is.
struct RecordOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Folder of a record, such as a copy; that of the configuration's state unless given.",
            valueName: "folder"),
        completion: .directory)
    var record: String?

    /// The folder that is read.
    var folder: String { record ?? stateFolder(of: configuration.path) + "/record" }

    /// Opens the record, and tells the gate whose it is; `what` says what it is read for, and
    /// `filters` what narrows that, such as `professional:899700218896`, with no patient but by
    /// keyed hash.
    func open(
        _ what: String, filters: [String] = [], on console: Console = .terminal
    ) throws(Failure) -> RecordReader {
        let reader = try openRecord(folder)
        try tellReading(
            of: folder, what, filters: filters, state: stateFolder(of: configuration.path),
            control: controlSocket(of: configuration.path), on: console)
        return reader
    }
}

/// Opens the record in `folder`.
func openRecord(_ folder: String) throws(Failure) -> RecordReader {
    try passing { () throws(RecordReadingError) in try RecordReader(folder: folder) }
}

/// Gives what `read` gives, and says for the operator why it could not.
func passing<Value>(
    _ read: () throws(RecordReadingError) -> Value
) throws(Failure) -> Value {
    do throws(RecordReadingError) {
        return try read()
    } catch {
        throw Failure(error.message, hint: error.hint)
    }
}
