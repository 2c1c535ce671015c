// RecordOptions.swift: which record is read, and with which keys.

import ArgumentParser
import Foundation
import RecordReading
import Sealing

/// Where the record is, and what opens it.
struct RecordOptions: ParsableArguments {
    @OptionGroup var configuration: ConfigurationOption

    @Option(
        help: ArgumentHelp(
            "Folder of a record, such as a copy; that of the configuration's state unless given.",
            valueName: "folder"),
        completion: .directory)
    var record: String?

    @Option(
        help: ArgumentHelp(
            "Private key of an auditor, in PEM, for a sealed record; may be given several times. "
                + "HERSE_AUDITOR_KEY names a file as well.",
            valueName: "file"),
        completion: .file())
    var auditorKey: [String] = []

    func validate() throws {
        // The record would be looked for beside a file that is not there.
        let path = configuration.path
        guard record == nil, path != ConfigurationOption.standard,
            !FileManager.default.fileExists(atPath: path)
        else { return }
        throw ValidationError("-c: `\(printable(path))`: there is no such file or folder")
    }

    /// The folder that is read.
    var folder: String { record ?? stateFolder(of: configuration.path) + "/record" }

    /// Opens the record, and tells the gate whose it is; `what` says what it is read for, and
    /// `filters` what narrows that, such as `professional:899700218896`, with no patient but by
    /// keyed hash.
    ///
    /// `keys` are those of `auditorKeys`, where they are known already: some ask for a passphrase.
    /// Nobody is told of what fails at once: where `since`, in milliseconds since 1970, is given,
    /// all from then on has to be open.
    func open(
        _ what: String, filters: [String] = [], keys: [AuditorKey]? = nil,
        since: UInt64? = nil, on console: Console = .terminal
    ) throws(Failure) -> RecordReader {
        let keys = if let keys { keys } else { try auditorKeys() }
        if let since { try mustOpen(keys, since: since) }
        let reader = try openRecord(folder, keys)
        try tellReading(
            of: folder, what, filters: filters, state: stateFolder(of: configuration.path),
            control: controlSocket(of: configuration.path), on: console)
        return reader
    }

    /// Throws unless these keys open all from `since` on; tells nobody.
    func mustOpen(_ keys: [AuditorKey], since: UInt64) throws(Failure) {
        let reader = try openRecord(folder, keys)
        try passing { () throws(RecordReadingError) in try reader.mustBeOpen(since: since) }
    }

    /// Opens the record for what needs none of its entries in clear.
    func openSealed() throws(Failure) -> RecordReader { try openRecord(folder) }

    /// The keys that were given.
    func auditorKeys() throws(Failure) -> [AuditorKey] {
        var files = auditorKey
        if let file = ProcessInfo.processInfo.environment["HERSE_AUDITOR_KEY"], !file.isEmpty {
            files.append(file)
        }
        var keys: [AuditorKey] = []
        for file in files {
            let bytes = try keyFile(file)
            do throws(AuditorKeyError) {
                keys.append(try AuditorKey(pem: bytes))
            } catch {
                throw Failure("\(file): \(error.message)", hint: error.hint)
            }
        }
        return keys
    }
}

/// The bytes of a file with a key, at most 16 KiB.
func keyFile(_ path: String) throws(Failure) -> [UInt8] {
    guard let file = FileHandle(forReadingAtPath: path),
        // Nil is the end of an empty file.
        let data = try? file.read(upToCount: 16 * 1024) ?? Data()
    else { throw Failure("\(path): cannot be read", hint: "is it there, and yours to read?") }
    try? file.close()
    return Array(data)
}

/// Opens the record in `folder`.
func openRecord(_ folder: String, _ auditorKeys: [AuditorKey] = []) throws(Failure) -> RecordReader
{
    try passing { () throws(RecordReadingError) in
        try RecordReader(folder: folder, auditorKeys: auditorKeys)
    }
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
