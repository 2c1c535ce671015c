// PersonLook.swift: a set of persons at one moment: who is within a window, and how many.

/// One subject's set as one call sees it; made under the lock of the owner's stripe.
struct PersonLook {
    let owner: ProfessionalKey
    /// `nil` while nobody was shown.
    let block: PersonBlock?
    let now: LimitTime
    /// Ages in the set are reckoned from here: the tick of the last charge.
    let reference: UInt64
    /// Ticks since; 0 when the clock stands before, and then the set's time stands still.
    let elapsed: UInt64
    /// The set's clock was lost: its ages count as if no time had passed since the last charge.
    let isAhead: Bool
    /// Ages below this, from `reference`, are of persons who are all kept.
    let exactSpan: UInt64
    let sampleBits: UInt32

    init(owner: ProfessionalKey, block: PersonBlock?, now: LimitTime) {
        self.owner = owner
        self.block = block
        self.now = now
        let tick = now.milliseconds / PersonTime.milliseconds
        let touched = block?.touched ?? now.milliseconds
        reference = touched / PersonTime.milliseconds
        elapsed = tick > reference ? tick - reference : 0
        isAhead =
            touched > now.milliseconds
            && touched - now.milliseconds > PersonTime.aheadMillisecondsMax
        sampleBits = block?.sampleBits ?? 0
        let since = sampleBits == 0 ? 0 : block?.exactSince ?? 0
        exactSpan = reference >= since ? min(reference - since, .max - 1) + 1 : 0
    }

    /// The tick that persons are stamped with now.
    var tick: UInt64 {
        isAhead ? now.milliseconds / PersonTime.milliseconds : reference + elapsed
    }

    /// What `touched` becomes.
    var touched: UInt64 {
        isAhead ? now.milliseconds : max(now.milliseconds, block?.touched ?? 0)
    }

    /// Ticks since this person was shown; `nil` when he is not in the set.
    @inline(__always)
    func age(of hash: UInt64) -> UInt64? {
        guard let block, let found = block.find(hash), found.isThere else { return nil }
        return (reference &- block[found.cell]) & PersonTime.mask + elapsed
    }

    /// Persons shown at most `age` ticks ago.
    @inline(__always)
    func count(upTo age: UInt64) -> PersonCount {
        guard let block, age >= elapsed else { return PersonCount() }
        let within = min(age - elapsed, PersonTime.mask)
        let all = block.count(upTo: UInt32(within), from: reference)
        guard sampleBits > 0, within >= exactSpan else { return PersonCount(exact: all) }
        let exact =
            exactSpan == 0 ? 0 : block.count(upTo: UInt32(exactSpan - 1), from: reference)
        return PersonCount(
            exact: exact, sampled: all - min(exact, all), bits: sampleBits, reachesSample: true)
    }

    /// The most persons that can have been shown within a span, as far as that is known without a
    /// look at the cells.
    @inline(__always)
    func countMax(span: UInt64) -> UInt64? {
        guard let block else { return 0 }
        if sampleBits > 0 || isAhead { return nil }
        let all = UInt64(block.entries)
        return block.knownCount(span: span).map { min($0, all) } ?? all
    }

    /// Persons shown within a span; the set knows it from now on.
    func count(span: UInt64) -> PersonCount {
        let counted = count(upTo: span)
        if let block, sampleBits == 0, !isAhead {
            block.know(span: span, count: UInt64(counted.exact))
        }
        return counted
    }

    /// The fewest ticks to wait until the persons shown within `span` and those of an answer are
    /// at most `limit` together; the whole span when they never are.
    ///
    /// `hashes` are the answer's persons: those who leave the window are then new again.
    func wait(span: UInt64, limit: UInt64, hashes: PersonHashes?) -> UInt64 {
        let answered = UInt64(hashes?.count ?? 0)
        guard limit >= answered else { return span }
        var least: UInt64 = 1
        var most = span + 1
        while least < most {
            let middle = least + (most - least) / 2
            let left = span + 1 - middle
            // Those within `span` after `middle` ticks are those within `span - middle` now.
            let counted = left == 0 ? PersonCount() : count(upTo: left - 1)
            var new: UInt64 = 0
            if let hashes {
                for index in 0..<hashes.count {
                    if let age = age(of: hashes[index]), age < left { continue }
                    new += 1
                }
            }
            if counted.upper + new <= limit { most = middle } else { least = middle + 1 }
        }
        return least
    }
}

/// How many persons, and how sure that is.
struct PersonCount: Equatable {
    var exact = 0
    /// Of those kept by a sample.
    var sampled = 0
    var bits: UInt32 = 0
    /// Whether the window reaches back to where only a sample is kept.
    var reachesSample = false

    var estimate: UInt64 { UInt64(exact) + UInt64(sampled) << UInt64(bits) }

    /// The sampled part is binomial: of m persons each is kept with probability p = 2^-bits, and
    /// the count over p has the standard deviation √(m (1 − p) / p).
    private var deviation: Double {
        guard reachesSample, bits > 0 else { return 0 }
        let each = Double(UInt64(1) << UInt64(bits))
        return (Double(sampled + 1) * (1 - 1 / each)).squareRoot() * each
    }

    /// Three standard errors: fewer than 1 in 700 samples stand further below the truth.
    var margin: UInt64 { UInt64((deviation * 3).rounded(.up)) }

    /// What a ceiling is compared with.
    var upper: UInt64 { estimate + margin }

    var relativeError: Double {
        estimate == 0 ? 0 : deviation / Double(estimate)
    }
}

/// Numbers in a piece of memory that lives for one call.
///
/// Safe because each access is checked, and the memory outlives the value: it is only passed down.
@safe struct PersonHashes {
    private let room: UnsafeMutableBufferPointer<UInt64>

    init(_ room: UnsafeMutableBufferPointer<UInt64>) { unsafe self.room = room }

    /// How many there are.
    var count: Int { unsafe room.count }

    @inline(__always)
    subscript(index: Int) -> UInt64 {
        get {
            precondition(index >= 0 && index < count, "within the room")
            // Safe because of the line above.
            return unsafe room[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "within the room")
            // Safe because of the line above; the room was initialized by who made it.
            unsafe room[index] = newValue
        }
    }
}
