// AlertQueue.swift: alerts that wait for one destination: few, whatever happens.
//
// A storm of 100,000 probes must not become 100,000 mails. An alert whose like was sent a moment
// ago waits until the window is over, and takes in all that come meanwhile; of one kind only so
// many subjects wait apart; and what then is still too much goes, the least and oldest first.

/// What waits, by what it is about; times are milliseconds of a clock that never goes back.
struct AlertQueue: Sendable {
    /// What makes two alerts the same.
    private struct Key: Hashable {
        let kind: AlertKind
        let subject: String
    }

    /// Alerts of one kind and subject, which are sent as one.
    struct Entry: Sendable {
        /// The latest: it says how things are.
        var alert: Alert
        var count = 1
        /// When the first of them was raised, on the machine's clock and on the wall.
        var since: UInt64
        var sinceWall: Int64
        /// The worst among them.
        var weight: AlertSeverity
        /// Sent no earlier.
        var notBefore: UInt64
        var attempts = 0
        fileprivate var order: UInt64 = 0

        fileprivate mutating func take(_ later: Entry) {
            alert = later.alert
            count += later.count
            weight = max(weight, later.weight)
        }
    }

    /// Entries that wait.
    let waitingMax: Int
    /// Entries of one kind, each with its own subject; more go into one.
    let distinctMax: Int
    /// Milliseconds in which what is the same is sent once.
    let window: UInt64
    /// Milliseconds after which it is of no use any more.
    let keep: UInt64

    private var waiting: [Key: Entry] = [:]
    private var ofKind: [AlertKind: Int] = [:]
    private var taken: [Key: UInt64] = [:]
    private var lastOrder: UInt64 = 0
    /// Alerts that were never sent: too many, or too old.
    private(set) var dropped = 0

    /// Subjects whose last alert is remembered.
    private static let takenMax = 4096

    init(waitingMax: Int = 1000, distinctMax: Int = 100, window: UInt64, keep: UInt64) {
        self.waitingMax = waitingMax
        self.distinctMax = distinctMax
        self.window = window
        self.keep = keep
    }

    /// Entries that wait.
    var count: Int { waiting.count }
    /// Alerts that wait.
    var alertCount: Int { waiting.values.reduce(0) { $0 + $1.count } }

    /// Takes an alert in; whether there is another entry now.
    mutating func add(_ alert: Alert, now: UInt64) -> Bool {
        let entry = Entry(
            alert: alert, since: now, sinceWall: alert.at, weight: alert.weight, notBefore: now)
        return add(entry, now: now)
    }

    /// Takes in what waited, or failed, elsewhere.
    @discardableResult
    mutating func add(_ new: Entry, now: UInt64) -> Bool {
        var entry = new
        var key = Key(kind: entry.alert.kind, subject: entry.alert.subject)
        if merge(entry, key) { return false }
        if ofKind[key.kind, default: 0] >= distinctMax, !key.subject.isEmpty {
            entry.alert = entry.alert.ofMany
            key = Key(kind: key.kind, subject: "")
            if merge(entry, key) { return false }
        }
        if let last = taken[key], entry.attempts == 0 {
            entry.notBefore = max(now, last + window)
        }
        lastOrder += 1
        entry.order = lastOrder
        waiting[key] = entry
        ofKind[key.kind, default: 0] += 1
        if waiting.count > waitingMax { dropLeast() }
        return true
    }

    private mutating func merge(_ entry: Entry, _ key: Key) -> Bool {
        guard var earlier = waiting[key] else { return false }
        if entry.attempts > 0 {
            // What came back is the older one.
            var older = entry
            older.take(earlier)
            older.order = earlier.order
            waiting[key] = older
        } else {
            earlier.take(entry)
            waiting[key] = earlier
        }
        return true
    }

    private mutating func remove(_ key: Key) -> Entry? {
        guard let entry = waiting.removeValue(forKey: key) else { return nil }
        ofKind[key.kind, default: 1] -= 1
        return entry
    }

    private mutating func dropLeast() {
        let least = waiting.min {
            ($0.value.weight, $0.value.order) < ($1.value.weight, $1.value.order)
        }
        guard let least, let entry = remove(least.key) else { return }
        dropped += entry.count
    }

    /// Drops what is too old.
    mutating func expire(now: UInt64) {
        let old = waiting.filter { $0.value.since + keep <= now }
        for key in old.keys {
            if let entry = remove(key) { dropped += entry.count }
        }
    }

    /// When the next may be sent; nil when none waits.
    var nextDue: UInt64? { waiting.values.lazy.map(\.notBefore).min() }

    /// Takes out what is to be sent now: what was tried least often, of it the worst, of it the
    /// oldest; one that its destination never takes holds up no other.
    mutating func take(now: UInt64, hurried: Bool = false) -> Entry? {
        let due = waiting.lazy.filter { hurried || $0.value.notBefore <= now }
        func rank(_ entry: Entry) -> (Int, Int, UInt64) {
            (entry.attempts, entry.weight.number, entry.order)
        }
        guard let next = due.min(by: { rank($0.value) < rank($1.value) }) else { return nil }
        if taken.count >= Self.takenMax {
            let window = self.window
            taken = taken.filter { $0.value + window > now }
            if taken.count >= Self.takenMax { taken = [:] }
        }
        taken[next.key] = now
        return remove(next.key)
    }

    /// Takes everything out, in the order it came in.
    mutating func takeAll() -> [Entry] {
        let all = waiting.values.sorted { $0.order < $1.order }
        waiting = [:]
        ofKind = [:]
        return all
    }
}
