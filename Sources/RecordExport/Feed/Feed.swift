// Feed.swift: the record, entry by entry, to a receiver that has accepted each before it counts.

internal import Foundation
package import RecordReading

/// What a pass of a feed did.
package struct FeedReport: Equatable, Sendable {
    /// Entries, and the AuditEvents or messages made of them.
    package var entries = 0
    package var pieces = 0
    /// Pieces that were set aside.
    package var refused = 0
    /// What of the record was not fed.
    package var pass = RecordReader.Pass()
    /// The number of the entry that comes next.
    package var next: UInt64?

    package init() {}
}

/// Feeds one receiver; its cursor says how far it has come.
///
/// At least once: the cursor moves when the receiver has accepted, so what is sent between that and
/// a crash is sent again, under the same id.
package final class Feed {
    private let settings: FeedSettings
    private let file: FeedCursorFile
    private let carrier: any FeedCarrier
    private let pause: (Int) -> Void
    private let say: (String) -> Void
    private var cursor: FeedCursor?
    private var report = FeedReport()
    /// What was not sent yet.
    private var parcels: [FeedParcel] = []
    /// Where to go on when all of them are taken.
    private var place: RecordPlace?
    private var problem: String?
    private var hasToldPurge = false

    /// Milliseconds: the first pause, doubled each time, and the longest.
    static let pauseMin = 1_000
    static let pauseMax = 60_000

    /// Takes the cursor; `pause` waits for so many milliseconds, `say` tells the operator something.
    package convenience init(
        _ settings: FeedSettings, pause: @escaping (Int) -> Void = Feed.wait,
        say: @escaping (String) -> Void
    ) throws(ExportError) {
        let carrier: any FeedCarrier =
            switch settings.target {
            case .fhir(let url): RepositoryCarrier(url, settings)
            case .syslog(let host, let port): CollectorCarrier(host: host, port: port, settings)
            }
        try self.init(settings, carrier, pause: pause, say: say)
    }

    init(
        _ settings: FeedSettings, _ carrier: any FeedCarrier, pause: @escaping (Int) -> Void,
        say: @escaping (String) -> Void
    ) throws(ExportError) {
        self.settings = settings
        self.carrier = carrier
        self.pause = pause
        self.say = say
        file = try FeedCursorFile(settings.cursor)
        cursor = try file.read()
        if let cursor, cursor.target != settings.target.address {
            throw ExportError(
                "\(settings.cursor): is the cursor of \(cursor.target)",
                hint: "give each destination a cursor of its own")
        }
    }

    /// Waits.
    package static func wait(milliseconds: Int) {
        Thread.sleep(forTimeInterval: Double(milliseconds) / 1000)
    }

    /// Feeds all that is there and was not fed; the whole again after a failure.
    package func run(_ reader: RecordReader) throws(ExportError) -> FeedReport {
        report = FeedReport()
        parcels = []
        place = try start(in: reader)
        let origin = reader.origin
        let source = AuditSource(site: settings.site.isEmpty ? origin : settings.site)
        let maker = ParcelMaker(settings, source: source, origin: origin)
        var failure: ExportError?
        let from = place
        let (pass, next) = try reading { () throws(RecordReadingError) in
            try reader.read(from: from) { one in
                do throws(ExportError) {
                    try take(one.entry, maker, origin)
                    place = one.next
                    return true
                } catch {
                    failure = error
                    return false
                }
            }
        }
        if let failure { throw failure }
        place = next
        try flush(origin)
        report.pass = pass
        report.next = place?.number
        return report
    }

    private func start(in reader: RecordReader) throws(ExportError) -> RecordPlace? {
        guard let cursor else {
            if !hasToldPurge, let purged = reader.purged(since: settings.since) {
                hasToldPurge = true
                say(
                    "entries \(purged.begins) to \(purged.lastEntry) were purged "
                        + "before they could be fed")
            }
            return nil
        }
        guard cursor.origin == reader.origin else {
            throw ExportError(
                "\(settings.cursor): is a cursor in the record `\(cursor.origin)`",
                hint: "this record is `\(reader.origin)`: give it a cursor of its own")
        }
        if let last = reader.segments.last, cursor.place.segment > last.number {
            throw ExportError(
                "\(settings.cursor): stands in segment \(cursor.place.segment), and the last is "
                    + "\(last.number)",
                hint: "is it an older copy of the record?")
        }
        let place = cursor.place
        if let next = reader.segments.first(where: { $0.number > place.segment && $0.head != nil }),
            next.begins < place.number
        {
            // What was read while it was being written, and never acknowledged, went with a crash;
            // its numbers are those of other entries now.
            say(
                "the record goes on from entry \(next.begins), before \(place.number), to which it "
                    + "was fed: a crash took what was between, or its end was cut")
            return RecordPlace(segment: next.number, offset: 0, number: next.begins)
        }
        guard !reader.isBeyondEnd(place) else {
            throw ExportError(
                "\(settings.cursor): stands at entry \(place.number), which the record has not come "
                    + "to, or no longer has",
                hint: "its end was cut, or it is an older copy: `herse record verify` says more")
        }
        guard let gap = reader.gap(after: place) else { return place }
        let words =
            "entries from \(place.number) to before \(gap.number) were purged before they "
            + "were fed"
        guard settings.acceptsGap else {
            throw ExportError(
                "\(reader.folder): \(words)", hint: "--accept-gap goes on with what there is")
        }
        say(words)
        return gap
    }

    private func take(
        _ entry: RecordedEntry, _ maker: ParcelMaker, _ origin: String
    ) throws(ExportError) {
        guard entry.time >= settings.since else { return }
        report.entries += 1
        let before = place
        try maker.each(of: entry, before: before) { parcel throws(ExportError) in
            parcels.append(parcel)
            if parcels.count >= carrier.parcelsMax { try flush(origin) }
        }
    }

    /// Sends what waits, and moves the cursor; on failure as far as everything before is taken.
    private func flush(_ origin: String) throws(ExportError) {
        while !parcels.isEmpty {
            do throws(ExportError) {
                try deliver()
            } catch {
                try keep(parcels.first?.before, origin)
                throw error
            }
        }
        try keep(place, origin)
    }

    private func keep(_ place: RecordPlace?, _ origin: String) throws(ExportError) {
        guard let place, place != cursor?.place else { return }
        let moved = FeedCursor(origin: origin, target: settings.target.address, place: place)
        try file.write(moved)
        cursor = moved
    }

    /// Sends until all is taken or set aside; leaves in `parcels` what is not.
    private func deliver() throws(ExportError) {
        var failures = 0
        while !parcels.isEmpty {
            let verdicts = try carrier.send(parcels)
            var left: [FeedParcel] = []
            var later: (why: String, seconds: Int?)?
            var refusal: (parcel: FeedParcel, why: String)?
            for (index, parcel) in parcels.enumerated() {
                guard index < verdicts.count else {
                    left.append(parcel)
                    continue
                }
                switch verdicts[index] {
                case .taken: report.pieces += 1
                case .later(let why, let seconds):
                    left.append(parcel)
                    later = later ?? (why, seconds)
                case .refused(let why):
                    if let path = settings.refused {
                        try setAside(parcel, why, in: path)
                        report.refused += 1
                    } else {
                        left.append(parcel)
                        refusal = refusal ?? (parcel, why)
                    }
                }
            }
            failures = left.count < parcels.count ? 0 : failures + 1
            parcels = left
            if let refusal { throw refused(refusal.parcel, refusal.why) }
            if let later { try wait(later.why, later.seconds, failures) }
        }
        if problem != nil {
            say("\(settings.target.address): takes them again")
            problem = nil
        }
    }

    private func refused(_ parcel: FeedParcel, _ why: String) -> ExportError {
        ExportError(
            "\(settings.target.address): refuses entry \(parcel.number): \(why)",
            hint: "--skip-refused FILE sets aside what it refuses and goes on")
    }

    private func wait(_ why: String, _ seconds: Int?, _ failures: Int) throws(ExportError) {
        if let most = settings.attemptsMax, failures >= most {
            throw ExportError(why, hint: "the next feed goes on where this one stopped")
        }
        if problem != why { say("\(why); trying again") }
        problem = why
        let doubled = Self.pauseMin << min(max(failures - 1, 0), 6)
        let milliseconds = seconds.map { $0 * 1000 } ?? min(doubled, Self.pauseMax)
        // Those who all failed at one moment must not all come back at one.
        pause(milliseconds + Int.random(in: 0...(milliseconds / 4 + 1)))
    }
}

/// Makes parcels in the receiver's form.
private struct ParcelMaker {
    private let isSyslog: Bool
    private let events: AuditEvents
    private let messages: AuditMessages
    private let host: String
    private let origin: String

    init(_ settings: FeedSettings, source: AuditSource, origin: String) {
        if case .syslog = settings.target { isSyslog = true } else { isSyslog = false }
        events = AuditEvents(source: source, origin: origin)
        messages = AuditMessages(source: source, origin: origin, spelling: settings.spelling)
        host = source.host
        self.origin = origin
    }

    func each(
        of entry: RecordedEntry, before: RecordPlace?,
        _ take: (FeedParcel) throws(ExportError) -> Void
    ) throws(ExportError) {
        guard isSyslog else {
            try events.each(of: entry) { event throws(ExportError) in
                try take(
                    FeedParcel(
                        id: event.id, number: event.number, before: before, bytes: event.bytes))
            }
            return
        }
        let time = Moment(milliseconds: entry.time).stamp
        for (index, message) in messages.messages(of: entry).enumerated() {
            try take(
                FeedParcel(
                    id: auditID(origin, entry, index), number: entry.sequence, before: before,
                    bytes: syslogMessage(message, time: time, host: host, process: getpid())))
        }
    }
}
