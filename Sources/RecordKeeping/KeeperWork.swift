// KeeperWork.swift: what the keeper's thread does in a turn.

internal import Record
internal import Transparency

/// The keeper's own state, seen by its thread alone.
struct KeeperWork {
    private let keeper: RecordKeeper
    private let purging: SegmentPurge
    private var settings = KeeperSettings()
    private var desk: WitnessDesk
    private var follower: TreeFollower
    private(set) var report = KeeperReport()

    /// The newest checkpoint that was followed.
    private var checkpoint = ""
    /// Entries of the record when the gate found it; nil once its writer has come further.
    private var found: UInt64?
    private var lines: UInt64 = 0
    private var nextFollow: UInt64 = 0
    private var nextDisk: UInt64 = 0
    private var nextAge: UInt64 = 0
    private var wasFull = false
    private var isFinished = false
    private var clock: ClockSense
    private var endAt: UInt64?

    private static let diskEvery: UInt64 = 3_000
    private static let ageEvery: UInt64 = 3_600_000
    /// After a look at the files that failed.
    private static let followAgain: UInt64 = 30_000

    init(_ keeper: RecordKeeper) {
        self.keeper = keeper
        purging = SegmentPurge(folder: keeper.folder)
        desk = WitnessDesk(state: keeper.state, key: keeper.signer.verifier)
        follower = TreeFollower(folder: keeper.folder)
        clock = ClockSense(
            lastKnown: modified(keeper.folder + "/checkpoint"), wall: wallMilliseconds(),
            monotonic: monotonic())
    }

    mutating func use(_ settings: KeeperSettings) {
        self.settings = settings
        desk.use(settings.witnesses, every: UInt64(clamping: settings.witnessEvery) * 1000)
        nextDisk = 0
        nextAge = 0
        nextFollow = 0
        checkpoint = ""
        report.witnesses = desk.reports(now: monotonic())
    }

    mutating func settle(_ errand: WitnessErrand, _ verdict: WitnessVerdict) {
        let before = desk.reports(now: monotonic()).first { $0.name == errand.settings.name }
        desk.settle(errand, verdict, now: monotonic(), wall: wallMilliseconds() / 1000)
        let after = desk.reports(now: monotonic()).first { $0.name == errand.settings.name }
        guard before?.problem != after?.problem else { return }
        keeper.say("witness \(errand.settings.name): \(after?.problem ?? "answers again")")
    }

    /// Writes an entry; whether it is on disk.
    mutating func write(_ fields: [UInt8]) -> Bool {
        lines += 1
        return keeper.pen.write(fields, number: lines)
    }

    /// One turn.
    mutating func look(isLast: Bool) {
        let now = monotonic()
        follow(now: now, isLast: isLast)
        for errand in desk.errands(with: follower, now: now, isLast: isLast && endAt == nil) {
            keeper.carry(errand)
        }
        if isLast, endAt == nil { endAt = now }
        if nextDisk <= now, !isLast {
            nextDisk = now + Self.diskEvery
            finishPurges()
            lookAtDisk()
        }
        if nextAge <= now, !isLast {
            nextAge = now + Self.ageEvery
            purgeByAge()
        }
        report.witnesses = desk.reports(now: now)
    }

    /// Whether nothing is under way any more, or that has been waited for long enough.
    func hasEnded(after patience: UInt64) -> Bool {
        !desk.isBusy || (endAt ?? .max) + patience < monotonic()
    }

    // MARK: The tree

