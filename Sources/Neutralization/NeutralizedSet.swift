// NeutralizedSet.swift: the operator's list in memory: a million entries, one look-up, no allocation.
//
// Entries lie in the order of the file; an open-addressing index of 32-bit words points at them, and
// texts lie in one blob. An entry takes 40 bytes, 6.4 of index and 13 (an account) to 17 (a
// certificate, of whose digest the key is half) of text. Networks are in
// the same index, under their masked address and prefix length, and are looked up longest first.

/// One line of the list, as a person reads it.
package struct ListedEntry: Equatable, Sendable {
    package let subject: Subject
    package let since: UnixSeconds?
    package let until: UnixSeconds?
    package let reason: String?
    package let ticket: String?
    /// Line of the file, from 1.
    package let line: Int
    /// Whether the line restores its subject instead of cutting it off.
    package let isReinstatement: Bool
}

/// Every entry of one list file; immutable, so that all workers share one.
package final class NeutralizedSet: Sendable {
    let entries: [Entry]
    /// 0 for empty, else 8 bits of hash and, below them, the entry's number plus one.
    let index: [UInt32]
    let texts: [UInt8]
    /// Prefix lengths that occur, longest first.
    let lengths4: [UInt8]
    let lengths6: [UInt8]
    /// The kinds of subject that occur, one bit each.
    let kinds: UInt16
    /// Moments of `issued-before`, latest first.
    let moments: [UInt32]
    /// Whether any line reinstates.
    let reinstates: Bool

    /// Lines about one subject; more is a mistake of whatever wrote the list, and would make
    /// looking that subject up slow.
    static let sameSubjectMax = 64

    struct Entry {
        let high: UInt64
        let low: UInt64
        /// When it comes in force: 0 for always.
        let since: UInt32
        /// When it is over: `.max` for never.
        let until: UInt32
        let text: UInt32
        let note: UInt32
        let line: UInt32
        let tag: UInt16

        var key: IndexKey { IndexKey(high: high, low: low, tag: tag) }

        /// The first 16 bytes of a digest, which are its key; the others are its text.
        var firstHalf: [UInt8] {
            [high, low].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
            }
        }
    }

    /// A list that names nobody.
    package static let empty = NeutralizedSet()

    private init() {
        entries = []
        index = [0, 0]
        texts = []
        lengths4 = []
        lengths6 = []
        kinds = 0
        moments = []
        reinstates = false
    }

    /// Builds the index; throws the number of an entry whose subject has too many lines already.
    init(entries: [Entry], texts: [UInt8]) throws(TooManyForSubject) {
        // Five eighths full: half of it would be memory for nothing, and fuller is slower.
        let capacity = entries.count + entries.count / 8 * 5 + 8
        var index = [UInt32](repeating: 0, count: capacity)
        var kinds: UInt16 = 0
        var present4: UInt64 = 0
        var present6 = [Bool](repeating: false, count: 129)
        var moments: Set<UInt32> = []
        var reinstates = false
        for number in 0..<entries.count {
            let entry = entries[number]
            let spread = entry.key.spread
            var place = Self.place(spread, capacity)
            var same = 0
            while index[place] != 0 {
                let other = entries[Int(index[place] & 0xFF_FFFF) - 1]
                if other.key == entry.key { same += 1 }
                guard same < Self.sameSubjectMax else { throw TooManyForSubject(entry: number) }
                place = place + 1 < capacity ? place + 1 : 0
            }
            index[place] = UInt32(truncatingIfNeeded: spread >> 56) << 24 | UInt32(number + 1)
            kinds |= entry.key.kindBit
            let length = Int(entry.tag & 0xFF)
            if entry.tag & 0xFF00 == IndexKey.network4Tag { present4 |= 1 << UInt64(length) }
            if entry.tag & 0xFF00 == IndexKey.network6Tag, length <= 128 { present6[length] = true }
            if entry.tag == IndexKey.issuedBeforeTag {
                moments.insert(UInt32(truncatingIfNeeded: entry.low))
            }
            if entry.tag & IndexKey.reinstatingBit != 0 { reinstates = true }
        }
        self.entries = entries
        self.index = index
        self.texts = texts
        self.kinds = kinds
        self.lengths4 = (0...32).reversed().filter { present4 >> $0 & 1 == 1 }
        self.moments = moments.sorted(by: >)
        self.reinstates = reinstates
        self.lengths6 = (0...128).reversed().filter { present6[Int($0)] }
    }

    /// Where the search for a key begins: its low 32 bits as a share of the index.
    @inline(__always)
    private static func place(_ spread: UInt64, _ capacity: Int) -> Int {
        Int(truncatingIfNeeded: ((spread & 0xFFFF_FFFF) &* UInt64(capacity)) &>> 32)
    }

    struct TooManyForSubject: Error { let entry: Int }

    package var count: Int { entries.count }
    package var isEmpty: Bool { entries.isEmpty }

    /// The number of an entry about `key` that is in force at `now`; entries whose `since` is not
    /// later than `overriddenTo` do not count.
    @inline(__always)
    func find(_ key: IndexKey, now: UInt32, overriddenTo: UInt32? = nil) -> Int? {
        let spread = key.spread
        var place = Self.place(spread, index.count)
        let check = UInt32(truncatingIfNeeded: spread >> 56)
        // INVARIANT: the index is never full, so that an empty place ends every search.
        while true {
            let word = index[place]
            if word == 0 { return nil }
            if word >> 24 == check {
                let number = Int(word & 0xFF_FFFF) - 1
                let entry = entries[number]
                if entry.high == key.high, entry.low == key.low, entry.tag == key.tag,
                    entry.since <= now, now < entry.until
                {
                    guard let overriddenTo, entry.since <= overriddenTo else { return number }
                }
            }
            place = place + 1 < index.count ? place + 1 : 0
        }
    }

    /// The latest moment at which a line in force at `now` reinstated the subject of `key`.
    func reinstated(_ key: IndexKey, now: UInt32) -> UInt32? {
        guard reinstates else { return nil }
        var latest: UInt32?
        forEach(key.reinstating) { number in
            let entry = entries[number]
            guard entry.since <= now, now < entry.until else { return }
            latest = max(latest ?? entry.since, entry.since)
        }
        return latest
    }

    /// The list without the lines that `isKept` does not keep, and how many those are.
    package func keeping(
        _ isKept: (ListedEntry) -> Bool
    ) -> (list: NeutralizedSet, dropped: Int) {
        let kept = entries.indices.filter { isKept(entry($0)) }
        // INVARIANT: fewer lines never have more about one subject; were it otherwise, all would
        // stay in force.
        guard kept.count < entries.count,
            let list = try? NeutralizedSet(entries: kept.map { entries[$0] }, texts: texts)
        else { return (self, 0) }
        return (list, entries.count - kept.count)
    }

    /// Calls `body` with the number of every entry about `key`, in force or not.
    func forEach(_ key: IndexKey, _ body: (Int) -> Void) {
        var place = Self.place(key.spread, index.count)
        while index[place] != 0 {
            let number = Int(index[place] & 0xFF_FFFF) - 1
            if entries[number].key == key { body(number) }
            place = place + 1 < index.count ? place + 1 : 0
        }
    }

    /// The first moment after `now` at which an entry comes in force or is over.
    ///
    /// Reads every entry (some milliseconds for a million): ask once per list and once per edge, off the
    /// workers.
    func nextChange(after now: UInt32) -> UInt32? {
        var next = UInt32.max
        for entry in entries {
            if entry.since > now { next = min(next, entry.since) }
            if entry.until > now { next = min(next, entry.until) }
        }
        return next == .max ? nil : next
    }
}

