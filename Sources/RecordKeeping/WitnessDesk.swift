// WitnessDesk.swift: every witness: what it has seen, when it is shown more, and what it said.
//
// Pure but for what it keeps in the state's folder: whoever holds it carries the requests.

package import Transparency

/// How one witness is.
package struct WitnessReport: Equatable, Sendable {
    package var name: String
    /// `url`, `syslog` or `file`.
    package var kind: String
    /// Entries it has seen.
    package var size: UInt64
    /// When it took them, in seconds since 1970; 0 for never.
    package var at: UInt64
    /// Entries that it has not seen.
    package var behind: UInt64
    /// Milliseconds since there is something that it has not seen; nil when there is nothing.
    package var behindMilliseconds: UInt64?
    /// Whether that is longer than three intervals.
    package var isLate: Bool
    package var problem: String?
    /// Whether it says that the record was changed or cut.
    package var isContradicted: Bool
}

/// A checkpoint that is to be shown to one witness.
package struct WitnessErrand: Equatable, Sendable {
    package let settings: WitnessSettings
    package let request: WitnessRequest
    package let size: UInt64
}

/// The witnesses of the configuration in force.
package struct WitnessDesk: Sendable {
    private struct Witness: Sendable {
        let settings: WitnessSettings
        var memory: WitnessMemory
        var problem: String?
        /// What is known of it is compared with the record once.
        var isCompared = false
        var isAsked = false
        var nextAt: UInt64 = 0
        var behindSince: UInt64?
        /// Questions that were answered by another size, one after the other.
        var conflicts = 0
        /// What it has seen is purged: nothing can be proven to it any more.
        var isLost = false
        /// Entries it says it has seen, if that is not what is known here.
        var claimed: UInt64?

        /// From where a proof begins.
        var old: UInt64 { claimed ?? memory.size }
    }

    private let folder: WitnessFolder
    /// The key under which the record's checkpoints are signed; its name is the record's.
    private let key: NoteVerifier
    private var witnesses: [Witness] = []
    private var every: UInt64 = 60_000
    private var checkpoint: Checkpoint?
    private var note = ""

    /// Milliseconds after which somebody who failed is tried again, if its turn is not before.
    private static let retry: UInt64 = 60_000
    /// How often one that answers by another size is asked at once again.
    private static let conflictsMax = 3

    /// `state` is the folder of the gate's state.
    package init(state: String, key: NoteVerifier) {
        folder = WitnessFolder(state: state)
        self.key = key
    }

    /// Whether there are any.
    package var isEmpty: Bool { witnesses.isEmpty }
    /// Whether anybody is being asked.
    package var isBusy: Bool { witnesses.contains { $0.isAsked } }

    /// Puts these in the place of all that are there; `every` is in milliseconds.
    package mutating func use(_ settings: [WitnessSettings], every: UInt64) {
        self.every = every
        witnesses = settings.map { one in
            if let same = witnesses.first(where: { $0.settings == one }) { return same }
            let fresh = WitnessMemory(origin: key.name, target: one.target.place)
            let known = folder.memory(of: one.name)
            let isSame = known?.origin == fresh.origin && known?.target == fresh.target
            var witness = Witness(settings: one, memory: isSame ? known ?? fresh : fresh)
            recall(&witness)
            return witness
        }
    }

    /// A file elsewhere says itself what it has seen, whatever became of the state's folder.
    private mutating func recall(_ witness: inout Witness) {
        guard case .file(let path) = witness.settings.target else { return }
        do throws(WitnessFileError) {
            guard let note = try WitnessFile(path: path).last(of: key.name, by: key) else { return }
            witness.memory.note = note
        } catch {
            witness.problem = error.text
        }
    }

    /// Sizes that proofs begin from.
    package var sizes: Set<UInt64> {
        Set(witnesses.filter { !$0.isLost && $0.memory.contradiction == nil }.map(\.old))
    }

    /// What the record was at `size` cannot be told any more.
    package mutating func lose(_ size: UInt64) {
        for index in witnesses.indices where witnesses[index].old == size {
            witnesses[index].isLost = true
            witnesses[index].problem =
                "it has seen \(size) entries, which are purged: nothing can be proven to it"
        }
    }

    /// Compares what each is known to have seen with the record, which `tree` follows and which
    /// has `entries`.
    package mutating func compare(with tree: TreeFollower, entries: UInt64) {
        for index in witnesses.indices where !witnesses[index].isCompared {
            let memory = witnesses[index].memory
            if let seen = memory.checkpoint, memory.contradiction == nil {
                if seen.size > entries {
                    contradict(
                        index, "it has seen \(seen.size) entries, and the record has \(entries)")
                } else if let root = tree.root(at: seen.size) {
                    if root != seen.root {
                        contradict(index, "it has seen other entries than the first \(seen.size)")
                    }
                } else {
                    continue
                }
            }
            witnesses[index].isCompared = true
        }
    }

    private mutating func contradict(_ index: Int, _ text: String) {
        witnesses[index].memory.contradiction = text
        witnesses[index].problem = folder.keep(
            witnesses[index].memory, of: witnesses[index].settings.name)
    }

    /// Takes the newest checkpoint, `now` in milliseconds of a clock that never goes back.
    package mutating func take(_ checkpoint: Checkpoint, _ note: String, now: UInt64) {
        self.checkpoint = checkpoint
        self.note = note
        for index in witnesses.indices where witnesses[index].memory.size < checkpoint.size {
            witnesses[index].behindSince = witnesses[index].behindSince ?? now
        }
    }

    /// What is due now, or whatever is not seen yet when `isLast`.
    package mutating func errands(
        with tree: TreeFollower, now: UInt64, isLast: Bool = false
    ) -> [WitnessErrand] {
        guard let checkpoint else { return [] }
        var errands: [WitnessErrand] = []
        for index in witnesses.indices {
            let witness = witnesses[index]
            guard witness.isCompared, !witness.isAsked, !witness.isLost,
                witness.memory.contradiction == nil, isLast || witness.nextAt <= now,
                witness.memory.size < checkpoint.size, witness.old <= checkpoint.size,
                let proof = tree.proof(from: witness.old, to: checkpoint.size)
            else { continue }
            witnesses[index].isAsked = true
            witnesses[index].nextAt = now + every
            errands.append(
                WitnessErrand(
                    settings: witness.settings,
                    request: WitnessRequest(old: witness.old, proof: proof, note: note),
                    size: checkpoint.size))
        }
        return errands
    }

    /// Takes what a witness said; `wall` is in seconds since 1970.
    package mutating func settle(
        _ errand: WitnessErrand, _ verdict: WitnessVerdict, now: UInt64, wall: UInt64
    ) {
        guard let index = witnesses.firstIndex(where: { $0.settings == errand.settings }) else {
            return
        }
        witnesses[index].isAsked = false
        switch verdict {
        case .cosigned(let note, let at):
            witnesses[index].memory.note = note
            witnesses[index].memory.at = at
            witnesses[index].claimed = nil
            witnesses[index].conflicts = 0
            witnesses[index].behindSince = (checkpoint?.size ?? 0) > errand.size ? now : nil
            witnesses[index].problem = folder.keep(
                witnesses[index].memory, of: errand.settings.name)
        case .knows(let size): settle(index, errand, knows: size, now: now)
        case .contradicts(let text): contradict(index, text)
        case .failed(let text):
            witnesses[index].problem = text
            witnesses[index].nextAt = now + min(every, Self.retry)
        }
    }

    /// It has seen less than is known here, being restored, or more, the answer having been lost.
    private mutating func settle(
        _ index: Int, _ errand: WitnessErrand, knows size: UInt64, now: UInt64
    ) {
        if size > errand.size {
            return contradict(
                index, "it has seen \(size) entries, and was shown a record of \(errand.size)")
        }
        witnesses[index].claimed = size
        witnesses[index].conflicts += 1
        let isOften = witnesses[index].conflicts > Self.conflictsMax
        witnesses[index].nextAt = isOften ? now + min(every, Self.retry) : now
        if isOften {
            witnesses[index].conflicts = 0
            witnesses[index].problem = "answers by another size each time, \(size) the last"
        }
    }

    /// How each is, in the order of the configuration.
    package func reports(now: UInt64) -> [WitnessReport] {
        witnesses.map { witness in
            let size = checkpoint?.size ?? 0
            let since = witness.behindSince.map { now - min($0, now) }
            return WitnessReport(
                name: witness.settings.name, kind: witness.settings.target.word,
                size: witness.memory.size, at: witness.memory.at,
                behind: size - min(witness.memory.size, size), behindMilliseconds: since,
                isLate: (since ?? 0) > 3 * every,
                problem: witness.memory.contradiction ?? witness.problem,
                isContradicted: witness.memory.contradiction != nil)
        }
    }
}
