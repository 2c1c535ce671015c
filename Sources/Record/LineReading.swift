// LineReading.swift: the lines of a segment, as they stand in its file.

internal import CSystem
internal import Glibc

/// A line of a segment, and where it stands.
package struct LinePlace: Sendable, Equatable {
    /// Where it begins in the file.
    package let offset: Int
    /// Whether a line feed ends it.
    package let isEnded: Bool
    /// Whether another object is seen to begin right after it.
    package let isFollowed: Bool

    /// Whether `line`, which stands here, is what was written.
    ///
    /// A power cut may have left any sector of it out. In its place stand the line feeds that were
    /// written ahead, which end the line early and are more than one: what another line follows at
    /// once needs no look for them. Or zeros, where those had not reached the disk either.
    package func isWhole(_ line: Span<UInt8>) -> Bool {
        isEnded && !line.isEmpty && line[0] == 0x7B && line[line.count - 1] == 0x7D
            && position(of: 0, in: line, from: 0) == line.count
            && (isFollowed || isWholeObject(line))
    }
}

/// Bytes of a line that is read; a longer one is nothing a gate wrote.
package let recordLineMax = 64 << 20

/// Bytes that are read at once: at first, and once there is more.
private let windowFirst = 16 << 10
private let windowUsual = 1 << 20

/// Gives every line of the file at `path` that is not blank to `take`, without its line feed, from
/// byte `start` on and before byte `end`, until it returns false.
///
/// A line longer than `recordLineMax` is given in its first part, as one that is not ended, and
/// the last.
package func readLines(
    of path: String, from start: Int = 0, to end: Int = .max,
    _ take: (Span<UInt8>, LinePlace) -> Bool
) throws(RecordError) {
    // Safe because the path outlives the call.
    // A pipe in a segment's place must not make anybody wait: it fails at the first read.
    let descriptor = unsafe herse_open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0)
    guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
    defer { Glibc.close(descriptor) }
    // `window` holds bytes of the file from `offset` on, of which `count` are filled.
    // A small one first: often only a head is wanted, or the file is short.
    var window = [UInt8](repeating: 0, count: windowFirst)
    var count = 0
    var offset = start
    while true {
        let wanted = min(window.count - count, end - offset - count)
        var got = 0
        if wanted > 0 {
            got = try read(descriptor, path, into: &window, at: count, wanted, offset + count)
        }
        let isLast = got == 0
        let fresh = count
        count += got
        guard
            let line = endedLines(
                window.span.extracting(0..<count), from: fresh, at: offset, take)
        else { return }
        if isLast || (line == 0 && count >= recordLineMax) {
            if line < count {
                let place = LinePlace(
                    offset: offset + line, isEnded: false, isFollowed: false)
                _ = take(window.span.extracting(line..<count), place)
            }
            return
        }
        if count == window.count, window.count < windowUsual {
            window += [UInt8](repeating: 0, count: windowUsual - window.count)
        }
        // What is left of a line goes to the beginning.
        if line > 0 {
            window.replaceSubrange(0..<(count - line), with: Array(window[line..<count]))
            count -= line
            offset += line
        } else if count == window.count {
            window += [UInt8](repeating: 0, count: window.count)
        }
    }
}

/// Gives the lines that end in `bytes`, no line feed being before `fresh`; where the next begins,
/// or nil when `take` wanted no more.
private func endedLines(
    _ bytes: Span<UInt8>, from fresh: Int, at offset: Int,
    _ take: (Span<UInt8>, LinePlace) -> Bool
) -> Int? {
    var line = 0
    var search = fresh
    while search < bytes.count {
        let feed = lineFeed(bytes, from: search)
        guard feed < bytes.count else { break }
        if feed > line {
            let place = LinePlace(
                offset: offset + line, isEnded: true,
                isFollowed: feed + 1 < bytes.count && bytes[feed + 1] == 0x7B)
            guard take(bytes.extracting(line..<feed), place) else { return nil }
        }
        line = feed + 1
        search = line
    }
    return line
}

private func read(
    _ descriptor: Int32, _ path: String, into window: inout [UInt8], at place: Int, _ wanted: Int,
    _ offset: Int
) throws(RecordError) -> Int {
    let count = unsafe window.withUnsafeMutableBytes { room -> Int in
        while true {
            // Safe because place + wanted lies within the window.
            let count = unsafe pread(
                descriptor, room.baseAddress.map { unsafe $0 + place }, wanted, off_t(offset))
            if count >= 0 || errno != EINTR { return count }
        }
    }
    guard count >= 0 else { throw .cannotOpen(path: path, code: errno) }
    return count
}

/// Where the first line feed stands from `start` on; the end of the bytes when there is none.
package func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int {
    position(of: 0x0A, in: bytes, from: start)
}

/// Where the first such byte stands from `start` on; the end of the bytes when there is none.
private func position(of byte: UInt8, in bytes: Span<UInt8>, from start: Int) -> Int {
    let count = bytes.count
    guard start < count else { return count }
    return unsafe bytes.withUnsafeBufferPointer { bytes in
        // Safe because the search begins and ends within the bytes.
        guard let base = bytes.baseAddress,
            let found = unsafe memchr(base + start, Int32(byte), count - start)
        else { return count }
        return unsafe UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
    }
}