extension NeutralizedSet {
    /// The entry with this number, 0 ..< `count`, with its texts.
    package func entry(_ number: Int) -> ListedEntry {
        let entry = entries[number]
        let reason = text(at: Int(entry.note))
        let ticket = text(at: reason.upperBound)
        return ListedEntry(
            subject: subject(of: entry),
            since: entry.since == 0 ? nil : UnixSeconds(Int64(entry.since)),
            until: entry.until == .max ? nil : UnixSeconds(Int64(entry.until)),
            reason: reason.isEmpty ? nil : String(decoding: texts[reason], as: UTF8.self),
            ticket: ticket.isEmpty ? nil : String(decoding: texts[ticket], as: UTF8.self),
            line: Int(entry.line), isReinstatement: entry.key != entry.key.denying)
    }

    /// Calls `body` with every entry in the order of the file, until it returns false.
    package func forEach(_ body: (ListedEntry) -> Bool) {
        for number in 0..<entries.count {
            guard body(entry(number)) else { return }
        }
    }

    /// What the lines about `key` say, in 64 bits: another line, or another word in one, gives
    /// another digest; 0 when no line is about it.
    func digest(_ key: IndexKey) -> UInt64 {
        var sum: UInt64 = 0
        forEach(key) { number in
            let entry = self.entries[number]
            var hash = FNV128()
            for time in [entry.since, entry.until] {
                for shift in [24, 16, 8, 0] as [UInt32] {
                    hash.add(UInt8(truncatingIfNeeded: time >> shift))
                }
            }
            let reason = self.text(at: Int(entry.note))
            let ticket = self.text(at: reason.upperBound)
            for byte in self.texts[Int(entry.note)..<ticket.upperBound] { hash.add(byte) }
            // Added up, since the order of lines says nothing.
            sum &+= hash.high ^ hash.low | 1
        }
        return sum
    }

