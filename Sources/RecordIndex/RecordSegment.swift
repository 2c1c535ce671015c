// RecordSegment.swift: a segment as a search sees it: its file, and its lines in clear.

internal import RecordReading
internal import Sealing

/// One segment, open.
struct RecordSegment: ~Copyable {
    let segment: RecordedSegment
    let file: LineFile
    /// Bytes that count.
    let end: Int
    let hasher: TermHasher
    private let opener: EntryOpener

    init(_ segment: RecordedSegment) throws(RecordReadingError) {
        guard let key = segment.indexKey, let opener = EntryOpener() else {
            throw unreadable(segment.path)
        }
        let file = try LineFile(segment.path)
        end = min(segment.bytes ?? .max, file.size)
        self.segment = segment
        self.file = file
        self.opener = opener
        hasher = TermHasher(indexKey: key)
    }

    /// The number in the tree of its line `line`, the first being 0.
    func number(of line: Int) -> UInt64 { segment.begins + UInt64(line) }

    /// Whether a line counts that no line feed ends: only gates before 0.2 left such.
    var hasUnendedLines: Bool { segment.head == nil }

    /// Gives `text`, its line `line`, in clear, or nil when it is no entry of this segment's.
    func plain<Value>(
        _ text: Span<UInt8>, _ line: Int, _ take: (Span<UInt8>?) -> Value
    ) -> Value {
        guard segment.isSealed || sealedText(text) != nil else {
            return take(isOfTheRecordItself(text) ? nil : text)
        }
        guard let bytes = segment.plain(text, number: number(of: line), opener) else {
            return take(nil)
        }
        return take(bytes.span)
    }
}
