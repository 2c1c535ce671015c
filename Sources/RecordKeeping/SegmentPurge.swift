// SegmentPurge.swift: taking the oldest segment away, so that what is left still verifies.
//
// Always in this order, each step on disk before the next: the tombstone, the entry that says so,
// the segment, its index. What a crash leaves half done is finished at the next start.

internal import CSystem
internal import Foundation
internal import Glibc
package import Record
package import Transparency

/// A segment that may be purged: closed, and followed by another whose head has its hashes.
package struct ClosedSegment: Equatable, Sendable {
    package let number: Int
    package let range: CompactRange
    /// When its first and last entries were written, RFC 3339.
    package let first: String
    package let last: String
    package let bytes: Int
}

/// Why a purge went no further, in words for the operator.
package struct PurgeProblem: Error, Equatable, Sendable {
    package let text: String
    package init(_ text: String) { self.text = text }
}

/// The segments of a record that may go.
package struct SegmentPurge: Sendable {
    private let path: String
    private let folder: SegmentFolder

    package init(folder path: String) {
        self.path = path
        folder = SegmentFolder(path)
    }

    /// The oldest segments that may be purged, in order, until `takes` says no; never the last,
    /// which may be written to.
    package func oldest(
        while takes: (ClosedSegment) -> Bool
    ) throws(PurgeProblem) -> [ClosedSegment] {
        let numbers = try self.numbers(.segments)
        var found: [ClosedSegment] = []
        for (number, next) in zip(numbers, numbers.dropFirst()) {
            let segment = try closed(number, before: next)
            guard let segment, takes(segment) else { break }
            found.append(segment)
        }
        return found
    }

    /// Bytes on disk of all segments but the last.
    package var bytesThatMayGo: Int {
        let closed = ((try? numbers(.segments)) ?? []).dropLast()
        return closed.reduce(0) { sum, number in
            var status = stat()
            // Safe because the structure is a local.
            guard unsafe lstat(folder.file(number), &status) == 0 else { return sum }
            return sum + Int(status.st_blocks) * 512
        }
    }

    /// When the oldest entry that is left was written; nil when there is none, or it is not told.
    package func oldestTime() throws(PurgeProblem) -> String? {
        guard let first = try numbers(.segments).first else { return nil }
        do throws(RecordError) {
            return try segmentHead(of: folder.file(first))?.time
        } catch {
            throw PurgeProblem(error.message)
        }
    }

    /// Segments whose tombstone is there as well: a purge was cut short.
    package func halfPurged() throws(PurgeProblem) -> [Int] {
        let purged = Set(try numbers(.purged))
        return try numbers(.segments).filter { purged.contains($0) }
    }

    /// What the tombstone of a segment says; nil when it has none that `key` signed.
    package func tombstone(of number: Int, signedBy key: NoteVerifier) -> Tombstone? {
        guard
            let bytes = smallFile(
                folder.file(number, ".purged"), bytesMax: Tombstone.lengthMax),
            let note = SignedNote(String(decoding: bytes, as: UTF8.self)),
            note.isSigned(by: key), let tombstone = Tombstone(note.text),
            tombstone.segment == number
        else { return nil }
        return tombstone
    }

    /// Writes the tombstone; returns once it is on disk.
    package func bury(
        _ segment: ClosedSegment, reason: String, at time: String, _ signer: NoteSigner
    ) throws(PurgeProblem) -> Tombstone {
        let tombstone = Tombstone(
            origin: signer.verifier.name, segment: segment.number, range: segment.range,
            first: segment.first, last: segment.last, purgedAt: time, reason: reason)
        // Its times are those that the files tell, and who changed them would write in our name.
        guard Tombstone(tombstone.text) == tombstone,
            let note = SignedNote(tombstone.text, by: signer)
        else {
            throw PurgeProblem("the tombstone of segment \(segment.number) cannot be signed")
        }
        let problem = replaceFile(
            folder.file(segment.number, ".purged"), in: path, Array(note.description.utf8))
        if let problem { throw PurgeProblem(problem) }
        return tombstone
    }

    /// Takes a buried segment and its index away.
    package func remove(_ number: Int) throws(PurgeProblem) {
        // Safe because each name outlives the call that takes it.
        guard unsafe unlink(folder.file(number)) == 0 || errno == ENOENT else {
            throw PurgeProblem("\(folder.file(number)): cannot be removed: \(systemText(errno))")
        }
        let name = folder.file(number, ".index").split(separator: "/").last ?? ""
        _ = unsafe unlink("\(path)/index/\(name)")
        guard syncFolder(path) else {
            throw PurgeProblem("\(path): cannot be synced: \(systemText(errno))")
        }
    }

    // MARK: Reading

    private func numbers(_ kind: SegmentFolder.Kind) throws(PurgeProblem) -> [Int] {
        do throws(RecordError) {
            return try folder.numbers(kind)
        } catch {
            throw PurgeProblem(error.message)
        }
    }

    /// Nil when the next segment does not tell what this one was.
    private func closed(
        _ number: Int, before next: Int
    ) throws(PurgeProblem) -> ClosedSegment? {
        do throws(RecordError) {
            guard let after = try segmentHead(of: folder.file(next)),
                let ending = after.previous, ending.segment == number
            else { return nil }
            let file = folder.file(number)
            let head = try segmentHead(of: file)
            let first = head.flatMap { moment($0.time) == nil ? nil : $0.time }
            var status = stat()
            // Safe because the structure is a local.
            guard unsafe stat(file, &status) == 0 else {
                throw .cannotOpen(path: file, code: errno)
            }
            return ClosedSegment(
                number: number, range: ending.range, first: first ?? after.time,
                last: try lastTime(of: file, to: ending.bytes) ?? after.time,
                bytes: Int(status.st_size))
        } catch {
            throw PurgeProblem(error.message)
        }
    }

    /// The time of the last line before byte `end` that tells it, sealed entries being silent.
    ///
    /// Nil when none of the last lines does; then the next head's time, later, stands for it.
    private func lastTime(of file: String, to end: Int) throws(RecordError) -> String? {
        struct Timed: Decodable { var time: String }
        var last: String?
        // Within so many bytes there is a checkpoint, or whole entries that are not sealed. The
        // first line that is read is a part of one.
        try readLines(of: file, from: max(0, end - (4 << 20)), to: end) { line, _ in
            guard !begins(line, "{\"sealed\":"), line.count > 1, line[0] == 0x7B,
                line.count < 1 << 20
            else { return true }
            if let timed = try? JSONDecoder().decode(Timed.self, from: Data(bytesOf(line))),
                moment(timed.time) != nil
            {
                last = timed.time
            }
            return true
        }
        return last
    }
}