    /// The SHA-256 of an entry: its key and, behind it, what the key has no room for.
    private func digest(of entry: Entry, rest: ArraySlice<UInt8>) -> [UInt8] {
        var digest: [UInt8] = []
        digest.reserveCapacity(32)
        for half in [entry.high, entry.low] {
            for shift in stride(from: 56, through: 0, by: -8) {
                digest.append(UInt8(truncatingIfNeeded: half >> UInt64(shift)))
            }
        }
        return digest + rest
    }

    /// The bytes after a length byte at `offset`.
    private func text(at offset: Int) -> Range<Int> {
        let start = offset + 1
        return start..<start + Int(texts[offset])
    }

    private func subject(of entry: Entry) -> Subject {
        let key = entry.key.denying
        if let network = key.network { return .network(network) }
        if key.tag == IndexKey.issuedBeforeTag {
            return .issuedBefore(UnixSeconds(Int64(truncatingIfNeeded: key.low)))
        }
        let first = text(at: Int(entry.text))
        let bytes = texts[first]
        switch key.tag {
        case IndexKey.hashedAccountTag:
            let digest = entry.firstHalf + bytes
            if let it = HashedAccount(digest.span) { return .hashedAccount(it) }
        case IndexKey.certificateTag:
            let digest = entry.firstHalf + bytes
            if let it = CertificateFingerprint(digest.span) { return .certificate(it) }
        case IndexKey.structureTag:
            return .structure(StructureCode(read: String(decoding: bytes, as: UTF8.self)))
        case IndexKey.sessionTag:
            return .session(OpaqueName(read: String(decoding: bytes, as: UTF8.self)))
        case IndexKey.tokenTag:
            return .token(OpaqueName(read: String(decoding: bytes, as: UTF8.self)))
        case IndexKey.clientTag:
            return .client(OpaqueName(read: String(decoding: bytes, as: UTF8.self)))
        case IndexKey.serialTag:
            let issuer = texts[text(at: first.upperBound)]
            return .serial(CertificateSerial(read: Array(bytes), issuer: Array(issuer)))
        default:
            break
        }
        return .account(AccountID(read: String(decoding: bytes, as: UTF8.self)))
    }
}

extension UInt32 {
    /// A moment as the index keeps it: 1970 to 2106, what lies beyond counts as the nearest.
    init(listTime time: UnixSeconds) {
        self.init(clamping: time.value)
    }
}
