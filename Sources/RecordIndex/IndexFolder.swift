// IndexFolder.swift: makes the indexes that are missing, several at once.

internal import CSystem
internal import Dispatch
internal import Foundation
package import RecordReading
internal import Synchronization

/// What the index of a segment came to.
package struct IndexSummary: Sendable {
    package let segment: Int
    package let entries: Int
    /// Bytes of the segment that are indexed, and of the index.
    package let indexedBytes: Int
    package let bytes: Int
    /// Whether it was made just now.
    package let isNew: Bool
}

extension RecordSearch {
    /// Segments indexed at once: each takes some 200 MB of memory.
    private static let atOnceMax = 4

    /// Makes the indexes that are missing, or all of them, and removes those of segments that are
    /// gone.
    package func makeIndexes(
        isAnew: Bool, progress: @Sendable (RecordProgress) -> Void
    ) throws(RecordReadingError) -> (indexes: [IndexSummary], pass: Pass) {
        var pass = Pass()
        for segment in reader.segments { try reader.mustBeOpen(segment) }
        let made = makeIndexes(of: reader.segments, isAnew: isAnew, progress: progress, &pass)
        removeOthers()
        var indexes: [IndexSummary] = []
        for one in reader.segments {
            let path = path(of: one.number)
            guard let segment = try? RecordSegment(one),
                let index = try? SegmentIndex(path, of: segment)
            else { continue }
            let attributes = try? FileManager.default.attributesOfItem(atPath: path)
            pass.record.addUnreadable(index.facts.unreadable, first: nil)
            indexes.append(
                IndexSummary(
                    segment: one.number, entries: index.facts.entries,
                    indexedBytes: index.facts.bytes,
                    bytes: (attributes?[.size] as? NSNumber)?.intValue ?? 0,
                    isNew: made.contains(one.number)))
        }
        return (indexes, pass)
    }

    /// Makes the indexes of `segments` that are missing, of something else, or too far behind;
    /// returns whose were made.
    @discardableResult
    func makeIndexes(
        of segments: [RecordedSegment], isAnew: Bool,
        progress: @Sendable (RecordProgress) -> Void, _ pass: inout Pass
    ) -> Set<Int> {
        let missing = isAnew ? segments : segments.filter(needsIndex)
        guard !missing.isEmpty else { return [] }
        do throws(RecordReadingError) {
            try makeFolder()
        } catch {
            pass.unindexed.append(error)
            return []
        }
        let all = missing.reduce(0) { $0 + size(of: $1) }
        let state = Mutex(Making())
        let workers = min(missing.count, Int(herse_usable_cores()), Self.atOnceMax)
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while let number = state.withLock({ $0.next(of: missing.count) }) {
                var told = 0
                do throws(RecordReadingError) {
                    let segment = try RecordSegment(missing[number])
                    try makeIndex(of: segment, at: path(of: segment.segment.number)) { bytes in
                        let done = state.withLock { state in
                            state.done += bytes - told
                            return state.done
                        }
                        told = bytes
                        progress(RecordProgress(what: .indexing, done: done, of: all))
                    }
                    state.withLock { _ = $0.made.insert(missing[number].number) }
                } catch {
                    state.withLock { $0.errors.append(error) }
                }
            }
        }
        let making = state.withLock { $0 }
        pass.unindexed += making.errors
        return making.made
    }

    /// Bytes of a segment that count, or all there are now.
    func size(of segment: RecordedSegment) -> Int {
        guard let file = try? LineFile(segment.path) else { return 0 }
        return min(segment.bytes ?? .max, file.size)
    }

    private struct Making {
        var taken = 0
        var done = 0
        var made: Set<Int> = []
        var errors: [RecordReadingError] = []

        mutating func next(of count: Int) -> Int? {
            guard taken < count else { return nil }
            taken += 1
            return taken - 1
        }
    }

    /// Of a segment that grows no more it is enough that there is one: whether it is of any use is
    /// seen when it is used.
    private func needsIndex(_ one: RecordedSegment) -> Bool {
        let path = path(of: one.number)
        guard FileManager.default.fileExists(atPath: path) else { return true }
        guard one.bytes == nil, let segment = try? RecordSegment(one) else { return false }
        guard let index = try? SegmentIndex(path, of: segment) else { return true }
        return segment.end - index.facts.bytes > Self.tailMax
    }

    private func makeFolder() throws(RecordReadingError) {
        guard !FileManager.default.fileExists(atPath: folder) else { return }
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw RecordReadingError(
                "\(folder): the folder of the index cannot be made",
                hint: "name another with --index")
        }
    }

    /// Removes indexes of segments that are no more, and what a crash left half made.
    private func removeOthers() {
        let kept = Set(reader.segments.map { path(of: $0.number) })
        for name in (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [] {
            let path = folder + "/" + name
            let isIndex =
                name.count >= 12 && name.prefix(6).allSatisfy(\.isNumber)
                && name.dropFirst(6).contains(".index")
            if isIndex, !kept.contains(path) { try? FileManager.default.removeItem(atPath: path) }
        }
    }
}
