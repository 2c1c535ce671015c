// IntrospectionCache.swift: what an issuer said of tokens, for a while.

internal import JSON

/// Answers by the SHA-256 of the token, which itself is not kept; the oldest makes room.
struct IntrospectionCache {
    private struct Entry {
        let answer: JSONValue
        let bytes: Int
        let from: Int64
        let until: Int64
        let turn: UInt64
    }

    private var entries: [[UInt8]: Entry] = [:]
    /// In the order they came; those replaced meanwhile have another turn.
    private var order: [(key: [UInt8], turn: UInt64)] = []
    private var orderStart = 0
    private var turn: UInt64 = 0
    private var bytes = 0
    private let countMax: Int
    private let bytesMax: Int

    init(countMax: Int, bytesMax: Int) {
        self.countMax = countMax
        self.bytesMax = bytesMax
    }

    var count: Int { entries.count }

    func answer(for key: [UInt8], now: Int64) -> JSONValue? {
        // A clock set back must not make an answer last.
        guard let entry = entries[key], now >= entry.from, now < entry.until else { return nil }
        return entry.answer
    }

    /// - Parameter bytes: Of the answer as it came.
    mutating func keep(
        _ answer: JSONValue, bytes size: Int, for key: [UInt8], from: Int64, until: Int64
    ) {
        remove(key)
        guard until > from, size <= bytesMax else { return }
        turn += 1
        entries[key] = Entry(answer: answer, bytes: size, from: from, until: until, turn: turn)
        bytes += size
        order.append((key, turn))
        while entries.count > countMax || bytes > bytesMax || order.count - orderStart > 2 * countMax
        {
            guard orderStart < order.count else { break }
            let oldest = order[orderStart]
            orderStart += 1
            if entries[oldest.key]?.turn == oldest.turn { remove(oldest.key) }
        }
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
