// FeedCarrier.swift: what carries parcels to a receiver, and what the receiver makes of them.

internal import RecordReading

/// One AuditEvent or audit message on its way.
struct FeedParcel {
    let id: String
    /// The entry it is of.
    let number: UInt64
    /// Where a feed goes on that has not delivered it; nil at the beginning of the record.
    let before: RecordPlace?
    let bytes: [UInt8]
}

/// What a receiver made of a parcel.
enum FeedVerdict: Equatable {
    case taken
    /// It never takes this one; a word or two why, nothing of the parcel.
    case refused(String)
    /// Not now; seconds after which it wants to be asked again, if it said.
    case later(String, seconds: Int? = nil)
}

/// Carries parcels to one receiver; used by one thread.
protocol FeedCarrier: AnyObject {
    /// Parcels sent before the cursor is written.
    var parcelsMax: Int { get }

    /// Sends parcels in their order and waits; what is beyond the verdicts was not tried.
    ///
    /// - Throws: What no further attempt will mend: trust, addresses, rights.
    func send(_ parcels: [FeedParcel]) throws(ExportError) -> [FeedVerdict]
}

/// How a feed reaches its receiver.
package struct FeedSettings: Sendable {
    package var target: FeedTarget
    /// Path of the cursor.
    package var cursor: String
    /// Paths of PEM files: whom to trust, and what to show.
    package var authorities: String?
    package var certificate: String?
    package var privateKey: String?
    /// Batches instead of one request for each event.
    package var isBundled = false
    /// Whether a repository is asked to keep one of an event it has.
    package var isConditional = false
    /// Who is said to have seen it; the record's name when it is empty.
    package var site = ""
    package var spelling = AuditSpelling.dicom
    /// Attempts at one parcel that fail before the feed ends; nil for no end.
    package var attemptsMax: Int? = 8
    /// Where parcels go that the receiver refuses; without, the first one ends the feed.
    package var refused: String?
    /// Whether it goes on where entries were purged before they were fed.
    package var acceptsGap = false
    /// Entries before are not fed, in milliseconds since 1970.
    package var since: UInt64 = 0

    package init(to target: FeedTarget, cursor: String) {
        self.target = target
        self.cursor = cursor
    }
}
