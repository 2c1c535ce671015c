// RecordKeyFile.swift: the key by which the gate signs its record, made at the first start.

internal import CSystem
internal import Glibc
package import Transparency

/// Opens the gate's key in the file `path`, made if there is none; `origin` names the record.
///
/// Nil for `origin` gives the record a name made of the key itself.
package func recordSigner(
    file path: String, origin: String?
) throws(RecordError) -> NoteSigner {
    let found = try existingKey(path)
    let pem = if let found { found } else { try newKey(path) }
    guard let unnamed = NoteSigner(name: "herse", pem: pem) else {
        throw .damaged(path: path, what: "holds no Ed25519 key in PEM")
    }
    let name = origin ?? "herse." + shortName(unnamed.verifier.key)
    guard let signer = NoteSigner(name: name, pem: pem) else {
        throw .damaged(path: path, what: "cannot sign as `\(name)`")
    }
    return signer
}

/// What a record without an `origin` is called by: sixteen digits of its key's hash.
private func shortName(_ key: [UInt8]) -> String {
    let digits = String(TreeHash.leaf(key.span).beginning, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}

private func existingKey(_ path: String) throws(RecordError) -> [UInt8]? {
    // Safe because the path outlives the call.
    let descriptor = unsafe herse_open(path, O_RDONLY | O_NOFOLLOW, 0)
    guard descriptor >= 0 else {
        if errno == ENOENT { return nil }
        throw .cannotOpen(path: path, code: errno)
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 4096)
    // Safe because read writes at most the array.
    let count = unsafe read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw .cannotOpen(path: path, code: errno) }
    return Array(bytes[..<count])
}

private func newKey(_ path: String) throws(RecordError) -> [UInt8] {
    guard let pem = NoteSigner.newKey() else { throw .cannotSeal }
    let bytes = Array(pem.utf8)
    // Under another name first: half a key would stop every later start.
    let draft = path + ".new"
    // Safe because the names outlive the calls and write reads bytes.count bytes at most.
    let descriptor = unsafe herse_open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
    defer { close(descriptor) }
    guard unsafe write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0,
        unsafe rename(draft, path) == 0
    else { throw .cannotOpen(path: path, code: errno) }
    return bytes
}
