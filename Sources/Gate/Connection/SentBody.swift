// SentBody.swift: how much of an answer's body its client's connection has taken.
//
// What goes out is counted as one stream; this knows where in it the body's own bytes are.

/// Where the body of one answer lies among the bytes of its connection.
struct SentBody {
    /// The place in what goes out at which the body begins; beyond everything before it is known.
    private var begin = UInt64.max
    /// Bytes of the body staged so far, framing left out.
    private var staged: UInt64 = 0
    /// Of them, those of chunks known to have been taken.
    private var taken: UInt64 = 0
    /// Chunks that may not have been taken, at most as many as are held for a slow client.
    private var chunks: [(begin: UInt64, count: UInt64)] = []
    private var isChunked = false

    /// An answer's head ends at this place.
    mutating func begins(at place: UInt64, isChunked: Bool) {
        forget()
        begin = place
        self.isChunked = isChunked
    }

    /// Bytes of the body were staged, the first of them at `place`.
    mutating func stage(_ count: Int, at place: UInt64) {
        staged += UInt64(count)
        if isChunked { chunks.append((place, UInt64(count))) }
    }

    /// All that was staged has been taken.
    mutating func allTaken() {
        taken = staged
        if !chunks.isEmpty { chunks.removeAll(keepingCapacity: true) }
    }

    /// The answer is taken back.
    mutating func forget() {
        begin = .max
        staged = 0
        taken = 0
        chunks.removeAll(keepingCapacity: true)
    }

    /// Bytes of the body among the first `sent` of what went out.
    func count(sent: UInt64) -> UInt64 {
        guard sent > begin else { return 0 }
        guard isChunked else { return min(sent - begin, staged) }
        return chunks.reduce(taken) { sum, chunk in
            sent > chunk.begin ? sum + min(chunk.count, sent - chunk.begin) : sum
        }
    }
}
