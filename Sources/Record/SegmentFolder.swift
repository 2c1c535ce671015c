// SegmentFolder.swift: the folder of the record: which segments there are, and the next.

internal import CSystem
internal import Glibc

/// The folder of the record.
package struct SegmentFolder: RecordFolder {
    private let path: String
    /// Whether a power cut leaves the name `checkpoint` where it is.
    private var isCheckpointNamed = false

    package init(_ path: String) { self.path = path }

    package mutating func next() throws(RecordError) -> (number: Int, store: SegmentStore) {
        let number = try (numbers(.all).last ?? 0) + 1
        let segment = file(number)
        var store = try SegmentStore.make(segment)
        do throws(RecordError) {
            // The name of a file just made must survive a power cut as well as its bytes.
            try sync()
        } catch {
            store.abandon()
            remove(number)
            throw error
        }
        return (number, store)
    }

    package mutating func remove(_ number: Int) {
        // Safe because the name outlives the call.
        _ = unsafe unlink(file(number))
    }

    package mutating func keep(checkpoint: String) {
        let kept = path + "/checkpoint"
        let descriptor = unsafe herse_open(
            kept + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return }
        let bytes = Array(checkpoint.utf8)
        // Safe because write reads bytes.count bytes at most, and both names outlive the calls.
        let count = unsafe write(descriptor, bytes, bytes.count)
        // Before it takes the name: a power cut must leave this one or the one before, and not
        // an empty file that looks like a record somebody cut.
        let isDurable = count == bytes.count && fdatasync(descriptor) == 0
        Glibc.close(descriptor)
        guard isDurable, unsafe rename(kept + ".new", kept) == 0, !isCheckpointNamed else { return }
        isCheckpointNamed = (try? sync()) != nil
    }

    /// Which files are asked for.
    package enum Kind: Sendable {
        /// Segments that are there.
        case segments
        /// What is left of purged ones.
        case purged
        /// Both, and segments whose head was torn: whatever has taken a number.
        case all
        /// Checkpoints put aside, each under the count of entries that it speaks of.
        case cut

        fileprivate var endings: [String] {
            switch self {
            case .segments: [".jsonl"]
            case .purged: [".purged"]
            case .all: [".jsonl", ".purged", ".torn"]
            case .cut: [".cut"]
            }
        }
    }

    /// The path of a segment.
    package func file(_ number: Int, _ ending: String = ".jsonl") -> String {
        path + "/" + Self.name(number) + ending
    }

    private static func name(_ number: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits
    }

    /// The numbers there are, in order.
    ///
    /// A folder that cannot be read is an error, not an empty one: 000001 would be written again.
    package func numbers(_ kind: Kind) throws(RecordError) -> [Int] {
        // Safe because the path outlives the call, and the listing is closed below.
        guard let listing = unsafe opendir(path) else {
            throw .cannotOpen(path: path, code: errno)
        }
        defer { unsafe closedir(listing) }
        var numbers: [Int] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(listing) else { break }
            // Safe because d_name is a terminated string inside the entry.
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if let number = number(name, kind) { numbers.append(number) }
        }
        guard errno == 0 else { throw .cannotOpen(path: path, code: errno) }
        return numbers.sorted()
    }

    /// The number of a segment's name: six digits, or a few more when six no longer do.
    private func number(_ name: String, _ kind: Kind) -> Int? {
        guard let ending = kind.endings.first(where: { name.hasSuffix($0) }) else { return nil }
        let digits = name.dropLast(ending.utf8.count)
        guard (6...15).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(digits),
            Self.name(number) == digits
        else { return nil }
        return number
    }

    /// Makes the names in the folder durable.
    package func sync() throws(RecordError) {
        // Safe because the path outlives the call.
        let descriptor = unsafe herse_open(path, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw .cannotOpen(path: path, code: errno) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .cannotOpen(path: path, code: errno) }
    }
}
