// RepositoryCarrier.swift: AuditEvents to a FHIR repository, IHE ITI-20, option ATX: FHIR Feed.

internal import JSON
internal import Outbound

/// Posts to one repository.
final class RepositoryCarrier: FeedCarrier {
    private let url: String
    private let settings: FeedSettings

    /// Milliseconds for one request; a batch of hundreds takes a repository its time.
    private static let deadline = 60_000
    /// Seconds of `Retry-After` that are waited for.
    private static let pauseMax = 3600

    init(_ url: String, _ settings: FeedSettings) {
        self.url = url
        self.settings = settings
    }

    var parcelsMax: Int { settings.isBundled ? Bundles.eventsMax : 50 }

    func send(_ parcels: [FeedParcel]) throws(ExportError) -> [FeedVerdict] {
        if settings.isBundled, parcels.count > 1 {
            if let verdicts = try sendBatch(parcels) { return verdicts }
            // It takes no batch, or not this one: each has to tell by itself.
        }
        var verdicts: [FeedVerdict] = []
        for parcel in parcels {
            let verdict = try sendOne(parcel)
            verdicts.append(verdict)
            if case .later = verdict { break }
        }
        return verdicts
    }

    private func sendOne(_ parcel: FeedParcel) throws(ExportError) -> FeedVerdict {
        var fields = [("Content-Type", "application/fhir+json")]
        if settings.isConditional {
            fields.append(("If-None-Exist", "entity-name=" + parcel.id))
        }
        switch try post(url + "/AuditEvent", parcel.bytes, fields) {
        case .answer(let answer): return try verdict(answer)
        case .later(let why): return .later(why)
        }
    }

    /// Nil when the batch as a whole was refused.
    private func sendBatch(_ parcels: [FeedParcel]) throws(ExportError) -> [FeedVerdict]? {
        let events = parcels.map { AuditEvent(id: $0.id, number: $0.number, bytes: $0.bytes) }
        let bundle = Bundles.batch(events, isConditional: settings.isConditional)
        let answer: FetchAnswer
        switch try post(url, bundle, [("Content-Type", "application/fhir+json")]) {
        case .answer(let given): answer = given
        case .later(let why): return parcels.map { _ in .later(why) }
        }
        switch try verdict(answer) {
        case .taken: break
        case .refused: return nil
        case .later(let why, let seconds):
            return parcels.map { _ in .later(why, seconds: seconds) }
        }
        guard let statuses = Bundles.statuses(answer.body, count: parcels.count) else {
            throw ExportError(
                "\(url): does not answer a batch as FHIR has it, so nobody knows what it took",
                hint: "feed it without --bundle")
        }
        var verdicts: [FeedVerdict] = []
        for status in statuses {
            verdicts.append(try verdict(FetchAnswer(status: status, fields: [], body: [])))
        }
        return verdicts
    }

    private enum Reply {
        case answer(FetchAnswer)
        case later(String)
    }

    private func post(
        _ url: String, _ body: [UInt8], _ fields: [(String, String)]
    ) throws(ExportError) -> Reply {
        var request = FetchRequest(url: url)
        request.method = .post
        request.body = body
        request.fields =
            fields + [("Accept", "application/fhir+json"), ("Prefer", "return=minimal")]
        request.deadline = Self.deadline
        request.answerMax = 16 << 20
        request.tls.authorities = settings.authorities
        request.tls.certificate = settings.certificate
        request.tls.privateKey = settings.privateKey
        do throws(FetchError) {
            return .answer(try fetch(request))
        } catch {
            if let end = error.end { throw end }
            return .later(error.description)
        }
    }

    private func verdict(_ answer: FetchAnswer) throws(ExportError) -> FeedVerdict {
        let words = "\(answer.status)" + (issueCode(answer.body).map { " \($0)" } ?? "")
        switch answer.status {
        case 200..<300: return .taken
        // What it says of the event, not of who sends it.
        case 400, 409, 412, 413, 422: return .refused(words)
        case 408, 425, 429, 500, 502..<600:
            let seconds = answer.field("retry-after").flatMap { UInt32($0) }
            return .later(
                "\(url): answers \(words)", seconds: seconds.map { min(Int($0), Self.pauseMax) })
        case 401, 403:
            throw ExportError(
                "\(url): answers \(words): this sender may not feed it",
                hint: "it may want another --client-certificate; its log says why")
        default:
            throw ExportError(
                "\(url): answers \(words) instead of 2xx",
                hint: "is it the base address of a FHIR server that takes AuditEvents?")
        }
    }
}

/// The first issue's code in an OperationOutcome; its other words may repeat what was sent.
private func issueCode(_ body: [UInt8]) -> String? {
    guard
        let outcome = try? JSONValue(body.span, valuesMax: 4096, bytesMax: 1 << 18),
        outcome["resourceType"]?.text == "OperationOutcome",
        let code = outcome["issue"]?.items?.first?["code"]?.text,
        (1...32).contains(code.utf8.count),
        code.utf8.allSatisfy({ (0x61...0x7A).contains($0) || $0 == 0x2D })
    else { return nil }
    return code
}

extension FetchError {
    /// What no further attempt mends; nil where one may.
    var end: ExportError? {
        switch problem {
        case .address, .request, .noAuthorities, .authorities, .ownCertificate, .otherHostName,
            .unknownAuthority, .expired, .notYetValid, .notTrusted:
            let hint =
                problem == .noAuthorities ? "name a PEM file with --authorities" : problem.hint
            return ExportError("\(address): \(problem.text)", hint: hint)
        case .unknownHost, .notReached, .tooSlow, .handshake, .tooLarge, .broken, .closed, .other:
            return nil
        }
    }
}
