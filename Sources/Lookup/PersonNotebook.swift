// PersonNotebook.swift: the identifiers that an answer's keys were made of, for a record that only
// auditors can read.
//
// Keys are hashes, and stay so: this is filled only where a sealed record may name patients, and is
// emptied with each answer.

internal import Synchronization

/// What the keys of one answer's persons were made of; bounded, and never by itself written.
package final class PersonNotebook: Sendable {
    /// Bytes kept of one answer, 4 MiB; what does not fit is left out, and `isCut` says so.
    package static let bytesMax = 4 << 20
    /// Bytes kept of one identifier; of a longer one its beginning, ended by `…`.
    package static let identifierMax = 256

    /// Bytes whose room is kept for the next answer.
    private static let keptMax = 64 << 10

    private struct Pages {
        /// `system|value` after `system|value`.
        var text: [UInt8] = []
        /// Where each begins; the next one's beginning is its end.
        var starts: [Int] = [0]
        var hashes: [UInt64] = []
        /// By hash: a number of a note, plus one.
        var table: [Int32] = []
        var isCut = false
    }

    private let bytesMax: Int
    private let pages = Mutex(Pages())

    package init(bytesMax: Int = PersonNotebook.bytesMax) { self.bytesMax = bytesMax }

    /// Whether there was more than is kept.
    package var isCut: Bool { pages.withLock { $0.isCut } }

    package func removeAll() {
        pages.withLock { pages in
            pages.isCut = false
            guard !pages.hashes.isEmpty else { return }
            if pages.text.count > Self.keptMax {
                pages = Pages()
                return
            }
            pages.text.removeAll(keepingCapacity: true)
            pages.starts.removeSubrange(1...)
            pages.hashes.removeAll(keepingCapacity: true)
            pages.table.removeAll(keepingCapacity: true)
        }
    }

    /// Notes that `hash` was made of these parts, one after the other; the first note counts.
    func note(_ hash: UInt64, _ first: Span<UInt8>, _ mark: UInt8, _ second: Span<UInt8>) {
        pages.withLock { pages in
            guard find(hash, in: pages) == nil else { return }
            let whole = first.count + 1 + second.count
            guard pages.text.count + min(whole, Self.identifierMax) <= bytesMax else {
                pages.isCut = true
                return
            }
            let end = pages.text.count + Self.identifierMax
            append(first, to: &pages.text, end: end)
            if pages.text.count < end { pages.text.append(mark) }
            append(second, to: &pages.text, end: end)
            if whole > Self.identifierMax {
                // The last bytes of the beginning give way; half a scalar becomes U+FFFD later.
                pages.text.removeLast(3)
                pages.text += [0xE2, 0x80, 0xA6]
            }
            pages.starts.append(pages.text.count)
            pages.hashes.append(hash)
            enter(pages.hashes.count - 1, &pages)
        }
    }

    /// Gives what `hash` was made of, as it came, to `use`; false when nothing was noted.
    @discardableResult
    package func read(_ hash: UInt64, _ use: (Span<UInt8>) -> Void) -> Bool {
        pages.withLock { pages in
            guard let number = find(hash, in: pages) else { return false }
            use(pages.text.span.extracting(pages.starts[number]..<pages.starts[number + 1]))
            return true
        }
    }

    private func append(_ bytes: Span<UInt8>, to text: inout [UInt8], end: Int) {
        for index in bytes.indices {
            guard text.count < end else { return }
            text.append(bytes[index])
        }
    }

    private func find(_ hash: UInt64, in pages: borrowing Pages) -> Int? {
        guard !pages.table.isEmpty else { return nil }
        let mask = pages.table.count - 1
        var place = Int(truncatingIfNeeded: hash) & mask
        while pages.table[place] != 0 {
            let number = Int(pages.table[place]) - 1
            if pages.hashes[number] == hash { return number }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Enters a note in the table, which is at most half full.
    private func enter(_ number: Int, _ pages: inout Pages) {
        if pages.table.count < 2 * pages.hashes.count {
            let size = max(64, pages.table.count * 2)
            pages.table.removeAll(keepingCapacity: true)
            pages.table.append(contentsOf: repeatElement(0, count: size))
            for known in 0..<number { put(known, in: &pages) }
        }
        put(number, in: &pages)
    }

    private func put(_ number: Int, in pages: inout Pages) {
        let mask = pages.table.count - 1
        var place = Int(truncatingIfNeeded: pages.hashes[number]) & mask
        while pages.table[place] != 0 { place = (place + 1) & mask }
        pages.table[place] = Int32(number + 1)
    }
}
