// CheckpointLine.swift: the line that says what the tree was just before it, signed.
//
// Beside the signed root it names the beginning of each entry's hash since the checkpoint before:
// a root alone tells that something was changed, these tell what.

internal import Foundation
internal import Transparency

/// A checkpoint in a segment.
package struct CheckpointLine: Equatable, Sendable {
    package let note: String
    package let time: String
    /// The first six bytes of the hash of each line from the checkpoint before on, itself among
    /// them, or from the segment's head on.
    package let leaves: [UInt8]

    /// Bytes kept of each hash: enough that nobody makes another entry with the same.
    package static let leafBytes = 6
    /// Lines after which there is a checkpoint, due or not.
    package static let leavesMax = 65_536
    /// Bytes of a line that is read: all leaves in base64, and the note with every byte escaped.
    package static let lengthMax = leavesMax * leafBytes * 2 + SignedNote.lengthMax * 6
    /// What every checkpoint begins with, and nothing else.
    package static let mark: StaticString = "{\"checkpoint\":"

    package init(note: String, time: String, leaves: [UInt8]) {
        self.note = note
        self.time = time
        self.leaves = leaves
    }

    /// The line, without its line feed.
    package var line: [UInt8] {
        var line = Array("\(Self.mark)".utf8)
        line += jsonString(note)
        line += Array(",\"time\":\"\(time)\",\"leaves\":\"".utf8)
        line += Array(Data(leaves).base64EncodedData())
        line += Array("\"}".utf8)
        return line
    }

    /// Reads a line; nil when it is no checkpoint, or not spelled as a gate spells it: no signature
    /// covers the last line but for its note.
    package init?(line: [UInt8]) {
        guard line.count <= Self.lengthMax,
            line.starts(with: Array("\(Self.mark)".utf8)),
            let form = try? JSONDecoder().decode(Form.self, from: Data(line))
        else { return nil }
        note = form.checkpoint
        time = form.time
        leaves = Array(form.leaves)
        guard self.line == line else { return nil }
    }

    private struct Form: Codable {
        var checkpoint: String
        var time: String
        var leaves: Data
    }
}
