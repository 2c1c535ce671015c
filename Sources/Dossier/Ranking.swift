// Ranking.swift: which accounts to look at first, and why; an aid to reading, no judgement.

/// Something about an account that is seldom so with one that cares for patients.
enum Sign: String, CaseIterable {
    case noUsual = "no-usual-activity"
    case aboveUsual = "above-usual"
    case steady
    case neverAgain = "hardly-seen-again"
    case offHours = "off-hours"
    case newAddresses = "new-addresses"
    case structures
    case misses
    case limited

    func words(_ language: Language) -> String {
        switch self {
        case .noUsual: language.of("aucune activité auparavant", "no activity before")
        case .aboveUsual:
            language.of("au moins trois fois son volume habituel", "at least three times its usual")
        case .steady:
            language.of("volume quotidien très régulier", "very steady daily volume")
        case .neverAgain: language.of("patients presque jamais revus", "patients hardly seen again")
        case .offHours: language.of("nuits et week-ends", "nights and week-ends")
        case .newAddresses: language.of("adresses nouvelles", "new addresses")
        case .structures: language.of("trois structures ou plus", "three structures or more")
        case .misses: language.of("recherches infructueuses", "searches that found nobody")
        case .limited: language.of("arrêté par un plafond", "stopped by a limit")
        }
    }
}

/// An account with its figures and the signs it shows.
struct Standing {
    let account: String
    let tally: AccountTally
    let signs: [Sign]
}

extension Reckoning {
    /// Accounts that asked anything in the period: those with the most signs first, of these the
    /// ones that saw the most patients.
    var standings: [Standing] {
        accountTallies.compactMap { number, tally -> Standing? in
            guard tally.requests > 0 else { return nil }
            return Standing(account: accounts.name(number), tally: tally, signs: signs(tally))
        }.sorted { left, right in
            let lefts = scope.isEverybody ? left.signs.count : 0
            let rights = scope.isEverybody ? right.signs.count : 0
            if lefts != rights { return lefts > rights }
            if left.tally.patients != right.tally.patients {
                return left.tally.patients > right.tally.patients
            }
            return left.account < right.account
        }
    }

    /// Thresholds are rules of thumb: a physician sees some 22 patients a day, up to 30, and each
    /// about five times a year (domain facts, 8.3); a thief takes new ones every day.
    private func signs(_ tally: AccountTally) -> [Sign] {
        let accesses = tally.accesses
        let hasUsual = !tally.usualDays.isEmpty
        var signs: [Sign] = []
        func add(_ sign: Sign, if holds: Bool) { if holds { signs.append(sign) } }
        add(.noUsual, if: !hasUsual && accesses.shown >= 20 && scope.usualFrom < scope.from)
        add(
            .aboveUsual,
            if: hasUsual && median(tally.days.values) >= 3 * median(tally.usualDays.values)
                && accesses.shown >= 20)
        add(.steady, if: isSteady(tally.days.values))
        add(
            .neverAgain,
            if: accesses.shown >= 100 && tally.patients * 100 >= accesses.shown * 95)
        add(.offHours, if: accesses.count >= 20 && tally.offHours * 10 >= accesses.count * 3)
        let fresh = tally.addresses.subtracting(tally.usualAddresses).count
        add(.newAddresses, if: hasUsual && fresh > 0)
        add(.structures, if: tally.structures.count >= 3)
        add(.misses, if: tally.requests >= 20 && tally.misses * 10 >= tally.requests * 3)
        add(.limited, if: tally.limited > 0)
        return signs
    }

    /// Five days or more, ten identities or more on each, and hardly a difference between them.
    private func isSteady(_ days: some Collection<Int>) -> Bool {
        guard days.count >= 5, let least = days.min(), let most = days.max(), least >= 10 else {
            return false
        }
        return (most - least) * 5 <= most
    }
}

/// The value in the middle, 0 of none.
func median(_ values: some Collection<Int>) -> Int {
    let sorted = values.sorted()
    return sorted.isEmpty ? 0 : sorted[sorted.count / 2]
}
