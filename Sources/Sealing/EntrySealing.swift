// EntrySealing.swift: entries sealed and opened, each under a key of its own (RecordFormat.md).

internal import COpenSSL
internal import Synchronization

/// Seals the entries of one segment.
///
/// Safe because it owns its context and its packer alone, which are used under the lock only.
@safe package final class EntrySealer: @unchecked Sendable {
    private let context: OpaquePointer
    private let packer: EntryPacker
    private let room = Mutex(Room())
    private let key: SegmentKey

    /// What an entry is made in, kept for the next.
    private struct Room {
        var key = [UInt8](repeating: 0, count: 32)
        var sealed: [UInt8] = []
    }

    /// Nil when there is no memory.
    package init?(_ key: SegmentKey) {
        guard let packer = EntryPacker(), let context = unsafe herse_sealing_context(1) else {
            return nil
        }
        self.packer = packer
        unsafe self.context = context
        self.key = key
    }

    deinit { unsafe EVP_CIPHER_CTX_free(context) }

    /// Appends entry `number`, packed and sealed, in base64 without padding; false when the library
    /// refuses.
    ///
    /// INVARIANT: called once for a number; two texts under one key would betray both.
    package func append(
        _ entry: Span<UInt8>, number: UInt64, to out: inout [UInt8]
    ) -> Bool {
        unsafe entry.withUnsafeBufferPointer { entry in
            room.withLock { room in
                key.entryKey(number, into: &room.key)
                return unsafe packer.pack(entry) { text in
                    let count = text.count + 16
                    if room.sealed.count < count {
                        room.sealed = [UInt8](repeating: 0, count: 2 * count)
                    }
                    // Safe because the key has 32 bytes and there is room for 16 more than the
                    // text has.
                    let isSealed = unsafe herse_seal(
                        context, room.key, text.baseAddress, Int32(clamping: text.count),
                        &room.sealed)
                    guard isSealed == 1 else { return false }
                    appendBase64(room.sealed.span.extracting(0..<count), to: &out)
                    return true
                }
            }
        }
    }
}

/// Opens sealed entries.
///
/// Safe because it owns its context and its unpacker alone, which are used under the lock only.
@safe package final class EntryOpener: @unchecked Sendable {
    private let context: OpaquePointer
    private let unpacker: EntryUnpacker
    private let lock = Mutex(())

    /// Nil when there is no memory.
    package init?() {
        guard let unpacker = EntryUnpacker(), let context = unsafe herse_sealing_context(0) else {
            return nil
        }
        self.unpacker = unpacker
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
        return lock.withLock { _ in
            // Safe because the key has 32 bytes and out has 16 less than what is opened.
            let isOpened = unsafe herse_open_sealed(
                context, entryKey, bytes, Int32(clamping: bytes.count), &out)
            guard isOpened == 1 else { return nil }
            out.removeLast(out.count - (bytes.count - 16))
            return unpacker.entry(of: out)
        }
    }
}

/// Appends `bytes` in base64 without padding.
func appendBase64(_ bytes: Span<UInt8>, to out: inout [UInt8]) {
    let padding = (3 - bytes.count % 3) % 3
    let room = (bytes.count + 2) / 3 * 4 + 1
    out.append(addingCapacity: room) { text in
        // Safe because there is room for every group of three bytes, and a terminator.
        unsafe text.withUnsafeMutableBufferPointer { text, count in
            let made = unsafe bytes.withUnsafeBufferPointer {
                unsafe EVP_EncodeBlock(
                    text.baseAddress, $0.baseAddress, Int32(clamping: $0.count))
            }
            count = Int(made) - padding
        }
    }
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
