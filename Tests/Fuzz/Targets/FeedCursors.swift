// FeedCursors.swift: the cursor of a feed, a file that anybody may have edited.

import RecordExport

extension FuzzTarget {
    /// Whatever is taken for a cursor is one, byte for byte.
    static let feedCursor = FuzzTarget(name: "feed-cursor") { bytes in
        guard let cursor = FeedCursor(text: bytes) else { return }
        let text = Array(cursor.text.utf8)
        precondition(text.count == bytes.count, "a cursor is read as it was written")
        for index in bytes.indices {
            precondition(text[index] == bytes[index], "a cursor is read as it was written")
        }
        precondition(FeedCursor(text: text.span) == cursor, "a cursor is what it says")
    }
}
