// KeyFile.swift: an issuer's keys, read from a file of JSON Web Keys.

internal import CSystem
internal import Glibc
internal import Tokens

/// Why a file of keys was not taken.
struct KeyFileError: Error {
    let problem: String
    let hint: String?
}

/// Reads a set of public keys, RFC 7517 §5.
func readKeys(_ path: String) throws(KeyFileError) -> KeySet {
    guard let bytes = readWhole(path, bytesMax: KeySet.bytesMax) else {
        throw KeyFileError(problem: "`\(path)` cannot be read", hint: nil)
    }
    do throws(TokenRefusal) {
        return try KeySet(json: bytes.span)
    } catch {
        throw KeyFileError(
            problem: "`\(path)` has no key that can be used",
            hint: "a JSON Web Key Set: `{\"keys\": [...]}`, with public keys alone")
    }
}

/// A file's bytes, one more than `bytesMax` at most; nil when it cannot be read.
func readWhole(_ path: String, bytesMax: Int = 1 << 20) -> [UInt8]? {
    let descriptor = unsafe herse_open(path, O_RDONLY, 0)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= bytesMax {
        // Safe because read writes at most the array.
        let count = unsafe read(descriptor, &room, room.count)
        guard count >= 0 else { return nil }
        if count == 0 { break }
        bytes += room[..<count]
    }
    return bytes
}
