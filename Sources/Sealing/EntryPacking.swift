// EntryPacking.swift: entries made shorter before they are sealed, and whole again after
// (RecordFormat.md).
//
// Most of an entry is words that all entries have. Packed it takes a third, and everything after,
// sealing, writing, hashing and each later reading, has a third of it to go through.

internal import CSystem
internal import CZlib

/// What a packed text begins with; an entry itself begins with a brace.
private let packedMark: UInt8 = 1
private let brace: UInt8 = 0x7B

/// Bytes of an entry that is packed, at most, and so of what is unpacked.
///
/// A longer one is sealed as it is: all others would wait for it, one to three milliseconds.
package let packedEntryMax = 128 << 10

/// What an entry has that names patients whom its asker was not shown, and which is never packed.
///
/// The asker's own words (`request_in`, `forwarded`, `break_glass`) are in the entry as well. Packed
/// with them, what he guesses right would make it shorter: whoever asks and sees the lengths of
/// lines would learn whom he was refused (CRIME).
private let withheld: StaticString = "\"withheld\":["

/// Packs entries.
///
/// Safe because it owns its stream alone; one thread at a time uses it.
@safe final class EntryPacker {
    // At one place for good: zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>
    private var room: [UInt8] = []

    /// As fast as 1 on entries, and 4 % shorter; 6 takes a third longer for 5 % more.
    private static let level: Int32 = 3
    /// 4 KiB, which hold the words and most entries; hash tables of 16 KiB, cleared for each.
    private static let windowBits: Int32 = 12
    private static let memoryLevel: Int32 = 6

    /// Nil when there is no memory.
    init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        // Safe because the stream is this one's, until it is freed.
        guard
            unsafe herse_deflate_begin(
                stream, Self.level, -Self.windowBits, Self.memoryLevel) == Z_OK
        else {
            unsafe stream.deallocate()
            return nil
        }
        unsafe self.stream = stream
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Gives `use` what `entry` is packed to, or `entry` itself where that is no longer, or where
    /// it must not be packed.
    func pack<Result>(
        _ entry: UnsafeBufferPointer<UInt8>, _ use: (UnsafeBufferPointer<UInt8>) -> Result
    ) -> Result {
        guard unsafe !names(entry, withheld), let count = unsafe fill(entry) else {
            return unsafe use(entry)
        }
        // Safe because the bytes are only lent, and as many of them as were made.
        return unsafe room.withUnsafeBufferPointer { unsafe use(.init(rebasing: $0[..<count])) }
    }

    private func names(_ entry: UnsafeBufferPointer<UInt8>, _ field: StaticString) -> Bool {
        guard let start = entry.baseAddress else { return false }
        // Safe because both have the counts given, and are only read.
        return unsafe herse_holds(
            start, entry.count, field.utf8Start, field.utf8CodeUnitCount) == 1
    }

    /// Packs the entry into `room`, and tells how many bytes it takes; nil when it gets no shorter.
    private func fill(_ entry: UnsafeBufferPointer<UInt8>) -> Int? {
        let count = entry.count
        guard count > 2, count <= packedEntryMax else { return nil }
        if room.count < count { room = [UInt8](repeating: packedMark, count: 2 * count) }
        // Safe because the words last for good, and zlib writes neither to them nor to its input,
        // whatever the types say.
        guard unsafe deflateReset(stream) == Z_OK,
            unsafe deflateSetDictionary(
                stream, entryWords.utf8Start, UInt32(entryWords.utf8CodeUnitCount)) == Z_OK
        else { return nil }
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: entry.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(count)
        // Together with the mark a byte less than the entry has.
        let most = count - 2
        let status = unsafe room.withUnsafeMutableBufferPointer { out in
            // Safe because there is room for the mark and for that.
            unsafe stream.pointee.next_out = out.baseAddress.map { unsafe $0 + 1 }
            unsafe stream.pointee.avail_out = UInt32(most)
            return unsafe deflate(stream, Z_FINISH)
        }
        guard status == Z_STREAM_END else { return nil }
        return 1 + most - Int(unsafe stream.pointee.avail_out)
    }
}

/// Gives back what was packed.
///
/// Safe because it owns its stream alone; one thread at a time uses it.
@safe package final class EntryUnpacker {
    // At one place for good: zlib keeps its address.
    private let stream: UnsafeMutablePointer<z_stream>
    private var plain: [UInt8] = []

    /// Nil when there is no memory.
    package init?() {
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        // Safe because the stream is this one's, until it is freed.
        guard unsafe herse_inflate_begin(stream, -MAX_WBITS) == Z_OK else {
            unsafe stream.deallocate()
            return nil
        }
        unsafe self.stream = stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// The entry that `text`, once sealed, holds; nil when it is none and packed by no gate that
    /// this one knows.
    package func entry(of text: [UInt8]) -> [UInt8]? {
        if text.first == brace { return text }
        guard text.first == packedMark else { return nil }
        if plain.isEmpty { plain = [UInt8](repeating: 0, count: packedEntryMax) }
        // Safe because the words last for good, and zlib writes neither to them nor to its input,
        // whatever the types say.
        guard unsafe inflateReset(stream) == Z_OK,
            unsafe inflateSetDictionary(
                stream, entryWords.utf8Start, UInt32(entryWords.utf8CodeUnitCount)) == Z_OK
        else { return nil }
        let room = plain.count
        let status = unsafe text.withUnsafeBufferPointer { text in
            unsafe plain.withUnsafeMutableBufferPointer { out in
                // Safe because the text is read after its mark, and out has the room given.
                unsafe stream.pointee.next_in = text.baseAddress.map {
                    unsafe UnsafeMutablePointer(mutating: $0 + 1)
                }
                unsafe stream.pointee.avail_in = UInt32(clamping: text.count - 1)
                unsafe stream.pointee.next_out = out.baseAddress
                unsafe stream.pointee.avail_out = UInt32(room)
                return unsafe inflate(stream, Z_FINISH)
            }
        }
        guard status == Z_STREAM_END, unsafe stream.pointee.avail_in == 0 else { return nil }
        let entry = plain[..<(room - Int(unsafe stream.pointee.avail_out))]
        return entry.first == brace ? Array(entry) : nil
    }
}
