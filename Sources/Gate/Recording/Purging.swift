// Purging.swift: herse record purge, as the running gate carries it out.

internal import Record
internal import RecordKeeping
internal import Transparency

/// Which segments of the record are to go, and why.
package struct PurgeRequest: Codable, Sendable, Equatable {
    /// Seconds since the last entry of a segment; or else `through`.
    package var olderThanSeconds: Int64?
    /// The number of the last segment to go.
    package var through: Int?
    /// One line.
    package var reason: String
    /// Only say what would go.
    package var preview: Bool

    package init(olderThanSeconds: Int64?, through: Int?, reason: String, preview: Bool) {
        self.olderThanSeconds = olderThanSeconds
        self.through = through
        self.reason = reason
        self.preview = preview
    }

    /// In the words of the command line.
    var extentText: String {
        if let through { return "--through \(through)" }
        return "--older-than \(olderThanSeconds ?? 0)s"
    }
}

/// What a purge came to, as the command line prints it.
package struct PurgeReport: Codable, Sendable, Equatable {
    package var segments: [PurgedSegment]
    package var isPreview: Bool
    /// Why it went no further.
    package var problem: String?
}

/// A segment that went, or would go.
package struct PurgedSegment: Codable, Sendable, Equatable {
    package var segment: Int
    /// The number of its first entry, and of the one after its last.
    package var begins: UInt64
    package var ends: UInt64
    /// RFC 3339, of its first and last entries.
    package var first: String
    package var last: String
    package var bytes: Int
}

extension ControlPlane {
    func purge(_ request: PurgeRequest, by: String) async -> ControlAnswer {
        let problems = problems(of: request)
        guard problems.isEmpty else { return .refused(problems) }
        let extent: PurgeOrder.Extent =
            if let number = request.through {
                .through(segment: number)
            } else {
                .olderThan(seconds: request.olderThanSeconds ?? .max)
            }
        var order = PurgeOrder(extent, reason: request.reason, by: by)
        order.isPreview = request.preview
        let result = await withCheckedContinuation { continuation in
            services.keeper.purge(order) { continuation.resume(returning: $0) }
        }
        let segments = result.purged.map { one in
            PurgedSegment(
                segment: one.number, begins: one.range.begin, ends: one.range.end,
                first: one.first, last: one.last, bytes: one.bytes)
        }
        return .purged(
            PurgeReport(
                segments: segments, isPreview: request.preview, problem: result.problem))
    }

    func problems(of request: PurgeRequest) -> [String] {
        var problems: [String] = []
        if let seconds = request.olderThanSeconds, seconds < 0 || request.through != nil {
            problems.append("--older-than: is not an age, or stands beside --through")
        }
        if request.olderThanSeconds == nil, (request.through ?? 0) < 1 {
            problems.append("--through: is not the number of a segment")
        }
        let bytes = request.reason.utf8
        if bytes.isEmpty || bytes.count > Tombstone.reasonMax
            || bytes.contains(where: { $0 < 0x20 })
        {
            problems.append(
                "--reason: one line of 1 to \(Tombstone.reasonMax) bytes; it stays with the record")
        }
        return problems
    }
}