    private mutating func follow(now: UInt64, isLast: Bool) {
        guard nextFollow <= now || isLast else { return }
        guard let note = newest(), note != checkpoint || desk.sizes.contains(where: isUnknown)
        else { return }
        guard let signed = SignedNote(note), signed.isSigned(by: keeper.signer.verifier),
            let next = Checkpoint(signed.text)
        else { return }
        if report.checkpoint?.size != next.size {
            report.checkpoint = (next.size, wallMilliseconds() / 1000)
        }
        // Nobody is to be shown anything: the files need not be read again.
        guard !desk.isEmpty else {
            checkpoint = note
            return
        }
        do throws(FollowProblem) {
            try follow(to: next.size)
            guard follower.root(at: next.size) == next.root else {
                throw .contradiction(
                    "what is on the disk is not what was signed as \(next.size) entries")
            }
            checkpoint = note
            desk.compare(with: follower, entries: max(found ?? 0, next.size))
            desk.take(next, note, now: now)
            report.problem = nil
            report.contradiction = nil
        } catch {
            nextFollow = now + Self.followAgain
            if case .contradiction(let text) = error {
                report.contradiction = text
            } else {
                report.problem = error.message
            }
            keeper.say("record: \(error.message)")
        }
    }

    private func isUnknown(_ size: UInt64) -> Bool {
        size > 0 && size < follower.size && !follower.cuts.contains(size)
    }

    private mutating func follow(to size: UInt64) throws(FollowProblem) {
        while true {
            do throws(FollowProblem) {
                return try follower.follow(to: size, keeping: desk.sizes)
            } catch {
                guard case .purged(let lost) = error, desk.sizes.contains(lost) else { throw error }
                desk.lose(lost)
            }
        }
    }

    /// The newest checkpoint that is on disk; nil while there is none.
    private mutating func newest() -> String? {
        let progress = keeper.log.progress
        if let note = progress.checkpoint {
            found = nil
            return note
        }
        // Nothing was recorded since the start: what is there is what the gate found.
        if found == nil { found = entriesFound() }
        guard
            let bytes = smallFile(
                keeper.folder + "/checkpoint", bytesMax: SignedNote.lengthMax)
        else { return nil }
        let note = String(decoding: bytes, as: UTF8.self)
        guard let signed = SignedNote(note), let kept = Checkpoint(signed.text),
            kept.size <= found ?? 0
        else { return nil }
        return note
    }

    private func entriesFound() -> UInt64? {
        let folder = SegmentFolder(keeper.folder)
        do throws(RecordError) {
            guard let last = try folder.numbers(.segments).last else { return 0 }
            return try SegmentScan(path: folder.file(last)).tree.end
        } catch {
            return nil
        }
    }

    // MARK: The disk

    private mutating func lookAtDisk() {
        do throws(PurgeProblem) {
            let folder = SegmentFolder(keeper.folder)
            report.segments = (try? folder.numbers(.segments).count) ?? 0
            report.oldest = try purging.oldestTime()
        } catch {
            report.problem = error.text
        }
        report.use = DiskUse(of: keeper.folder)
        guard let use = report.use else { return }
        var level = settings.ceiling.level(use, wasFull: wasFull)
        if case .full(let text) = level, settings.purgesWhenFull {
            purgeForRoom(text)
            report.use = DiskUse(of: keeper.folder)
            if let relieved = report.use { level = settings.ceiling.level(relieved) }
        }
        report.level = level
        if case .full(let text) = level {
            if !wasFull { keeper.say("record: \(text): nothing more is disclosed") }
            wasFull = true
            keeper.log.refuse(text)
        } else {
            if wasFull { keeper.say("record: there is room again") }
            wasFull = false
            keeper.log.allow()
        }
    }

    private mutating func purgeForRoom(_ text: String) {
        guard let use = report.use,
            settings.ceiling.isRelieved(use, without: purging.bytesThatMayGo)
        else {
            if !wasFull {
                keeper.say(
                    "record: nothing is purged: all that may go would not make room, which "
                        + "something else takes")
            }
            return
        }
        for _ in 0..<10_000 {
            guard let use = DiskUse(of: keeper.folder), !settings.ceiling.isRelieved(use) else {
                return
            }
            do throws(PurgeProblem) {
                var isFirst = true
                let oldest = try purging.oldest { _ in
                    defer { isFirst = false }
                    return isFirst
                }
                guard let segment = oldest.first else { return }
                try purge(segment, reason: "no room: \(text)", by: "herse", "when_full")
            } catch {
                keeper.say("record: \(error.text)")
                return
            }
        }
    }

