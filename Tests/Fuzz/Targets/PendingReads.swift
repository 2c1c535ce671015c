// PendingReads.swift: what was read of the record while no gate ran, as a file says that anybody
// may have edited.

import Gate
import RecordReading

extension FuzzTarget {
    /// Whatever the file holds becomes entries that say so, and no others.
    static let pendingReads = FuzzTarget(name: "pending-reads") { bytes in
        var isEmpty = true
        for index in bytes.indices where bytes[index] != 0x0A { isEmpty = false }
        let entries = PendingReads.entries(in: bytes)
        precondition(entries.isEmpty == isEmpty, "a line that is not understood is told, too")
        for entry in entries {
            let line = Array("{\"time\":\"2026-11-28T20:11:02.000Z\"".utf8) + entry + [0x7D]
            precondition(!line.contains(0x0A), "an entry is one line")
            guard let read = RecordedEntry(line: line.span) else {
                preconditionFailure("an entry can be read")
            }
            precondition(read.event == "record-read" && !read.by.isEmpty, "and says who read")
            precondition(read.time == 1_795_896_662_000, "its time is the gate's own")
        }
    }
}
