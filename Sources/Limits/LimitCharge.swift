// LimitCharge.swift: one event against every window of a set: counted in all of them or in none.

/// What a charge is told, but for the persons.
struct ChargeTerms {
    let who: LimitSubjects
    let set: LimitSet
    let applies: UInt16
    let event: LimitEvent
    let extras: LimitExtras
    let authenticationAge: UInt32?
    let now: LimitTime

    /// The most of a window, grants included.
    @inline(__always)
    func limit(of window: PreparedWindow) -> UInt64 {
        window.limit + UInt64(extras[window.count])
    }

    /// Whose window it is; `nil` when it does not apply.
    @inline(__always)
    func owner(of ordinal: Int, _ window: PreparedWindow) -> ProfessionalKey? {
        applies >> UInt16(ordinal) & 1 == 0 ? nil : who.key(of: window.each)
    }
}

/// What a look at every window found, before anything is counted.
struct Examination {
    /// The number of each counted slot, by the window that counts; -1 where there is none yet.
    var slots = InlineArray<16, Int>(repeating: -1)
    /// Windows whose slot was looked for.
    var looked: UInt16 = 0
    /// Windows whose slot is charged.
    var counting: UInt16 = 0
    var shadowed: UInt16 = 0
    var steppedUp: UInt16 = 0
    var denied: (window: Int, usage: WindowUsage)?
    var stepUp: (window: Int, maxAgeSeconds: UInt32)?
    /// `used` is after this event.
    var tightest: (window: Int, used: UInt64, limit: UInt64)?

    mutating func consider(_ window: Int, used: UInt64, limit: UInt64) {
        if let tightest, tightest.limit - tightest.used <= limit - used { return }
        tightest = (window, used, limit)
    }
}

extension LimitTable {
    /// Checks one event against every window of `set` that `applies` (one bit each, the first
    /// window's lowest) and counts it in all of these, or in none.
    ///
    /// `starts` has one number more than there are distinct persons, or none; the keys of person
    /// `i` are `persons[starts[i]..<starts[i + 1]]`, the best first. A person already shown within
    /// a window is not new to it: someone at his ceiling still sees those he has seen. Fresh proof
    /// of who he is, `authenticationAge` seconds old, passes windows that ask for it.
    package func charge(
        _ who: LimitSubjects, _ set: LimitSet, applies: UInt16 = .max, event: LimitEvent,
        persons: Span<UInt64>, starts: Span<Int>, extras: LimitExtras = .none,
        authenticationAge: UInt32? = nil, now: LimitTime
    ) -> LimitOutcome {
        mapping.remember(now)
        let terms = ChargeTerms(
            who: who, set: set, applies: applies, event: event, extras: extras,
            authenticationAge: authenticationAge, now: now)
        let count = max(starts.count - 1, 0)
        let keeps = set.keepsPersons
        guard count > 0, keeps.professional || keeps.structure && who.structure != nil else {
            return locked(who) { held in
                var nobody: ShownPersons?
                return settle(terms, &nobody, held: held)
            }
        }
        return unsafe withUnsafeTemporaryAllocation(of: UInt64.self, capacity: count * 3) { room in
            // Safe because the three parts lie in the room, which outlives the calls below.
            unsafe room.initialize(repeating: 0)
            let part = { (number: Int) in
                unsafe PersonHashes(.init(rebasing: room[number * count..<(number + 1) * count]))
            }
            let names = part(0)
            self.persons.name(persons, starts, names)
            return locked(who) { held in
                var shown: ShownPersons? = ShownPersons()
                if keeps.professional {
                    shown?.professional = look(
                        at: persons, starts, names, part(1), .professional, terms)
                }
                if keeps.structure, who.structure != nil {
                    shown?.structure = look(at: persons, starts, names, part(2), .structure, terms)
                }
                return settle(terms, &shown, held: held)
            }
        }
    }

    /// Charges an event that shows nobody.
    package func charge(
        _ who: LimitSubjects, _ set: LimitSet, applies: UInt16 = .max, event: LimitEvent,
        extras: LimitExtras = .none, authenticationAge: UInt32? = nil, now: LimitTime
    ) -> LimitOutcome {
        charge(
            who, set, applies: applies, event: event, persons: Span(), starts: Span(),
            extras: extras, authenticationAge: authenticationAge, now: now)
    }

    @inline(__always)
    func locked<Result: Sendable>(
        _ who: LimitSubjects, _ body: (HeldStripes) -> Result
    ) -> Result {
        let first = StripeLocks.stripe(of: who.professional)
        let second = who.structure.map { StripeLocks.stripe(of: $0) } ?? first
        return stripes.withLocks(first, second, body)
    }

    @inline(__always)
    private func settle(
        _ terms: ChargeTerms, _ shown: inout ShownPersons?, held: HeldStripes
    ) -> LimitOutcome {
        var found = examine(terms, shown)
        func outcome(
            _ decision: LimitOutcome.Decision, _ tightest: WindowUsage?
        ) -> LimitOutcome {
            LimitOutcome(
                decision: decision, shadowed: found.shadowed, steppedUp: found.steppedUp,
                tightest: tightest)
        }
        if let (window, usage) = found.denied {
            let seconds = max(usage.resetSeconds, 1)
            return outcome(.limited(window: window, retryAfterSeconds: seconds), usage)
        }
        if let (window, seconds) = found.stepUp {
            return outcome(.stepUpNeeded(window: window, maxAgeSeconds: seconds), nil)
        }
        guard makeRoom(terms, &shown, &found, held) else { return outcome(.noRoom, nil) }
        let windows = terms.set.prepared
        for ordinal in 0..<windows.count where found.counting >> UInt16(ordinal) & 1 == 1 {
            let amount = terms.event.amount(of: windows[ordinal].count)
            mapping.slot(found.slots[ordinal]).count(UInt32(clamping: amount))
        }
        shown?.commit(persons)
        guard let (ordinal, used, limit) = found.tightest else { return outcome(.allowed, nil) }
        let window = windows[ordinal]
        if window.count == .patients {
            return outcome(
                .allowed,
                WindowUsage(
                    window: ordinal, used: used, limit: limit,
                    resetSeconds: UInt64(window.spanSeconds)))
        }
        let number = found.slots[window.countedBy]
        return outcome(
            .allowed,
            usage(number, window, ordinal: ordinal, used: used, limit: limit, now: terms.now))
    }

