// AnswerCache.swift: what somebody else answered, for a while.

/// Answers by a digest of the question, which itself is not kept; the oldest makes room.
package struct AnswerCache<Answer: Sendable>: Sendable {
    private struct Entry: Sendable {
        let answer: Answer
        let bytes: Int
        let from: Int64
        let until: Int64
        let turn: UInt64
    }

    private struct Turn: Sendable {
        let key: [UInt8]
        let turn: UInt64
    }

    private var entries: [[UInt8]: Entry] = [:]
    /// In the order they came; those replaced meanwhile have another turn.
    private var order: [Turn] = []
    private var orderStart = 0
    private var turn: UInt64 = 0
    private var bytes = 0
    private let countMax: Int
    private let bytesMax: Int

    /// - Parameters:
    ///   - countMax: Answers at once.
    ///   - bytesMax: Sum of what each answer is said to take.
    package init(countMax: Int, bytesMax: Int = .max) {
        self.countMax = max(1, countMax)
        self.bytesMax = bytesMax
    }

    package var count: Int { entries.count }

    /// What was answered, if it still counts.
    package func answer(for key: [UInt8], now: Int64) -> Answer? {
        // A clock set back must not make an answer last.
        guard let entry = entries[key], now >= entry.from, now < entry.until else { return nil }
        return entry.answer
    }

    /// Replaces what is known; an answer that is over already, or too large, only removes that.
    package mutating func keep(
        _ answer: Answer, bytes size: Int = 0, for key: [UInt8], from: Int64, until: Int64
    ) {
        remove(key)
        guard until > from, size >= 0, size <= bytesMax else { return }
        turn += 1
        entries[key] = Entry(answer: answer, bytes: size, from: from, until: until, turn: turn)
        bytes += size
        order.append(Turn(key: key, turn: turn))
        makeRoom()
    }

    private mutating func makeRoom() {
        while entries.count > countMax || bytes > bytesMax
            || order.count - orderStart > 2 * countMax
        {
            guard orderStart < order.count else { break }
            let oldest = order[orderStart]
            orderStart += 1
            if entries[oldest.key]?.turn == oldest.turn { remove(oldest.key) }
        }
        // Now and then, so that each costs little.
        if orderStart > countMax {
            order.removeFirst(orderStart)
            orderStart = 0
        }
    }

    private mutating func remove(_ key: [UInt8]) {
        guard let entry = entries.removeValue(forKey: key) else { return }
        bytes -= entry.bytes
    }
}
