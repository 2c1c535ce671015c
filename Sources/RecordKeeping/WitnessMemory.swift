// WitnessMemory.swift: what each witness has seen of the record, kept over restarts.
//
// Two files a witness, each replaced whole: STATE/witnesses/NAME.json, and NAME.checkpoint, the
// newest one it signed, which proves later, with the witness's key alone, what the record was.

internal import CSystem
internal import Foundation
internal import Glibc
internal import Outbound
internal import Record
package import Transparency

/// What a witness has seen last.
package struct WitnessMemory: Codable, Equatable, Sendable {
    /// The record's name, and the way to the witness: for another it counts no more.
    package var origin: String
    package var target: String
    /// The newest checkpoint it took, with its signature if it gives one; empty for none.
    package var note = ""
    /// When, in seconds since 1970.
    package var at: UInt64 = 0
    /// Why it says that the record was changed; nothing is shown to it any more.
    package var contradiction: String?

    package init(origin: String, target: String) {
        self.origin = origin
        self.target = target
    }

    /// Reads the file of a memory; nil when it is none.
    package init?(json: [UInt8]) {
        guard let read = try? JSONDecoder().decode(WitnessMemory.self, from: Data(json)) else {
            return nil
        }
        self = read
    }

    /// The file of a memory; nil when it cannot be spelled.
    package var json: [UInt8]? {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        return (try? encoder.encode(self)).map { Array($0) + [0x0A] }
    }

    /// The checkpoint of its note; nil for none.
    package var checkpoint: Checkpoint? { SignedNote(note).flatMap { Checkpoint($0.text) } }
    /// Entries it has seen.
    package var size: UInt64 { checkpoint?.size ?? 0 }
}

/// Where memories are kept.
package struct WitnessFolder: Sendable {
    private let path: String

    /// Bytes of one file.
    private static let fileMax = 64 * 1024

    /// `state` is the folder of the gate's state.
    package init(state: String) { path = state + "/witnesses" }

    /// What is known of `name`; nil when nothing is, or it cannot be read.
    package func memory(of name: String) -> WitnessMemory? {
        guard let bytes = smallFile("\(path)/\(name).json", bytesMax: Self.fileMax) else {
            return nil
        }
        return WitnessMemory(json: bytes)
    }

    /// Keeps it, and returns once it is on disk; what went wrong in words, or nil.
    package func keep(_ memory: WitnessMemory, of name: String) -> String? {
        guard let json = memory.json else { return "\(name): cannot be written" }
        // Safe because the name outlives the call.
        guard unsafe mkdir(path, 0o700) == 0 || errno == EEXIST else {
            return "\(path): cannot be made: \(systemText(errno))"
        }
        if let problem = replaceFile("\(path)/\(name).json", in: path, json) {
            return problem
        }
        if memory.note.isEmpty { return nil }
        return replaceFile("\(path)/\(name).checkpoint", in: path, Array(memory.note.utf8))
    }
}

/// Puts `bytes` in place of a file, whole or not at all, and returns once that is on disk; what
/// went wrong in words, or nil.
func replaceFile(_ path: String, in folder: String, _ bytes: [UInt8]) -> String? {
    let fresh = path + ".new"
    // Safe because every name outlives the call that takes it, here and below.
    unsafe unlink(fresh)
    let file = unsafe herse_open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    guard file >= 0 else { return "\(path): cannot be written: \(systemText(errno))" }
    var code: Int32 = 0
    if !writeAll(file, bytes) || fsync(file) != 0 { code = errno }
    close(file)
    if code == 0, unsafe rename(fresh, path) != 0 { code = errno }
    if code == 0, !syncFolder(folder) { code = errno }
    guard code != 0 else { return nil }
    unsafe unlink(fresh)
    return "\(path): cannot be written: \(systemText(code))"
}

/// Makes the names in a folder durable.
func syncFolder(_ path: String) -> Bool {
    // Safe because the path outlives the call.
    let folder = unsafe herse_open(path, O_RDONLY | O_DIRECTORY, 0)
    guard folder >= 0 else { return false }
    defer { close(folder) }
    return fsync(folder) == 0
}

func systemText(_ code: Int32) -> String {
    // Safe because strerror's text is copied at once.
    unsafe String(cString: strerror(code)).lowercased()
}
