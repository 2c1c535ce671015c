// EntrySealing.swift: entries sealed and opened, each under a key of its own (RecordFormat.md).

internal import COpenSSL
internal import Synchronization

/// Seals the entries of one segment.
///
/// Safe because it owns its context alone, which is used under the lock only.
@safe package final class EntrySealer: @unchecked Sendable {
    private let context: OpaquePointer
    private let lock = Mutex(())
    private let key: SegmentKey

    /// Nil when there is no memory.
    package init?(_ key: SegmentKey) {
        guard let context = unsafe herse_sealing_context(1) else { return nil }
        unsafe self.context = context
        self.key = key
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// Appends entry `number`, sealed, in base64 without padding; false when the library refuses.
    ///
    /// INVARIANT: called once for a number; two texts under one key would betray both.
    package func append(
        _ entry: Span<UInt8>, number: UInt64, to out: inout [UInt8]
    ) -> Bool {
        let entryKey = key.entryKey(number)
        var sealed = [UInt8](repeating: 0, count: entry.count + 16)
        // Safe because the key has 32 bytes and sealed 16 more than the entry.
        let isSealed = unsafe entry.withUnsafeBufferPointer { entry in
            lock.withLock { _ in
                unsafe herse_seal(
                    context, entryKey, entry.baseAddress, Int32(clamping: entry.count), &sealed)
                    == 1
            }
        }
        guard isSealed else { return false }
        appendBase64(sealed, to: &out)
        return true
    }
}

/// Opens sealed entries.
///
/// Safe because it owns its context alone, which is used under the lock only.
@safe package final class EntryOpener: @unchecked Sendable {
    private let context: OpaquePointer
    private let lock = Mutex(())

    /// Nil when there is no memory.
    package init?() {
        guard let context = unsafe herse_sealing_context(0) else { return nil }
        unsafe self.context = context
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// The entry in `sealed` (base64 without padding); nil when `entryKey` did not seal it.
    package func open(_ sealed: Span<UInt8>, entryKey: [UInt8]) -> [UInt8]? {
        guard entryKey.count == 32, let bytes = bytesOfBase64(sealed), bytes.count >= 16 else {
            return nil
        }
        // Room for a byte at least, so that there is an address.
        var out = [UInt8](repeating: 0, count: max(1, bytes.count - 16))
        // Safe because the key has 32 bytes and out has 16 less than what is opened.
        let isOpened = lock.withLock { _ in
            unsafe herse_open_sealed(
                context, entryKey, bytes, Int32(clamping: bytes.count), &out) == 1
        }
        guard isOpened else { return nil }
        out.removeLast(out.count - (bytes.count - 16))
        return out
    }
}

/// Appends `bytes` in base64 without padding.
func appendBase64(_ bytes: [UInt8], to out: inout [UInt8]) {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    // Safe because text has room for every group of three bytes, and a terminator.
    let count = unsafe EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
    let padding = (3 - bytes.count % 3) % 3
    out.append(contentsOf: text[..<(Int(count) - padding)])
}

/// The bytes of base64 without padding; nil when it is none.
func bytesOfBase64(_ text: Span<UInt8>) -> [UInt8]? {
    let padding = (4 - text.count % 4) % 4
    guard padding < 3 else { return nil }
    var padded: [UInt8] = []
    padded.reserveCapacity(text.count + padding)
    // Safe because the span's bytes are only read, within this call.
    unsafe text.withUnsafeBufferPointer { unsafe padded.append(contentsOf: $0) }
    // OpenSSL would pass over blanks at the ends.
    guard let first = padded.first, let last = padded.last, first > 0x20, last > 0x20 else {
        return padded.isEmpty ? [] : nil
    }
    padded.append(contentsOf: repeatElement(0x3D, count: padding))
    var bytes = [UInt8](repeating: 0, count: padded.count / 4 * 3)
    // Safe because three bytes come of every four characters.
    let count = unsafe EVP_DecodeBlock(&bytes, padded, Int32(clamping: padded.count))
    guard count == bytes.count else { return nil }
    bytes.removeLast(padding)
    return bytes
}
