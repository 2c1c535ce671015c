// LimitUsage.swift: what is used of a set's windows, without counting anything.

/// Some kinds of count.
package struct CountKinds: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package init(_ kind: CountKind) { rawValue = 1 << kind.rawValue }

    package static let requests = CountKinds(.requests)
    package static let lookups = CountKinds(.lookups)
    package static let patients = CountKinds(.patients)
    package static let disclosures = CountKinds(.disclosures)
    package static let misses = CountKinds(.misses)
    /// What only an answer shows.
    package static let ofAnswers: CountKinds = [.disclosures, .misses]
}

/// A window that has nothing left.
package struct ExhaustedWindow: Equatable, Sendable {
    package let window: Int
    package let retryAfterSeconds: UInt64
}

extension LimitTable {
    /// What is used of every window of `set`, those of a structure left out when there is none.
    package func usage(
        _ who: LimitSubjects, _ set: LimitSet, extras: LimitExtras = .none, now: LimitTime
    ) -> [WindowUsage] {
        locked(who) { _ in
            set.prepared.indices.compactMap {
                usage(of: $0, who, set, extras: extras, now: now)
            }
        }
    }

    /// Of the refusing windows of some kinds that have nothing left, the one that stays so
    /// longest; for admission, before it is known what the answer will cost.
    package func exhausted(
        _ who: LimitSubjects, _ set: LimitSet, applies: UInt16 = .max, kinds: CountKinds,
        extras: LimitExtras = .none, now: LimitTime
    ) -> ExhaustedWindow? {
        func isAsked(_ ordinal: Int) -> Bool {
            kinds.contains(CountKinds(set.prepared[ordinal].count))
                && set.prepared[ordinal].enforcement == .deny
                && applies >> UInt16(ordinal) & 1 == 1
        }
        // Most sets limit none of these: no lock is taken for them.
        guard set.prepared.indices.contains(where: isAsked) else { return nil }
        return locked(who) { _ in
            var found: ExhaustedWindow?
            for ordinal in set.prepared.indices where isAsked(ordinal) {
                guard let usage = usage(of: ordinal, who, set, extras: extras, now: now),
                    usage.remaining == 0, usage.resetSeconds >= found?.retryAfterSeconds ?? 0
                else { continue }
                found = ExhaustedWindow(
                    window: ordinal, retryAfterSeconds: max(usage.resetSeconds, 1))
            }
            return found
        }
    }

    /// What is used of one window; its holder's lock is held.
    private func usage(
        of ordinal: Int, _ who: LimitSubjects, _ set: LimitSet, extras: LimitExtras, now: LimitTime
    ) -> WindowUsage? {
        let window = set.prepared[ordinal]
        guard let owner = who.key(of: window.each) else { return nil }
        let limit = window.limit + UInt64(extras[window.count])
        if window.count == .patients {
            return personsUsage(
                ordinal, window,
                ProfessionalKey(high: owner.high, low: owner.low ^ set.personsMark),
                limit: limit, now: now)
        }
        let number = find(owner.high, owner.low ^ window.mark) ?? -1
        let bucket = now.milliseconds / window.bucketMilliseconds
        let used = number < 0 ? 0 : mapping.slot(number).advance(to: bucket)
        return usage(number, window, ordinal: ordinal, used: used, limit: limit, now: now)
    }

    private func personsUsage(
        _ ordinal: Int, _ window: PreparedWindow, _ owner: ProfessionalKey, limit: UInt64,
        now: LimitTime
    ) -> WindowUsage {
        let look = PersonLook(owner: owner, block: persons.block(of: owner).block, now: now)
        let counted = look.count(upTo: window.spanTicks)
        var ticks: UInt64 = 0
        if limit == 0 {
            ticks = window.spanTicks
        } else if counted.upper > 0 {
            // Until one leaves, or as many as make room for one.
            ticks = look.wait(
                span: window.spanTicks, limit: min(counted.upper, limit) - 1, hashes: nil)
        }
        return WindowUsage(
            window: ordinal, used: counted.estimate, limit: limit,
            resetSeconds: (ticks * PersonTime.milliseconds + 999) / 1000,
            margin: counted.margin, error: counted.relativeError)
    }

    /// What is used of a window that a slot counts.
    func usage(
        _ number: Int, _ window: PreparedWindow, ordinal: Int, used: UInt64, limit: UInt64,
        now: LimitTime
    ) -> WindowUsage {
        var reset: UInt64 = 0
        if used >= limit {
            reset = wait(number, window, used: used, amount: 1, limit: limit, now: now)
        } else if used > 0 {
            reset = mapping.slot(number).wait(
                toForget: 1, bucketMilliseconds: window.bucketMilliseconds, now: now)
        }
        return WindowUsage(
            window: ordinal, used: used, limit: limit, resetSeconds: (reset + 999) / 1000)
    }

    /// Milliseconds until a window has room for `amount`; the whole span when it never has.
    func wait(
        _ number: Int, _ window: PreparedWindow, used: UInt64, amount: UInt64, limit: UInt64,
        now: LimitTime
    ) -> UInt64 {
        guard amount <= limit, number >= 0 else { return UInt64(window.spanSeconds) * 1000 }
        return mapping.slot(number).wait(
            toForget: used + amount - limit, bucketMilliseconds: window.bucketMilliseconds,
            now: now)
    }
}