    /// Every slot and set is there before the first is charged: no room for one, nothing in the
    /// others.
    @inline(__always)
    private func makeRoom(
        _ terms: ChargeTerms, _ shown: inout ShownPersons?, _ found: inout Examination,
        _ held: HeldStripes
    ) -> Bool {
        let windows = terms.set.prepared
        for ordinal in 0..<windows.count
        where found.counting >> UInt16(ordinal) & 1 == 1 && found.slots[ordinal] < 0 {
            let window = windows[ordinal]
            guard let owner = terms.who.key(of: window.each),
                let number = insert(owner, window, terms.now, held: held)
            else { return false }
            found.slots[ordinal] = number
        }
        return shown?.prepare(persons, held: held) ?? true
    }
}

// The look at the windows.
extension LimitTable {
    @inline(__always)
    private func examine(_ terms: ChargeTerms, _ shown: ShownPersons?) -> Examination {
        var found = Examination()
        let windows = terms.set.prepared
        for ordinal in 0..<windows.count {
            let window = windows[ordinal]
            guard let owner = terms.owner(of: ordinal, window) else { continue }
            if window.count == .patients {
                examine(ordinal, window, shown, terms, &found)
            } else {
                examine(ordinal, window, owner, terms, &found)
            }
        }
        return found
    }

    @inline(__always)
    private func examine(
        _ ordinal: Int, _ window: PreparedWindow, _ owner: ProfessionalKey, _ terms: ChargeTerms,
        _ found: inout Examination
    ) {
        let amount = terms.event.amount(of: window.count)
        guard amount > 0 else { return }
        let counting = window.countedBy
        if found.looked >> UInt16(counting) & 1 == 0 {
            found.slots[counting] = find(owner.high, owner.low ^ window.mark) ?? -1
            found.looked |= 1 << UInt16(counting)
        }
        let number = found.slots[counting]
        let bucket = terms.now.milliseconds / window.bucketMilliseconds
        let used = number < 0 ? 0 : mapping.slot(number).advance(to: bucket)
        let limit = terms.limit(of: window)
        if used + amount <= limit {
            found.counting |= 1 << UInt16(counting)
            if window.enforcement != .shadow {
                found.consider(ordinal, used: used + amount, limit: limit)
            }
            return
        }
        if passes(ordinal, window, terms, &found) {
            if window.enforcement != .shadow { found.counting |= 1 << UInt16(counting) }
            return
        }
        guard window.enforcement == .deny else { return }
        let wait = wait(
            number, window, used: used, amount: amount, limit: limit, now: terms.now)
        deny(
            ordinal, &found,
            WindowUsage(
                window: ordinal, used: used, limit: limit, resetSeconds: (wait + 999) / 1000))
    }

    @inline(__always)
    private func examine(
        _ ordinal: Int, _ window: PreparedWindow, _ shown: ShownPersons?, _ terms: ChargeTerms,
        _ found: inout Examination
    ) {
        guard let new = shown?.new(to: ordinal, of: window.each) else { return }
        let limit = terms.limit(of: window)
        if new == 0, limit > 0 { return }
        guard let look = shown?.look(of: window.each) else { return }
        if let most = look.countMax(span: window.spanTicks), most + new <= limit {
            if window.enforcement != .shadow {
                found.consider(ordinal, used: most + new, limit: limit)
            }
            return
        }
        let counted = look.count(span: window.spanTicks)
        if counted.upper + new <= limit {
            if window.enforcement != .shadow {
                found.consider(ordinal, used: counted.upper + new, limit: limit)
            }
            return
        }
        if passes(ordinal, window, terms, &found) { return }
        guard window.enforcement == .deny else { return }
        let ticks = look.wait(
            span: window.spanTicks, limit: limit,
            hashes: limit > 0 ? shown?.hashes(of: window.each) : nil)
        let seconds = (ticks * PersonTime.milliseconds + 999) / 1000
        deny(
            ordinal, &found,
            WindowUsage(
                window: ordinal, used: counted.estimate, limit: limit, resetSeconds: seconds,
                margin: counted.margin, error: counted.relativeError))
    }

    /// Whether an exhausted window lets pass all the same.
    private func passes(
        _ ordinal: Int, _ window: PreparedWindow, _ terms: ChargeTerms,
        _ found: inout Examination
    ) -> Bool {
        switch window.enforcement {
        case .deny: return false
        case .shadow:
            found.shadowed |= 1 << UInt16(ordinal)
            return true
        case .stepUp(let seconds):
            if let age = terms.authenticationAge, age <= seconds {
                found.steppedUp |= 1 << UInt16(ordinal)
                return true
            }
            if seconds < found.stepUp?.maxAgeSeconds ?? .max {
                found.stepUp = (ordinal, seconds)
            }
            return false
        }
    }

    private func deny(_ ordinal: Int, _ found: inout Examination, _ usage: WindowUsage) {
        if usage.resetSeconds >= found.denied?.usage.resetSeconds ?? 0 {
            found.denied = (ordinal, usage)
        }
    }
}
