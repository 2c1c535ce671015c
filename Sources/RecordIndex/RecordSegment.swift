// RecordSegment.swift: a segment as a search sees it: its lines in clear, and its index's key.

internal import COpenSSL
internal import RecordReading
internal import Sealing

/// One segment, open.
struct RecordSegment: ~Copyable {
    let place: SegmentPlace
    let file: LineFile
    /// Bytes that count: what the next segment's head says, or all there were when it was opened.
    let end: Int
    /// Nil while it has no line.
    let indexKey: [UInt8]?

    init(_ place: SegmentPlace) throws(RecordReadingError) {
        let file = try LineFile(place.path)
        let end = place.isEnded ? min(place.size, file.size) : file.size
        var key: [UInt8]?
        try file.lines(0..<end) { line, at throws(RecordReadingError) in
            if at.isEnded { key = RecordIndex.indexKey(of: line) }
            return false
        }
        self.place = place
        self.file = file
        self.end = end
        indexKey = key
    }

    /// Gives line number `line` of this segment in clear.
    func plain<Value>(
        _ text: Span<UInt8>, _ line: Int, _ take: (Span<UInt8>) -> Value
    ) -> Value {
        take(text)
    }
}

/// Where a segment is, and what its neighbour says of it.
struct SegmentPlace: Sendable {
    let number: Int
    let path: String
    /// The number in the tree of its first line.
    var begins: UInt64 = 0
    /// Bytes that count: what the next segment's head says, or all there are.
    var size = 0
    /// Whether another segment was begun after it.
    var isEnded = false
    /// Of its first line that has a time, in milliseconds.
    var firstTime: UInt64?
}

/// The key of a segment's index: 32 bytes that a thief of the index alone does not have.
///
/// That of a sealed segment comes of the segment's key; one in clear has nothing to keep, and its
/// index tells no more than it does.
private func indexKey(of firstLine: Span<UInt8>) -> [UInt8] {
    // Safe because the line's bytes are only read, within this call.
    let hash = unsafe firstLine.withUnsafeBufferPointer {
        unsafe herse_sha256($0.baseAddress, $0.count)
    }
    return [hash.a, hash.b, hash.c, hash.d].flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
    }
}
