// PEMBytes.swift: what OpenSSL writes as text, as bytes of ours.

import COpenSSL

/// The bytes that `write` puts into a memory BIO.
func pemBytes(
    _ step: String, _ write: (OpaquePointer) -> Int32
) throws(PKIError) -> [UInt8] {
    let bio = try unsafe made(BIO_new(BIO_s_mem()), step)
    // Safe because the BIO lives until here, and nothing keeps it.
    defer { unsafe BIO_free(bio) }
    try unsafe expect(write(bio), step)
    let pending = unsafe BIO_ctrl_pending(bio)
    var bytes = [UInt8](repeating: 0, count: pending)
    // Safe because the length handed over is the array's own.
    let read = unsafe BIO_read(bio, &bytes, Int32(clamping: bytes.count))
    guard Int(read) == bytes.count else { throw .last(step) }
    return bytes
}
