// LineFile.swift: a segment's file, read by places, and from one line to the next.

internal import CSystem
internal import Glibc
internal import RecordReading

/// An open segment.
struct LineFile: ~Copyable {
    private let descriptor: Int32
    let path: String
    /// Bytes it had when it was opened; more may have come since.
    let size: Int

    /// Bytes read at once.
    private static let chunk = 1 << 20

    init(_ path: String) throws(RecordReadingError) {
        // Safe because the path outlives the call.
        descriptor = unsafe herse_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { throw unreadable(path) }
        var status = stat()
        // Safe because status lives on the stack for the call.
        guard unsafe fstat(descriptor, &status) == 0 else {
            close(descriptor)
            throw unreadable(path)
        }
        self.path = path
        size = Int(status.st_size)
    }

    deinit { close(descriptor) }

    /// Tells the system that this will be read, so that the disk need not be waited for each time.
    func announce(_ range: Range<Int>) {
        _ = posix_fadvise(
            descriptor, off_t(range.lowerBound), off_t(range.count), POSIX_FADV_WILLNEED)
    }

    /// The bytes at `range`, or fewer where the file ends.
    func read(_ range: Range<Int>, into bytes: inout [UInt8]) throws(RecordReadingError) {
        bytes.removeAll(keepingCapacity: true)
        try append(range, to: &bytes)
    }

    private func append(
        _ range: Range<Int>, to bytes: inout [UInt8]
    ) throws(RecordReadingError) {
        let kept = bytes.count
        bytes.append(contentsOf: repeatElement(0, count: range.count))
        var filled = 0
        while filled < range.count {
            // Safe because the buffer has `range.count` bytes behind those kept.
            let got = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe pread(
                    descriptor, buffer.baseAddress.map { unsafe $0 + kept + filled },
                    range.count - filled, off_t(range.lowerBound + filled))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw unreadable(path) }
            if got == 0 { break }
            filled += got
        }
        bytes.removeLast(range.count - filled)
    }

    /// Gives every line within `range` that is not blank, its place and whether a line feed ends
    /// it, until `take` returns false.
    ///
    /// Of a line longer than is read, nothing is given but where it is.
    func lines(
        _ range: Range<Int>, _ take: (Span<UInt8>, Line) throws(RecordReadingError) -> Bool
    ) throws(RecordReadingError) {
        var bytes: [UInt8] = []
        // Where `bytes` begins, and where the line at hand does.
        var base = range.lowerBound
        var begin = range.lowerBound
        while true {
            let kept = bytes.count
            let end = min(base + kept + Self.chunk, range.upperBound)
            if base + kept < end { try append(base + kept..<end, to: &bytes) }
            var place = kept
            while let feed = lineFeed(bytes.span, from: place) {
                let isTooLong = begin < base
                let start = isTooLong ? feed : begin - base
                if isTooLong || start < feed {
                    let line = Line(
                        place: begin, length: base + feed + 1 - begin, isEnded: true,
                        isTooLong: isTooLong)
                    guard try take(bytes.span.extracting(start..<feed), line) else { return }
                }
                place = feed + 1
                begin = base + place
            }
            if bytes.count == kept {
                guard begin < base + kept else { return }
                let isTooLong = begin < base
                let line = Line(
                    place: begin, length: base + kept - begin, isEnded: false,
                    isTooLong: isTooLong)
                let start = isTooLong ? kept : begin - base
                _ = try take(bytes.span.extracting(start..<kept), line)
                return
            }
            // What is left of the line at hand is kept, unless it is too long to be one.
            let done =
                bytes.count - (begin - base) > RecordedEntry.lengthMax
                ? bytes.count : max(0, begin - base)
            bytes.removeFirst(done)
            base += done
        }
    }
}

/// Where a line lies.
struct Line {
    let place: Int
    /// Its line feed included.
    let length: Int
    let isEnded: Bool
    let isTooLong: Bool
}

/// The first line feed from `start` on.
private func lineFeed(_ bytes: Span<UInt8>, from start: Int) -> Int? {
    // Safe because memchr stays within the bytes from `start` on, of which there are so many.
    unsafe bytes.withUnsafeBufferPointer { buffer in
        guard let base = buffer.baseAddress, start < buffer.count,
            let found = unsafe memchr(base + start, 0x0A, buffer.count - start)
        else { return nil }
        return unsafe UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }
}

func unreadable(_ path: String) -> RecordReadingError {
    RecordReadingError(
        "\(path): cannot be read", hint: "the record belongs to the gate's user: run as it, or root"
    )
}