    // MARK: Purges

    private mutating func purgeByAge() {
        guard let keep = settings.keep else { return }
        if case .leapt(let days, let isNews) = clock.look(
            wall: wallMilliseconds(), monotonic: monotonic())
        {
            if isNews {
                keeper.say(
                    "record: the clock is \(days) days further than it was: nothing is purged by "
                        + "age for a day, in case it is wrong (`timedatectl` shows it)")
            }
            return
        }
        let order = PurgeOrder(
            .olderThan(seconds: keep), reason: "kept for \(keep / 86_400) days", by: "herse")
        let result = purge(order)
        if let problem = result.problem { keeper.say("record: \(problem)") }
    }

    /// Purges what an order names, the oldest first, and says how far that went.
    mutating func purge(_ order: PurgeOrder) -> PurgeResult {
        var result = PurgeResult()
        do throws(PurgeProblem) {
            let now = wallMilliseconds()
            let segments = try purging.oldest { order.names($0, now: now) }
            for segment in segments {
                if !order.isPreview {
                    try purge(segment, reason: order.reason, by: order.by, "order")
                }
                result.purged.append(segment)
            }
            if case .through(let number) = order.extent, segments.last?.number != number {
                result.problem =
                    segments.isEmpty
                    ? "segment \(number) is not there, or is the one written to"
                    : "only up to segment \(segments.last?.number ?? 0): what follows is written to"
            }
        } catch {
            result.problem = error.text
        }
        nextDisk = 0
        return result
    }

    private mutating func purge(
        _ segment: ClosedSegment, reason: String, by: String, _ cause: String
    ) throws(PurgeProblem) {
        let time = rfc3339(milliseconds: wallMilliseconds())
        let tombstone = try purging.bury(segment, reason: reason, at: time, keeper.signer)
        try finish(tombstone, by: by, cause)
        keeper.say("record: segment \(segment.number) purged: \(reason)")
    }

    private mutating func finish(
        _ tombstone: Tombstone, by: String, _ cause: String
    ) throws(PurgeProblem) {
        guard write(purgedFields(tombstone, by: by, cause: cause)) else {
            throw PurgeProblem(
                "segment \(tombstone.segment) is not purged: that could not be recorded")
        }
        try purging.remove(tombstone.segment)
    }

    /// Ends what a crash cut short.
    private mutating func finishPurges() {
        do throws(PurgeProblem) {
            for number in try purging.halfPurged() {
                guard
                    let tombstone = purging.tombstone(
                        of: number, signedBy: keeper.signer.verifier)
                else {
                    throw PurgeProblem(
                        "segment \(number) has a tombstone that is not this gate's: "
                            + "look at it, then move it away")
                }
                try finish(tombstone, by: "herse", "restart")
                keeper.say("record: the purge of segment \(number) is finished")
            }
        } catch {
            report.problem = error.text
        }
    }
}

/// The fields of the entry that says what was purged.
private func purgedFields(_ tombstone: Tombstone, by: String, cause: String) -> [UInt8] {
    func text(_ name: String, _ value: String) -> [UInt8] {
        Array(",\"\(name)\":".utf8) + jsonString(value)
    }
    func number(_ name: String, _ value: UInt64) -> [UInt8] {
        Array(",\"\(name)\":\(value)".utf8)
    }
    var fields =
        Array(EventName.purged.field.utf8) + number("purged", UInt64(tombstone.segment))
    fields += number("begins", tombstone.range.begin) + number("ends", tombstone.range.end)
    fields += text("first", tombstone.first) + text("last", tombstone.last)
    return fields + text("reason", tombstone.reason) + text("by", by) + text("cause", cause)
}
