// Files.swift: private folders and files, made whole or not at all.

import Glibc

/// Makes `path` a folder only its owner can enter; one that exists must be empty.
func makePrivateFolder(_ path: String) throws(PKIError) {
    if unsafe mkdir(path, 0o700) == 0 { return }
    let code = errno
    guard code == EEXIST else { throw .cannotMakeFolder(path, code: code) }
    // Safe because the stream and its entries are used only until it is closed below.
    guard let stream = unsafe opendir(path) else { throw .cannotMakeFolder(path, code: errno) }
    defer { unsafe closedir(stream) }
    var entries = 0
    while unsafe readdir(stream) != nil { entries += 1 }
    guard entries <= 2 else { throw .folderNotEmpty(path) }
    guard unsafe chmod(path, 0o700) == 0 else { throw .cannotMakeFolder(path, code: errno) }
}

/// Writes `bytes` as `path`, replacing it at once; a reader sees the old or the new, never half.
func writeFile(_ bytes: [UInt8], to path: String, mode: mode_t) throws(PKIError) {
    let draft = path + ".new"
    unsafe unlink(draft)
    let file = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode)
    guard file >= 0 else { throw .cannotWrite(path, code: errno) }
    var written = 0
    var code: Int32 = 0
    while written < bytes.count, code == 0 {
        // Safe because the count never exceeds what is left of the array.
        let count = unsafe bytes.withUnsafeBytes { all in
            unsafe write(file, all.baseAddress?.advanced(by: written), all.count - written)
        }
        if count > 0 {
            written += count
        } else if count == 0 {
            code = EIO
        } else if errno != EINTR {
            code = errno
        }
    }
    if code == 0, fsync(file) != 0 { code = errno }
    if close(file) != 0, code == 0 { code = errno }
    if code == 0, unsafe rename(draft, path) != 0 { code = errno }
    guard code == 0 else {
        unsafe unlink(draft)
        throw .cannotWrite(path, code: code)
    }
}
