// Administering.swift: who gives orders, and that every one of them is recorded.

internal import Administration
internal import CSystem
internal import Foundation
internal import Glibc
internal import Neutralization
internal import Record
internal import RecordKeeping

/// Whoever speaks on the admin socket, as the kernel knows them.
struct Administrator: Sendable {
    /// As the journal and the record show them: `alice`, or `alice as root`.
    let name: String
    /// The system user who logged in; nil when only a shared one is known.
    let user: String?

    /// The gate itself, or a signal to it.
    static let signal = Administrator(name: "signal", user: nil)

    init(name: String, user: String?) {
        self.name = name
        self.user = user
    }

    /// Reads who is behind the process at the other end: an administrator who became root is still
    /// who they logged in as.
    init(_ peer: herse_peer) {
        let account = userName(peer.uid) ?? "uid:\(peer.uid)"
        let login = loginUser(of: peer.pid).flatMap { userName($0) }
        switch login {
        case .some(let login) where login != account:
            self.init(name: "\(login) as \(account)", user: login)
        default:
            self.init(name: account, user: login ?? (peer.uid == 0 ? nil : account))
        }
    }
}

private func userName(_ uid: uid_t) -> String? {
    // Safe because the entry is read before another call could change it.
    guard let entry = unsafe getpwuid(uid), let name = unsafe entry.pointee.pw_name else {
        return nil
    }
    return unsafe String(cString: name)
}

/// The user a process was begun for at login, which `su` and `sudo` do not change
/// (`loginuid`, proc_pid(5)); nil when there was no login.
private func loginUser(of process: pid_t) -> uid_t? {
    guard process > 0, let bytes = readWhole("/proc/\(process)/loginuid", bytesMax: 64),
        let uid = UInt32(String(decoding: bytes, as: UTF8.self).trimming), uid != UInt32.max
    else { return nil }
    return uid
}

extension String {
    fileprivate var trimming: String { String(prefix { !$0.isWhitespace }) }
}

/// What an administrator did, as the record keeps it; made of what the gate knows, with nothing
/// in it that a patient's name could be in.
struct AdministrativeAct: Sendable {
    /// From `,"event":"administration"` to the end of the line.
    let fragment: [UInt8]

    /// Subjects that are named in one line; their number is always told.
    static let subjectsMax = 100

    init(
        _ verb: String, by: String, subjects: [String], before: [String], after: [String],
        outcome: String, ticket: String? = nil
    ) {
        var fragment = Array(EventName.administration.field.utf8)
        fragment += Array(",\"act\":".utf8) + jsonString(verb)
        fragment += Array(",\"by\":".utf8) + jsonString(by)
        fragment += Array(",\"outcome\":".utf8) + jsonString(outcome)
        func add(_ name: String, _ values: [String]) {
            guard !values.isEmpty else { return }
            let shown = values.prefix(Self.subjectsMax).map { jsonString($0) }
            fragment += Array(",\"\(name)\":[".utf8) + shown.joined(separator: [0x2C]) + [0x5D]
        }
        if subjects.count > 1 { fragment += Array(",\"count\":\(subjects.count)".utf8) }
        add("subjects", subjects)
        add("before", before)
        add("after", after)
        if let ticket { fragment += Array(",\"ticket\":".utf8) + jsonString(ticket) }
        self.fragment = fragment
    }

    /// That somebody reads the record; `at` when, if that was before the line is written.
    init(reading notice: RecordReadNotice, by: String, at: String?) {
        var fragment = Array(EventName.recordRead.field.utf8)
        fragment += Array(",\"by\":".utf8) + jsonString(by)
        fragment += Array(",\"what\":".utf8) + jsonString(notice.what)
        if !notice.filters.isEmpty {
            let filters = notice.filters.map { jsonString($0) }
            fragment += Array(",\"filters\":[".utf8) + filters.joined(separator: [0x2C]) + [0x5D]
        }
        if let at { fragment += Array(",\"at\":".utf8) + jsonString(at) }
        self.fragment = fragment
    }
}

extension ControlPlane {
    /// Does what an administrator asks; what changes anything is recorded, whoever asked and
    /// whatever came of it.
    func obey(_ request: ControlRequest, by administrator: Administrator) async -> ControlAnswer {
        if let answer = await heldBack(request, by: administrator) { return answer }
        return await carriedOut(request, by: administrator.name)
    }

    /// Carries out a request that needs nobody's approval, or has it.
    func carriedOut(_ request: ControlRequest, by: String) async -> ControlAnswer {
        guard let verb = request.act else { return await act(request, by: by) }
        let before = standing(request)
        let answer = await act(request, by: by)
        await tell(request, answer)
        await note(
            AdministrativeAct(
                verb, by: by, subjects: request.named, before: before, after: standing(request),
                outcome: answer.outcome, ticket: request.ticket))
        return answer
    }

    /// Writes an act into the record, and waits until it is there: what was ordered is not undone
    /// when it cannot be.
    func note(_ act: AdministrativeAct) async {
        guard !isEnding, let worker = workers.first else { return }
        // A worker's lines are refused while there is no room for disclosures; this one is not.
        let isRecorded =
            record.isRefusing ? await noteMyself(act) : await worker.record([act])
        if !isRecorded {
            log.say("an administrator's act could not be recorded", kind: "act unrecorded")
        }
    }

    private func noteMyself(_ act: AdministrativeAct) async -> Bool {
        await withCheckedContinuation { continuation in
            services.keeper.write(act.fragment) { continuation.resume(returning: $0) }
        }
    }

    private func act(_ request: ControlRequest, by: String) async -> ControlAnswer {
        switch request {
        case .status: return .status(await status())
        case .reload(let seconds): return await reload(confirmWithinSeconds: seconds)
        case .confirm: return confirm()
        case .rollback: return await rollback()
        case .neutralize(let order): return await neutralize(order, by: by)
        case .reinstate(let subjects, let reason, let ticket):
            return await reinstate(subjects, reason: reason, ticket: ticket, by: by)
        case .neutralized(let subject): return entries(subject)
        case .sessions(let professional): return await sessions(professional)
        case .limits(let professional): return await limitsOf(professional)
        case .grant(let order): return await grant(order, by: by)
        case .lists: return .lists(listReports())
        case .fetchLists(let name): return await fetchLists(name)
        case .addList(let delivery): return await addList(delivery)
        case .trustKey(let order): return await trust(order)
        case .orders: return .orders(waitingOrders())
        case .approve(let approval): return await approve(approval, sentBy: by)
        case .decline(let id): return await decline(id, by: by)
        case .alerts: return .alerts(alertReports())
        case .testAlerts(let name): return await testAlerts(name, by: by)
        case .drilled(let report): return drilled(report, by: by)
        case .purge(let request): return await purge(request, by: by)
        case .recordRead(let notice): return await recordIsRead(notice, by: by)
        }
    }

    /// What a request is about, as it is now: asked before and after it is carried out.
    private func standing(_ request: ControlRequest) -> [String] {
        switch request {
        case .neutralize(let order): subjectsStanding(order.subjects)
        case .reinstate(let subjects, _, _): subjectsStanding(subjects)
        case .grant(let order):
            ["\(order.count) +\(grants(of: order.professional, count: order.count))"]
        case .reload, .confirm, .rollback: ["generation \(generation.number)"]
        case .fetchLists, .addList, .trustKey:
            listReports().map { list in
                "\(list.name): sequence \(list.sequence.map { String($0) } ?? "none"), "
                    + "\(list.keys.count) keys"
            }
        default: []
        }
    }

    private func subjectsStanding(_ texts: [String]) -> [String] {
        texts.prefix(AdministrativeAct.subjectsMax).map { text in
            guard let subject = try? Subject(text) else { return "not understood" }
            guard let found = neutralization.verdict(on: subject, now: now) else { return "free" }
            return "neutralized by \(sourceName(found.source))"
        }
    }

    private func grants(of professional: String, count: String) -> Int {
        grantReports(of: professional.uppercased()).filter { $0.count == count }
            .reduce(0) { $0 + $1.extra }
    }
}

/// Who says that a subject is neutralized: `list:LINE`, `NAME:LINE`, `command:WHO`.
func sourceName(_ source: Neutralized.Source) -> String {
    switch source {
    case .list(let line): "list:\(line)"
    case .signedList(let name, let line): "\(name):\(line)"
    case .command(_, let by): "command:\(by)"
    }
}

extension ControlRequest {
    /// Its verb in the record; nil for what only looks.
    fileprivate var act: String? {
        switch self {
        case .neutralize(let order): order.preview ? nil : "neutralize"
        case .reinstate: "reinstate"
        case .grant: "grant"
        case .reload: "reload"
        case .confirm: "confirm"
        case .rollback: "rollback"
        case .fetchLists: "lists fetch"
        case .addList: "lists add"
        case .trustKey(let order): order.isRevoked ? "lists trust --revoke" : "lists trust"
        case .purge(let request): request.preview ? nil : "record purge"
        // Recorded where it is known what they approve, and as an event of its own.
        case .approve, .decline, .recordRead: nil
        case .status, .neutralized, .sessions, .limits, .lists, .orders, .alerts, .testAlerts,
            .drilled:
            nil
        }
    }

    fileprivate var named: [String] {
        switch self {
        case .neutralize(let order): order.subjects
        case .reinstate(let subjects, _, _): subjects
        case .grant(let order): [order.professional]
        case .fetchLists(let name): name.map { [$0] } ?? []
        case .addList(let delivery): [delivery.name]
        case .trustKey(let order): [order.name]
        case .purge(let request): [request.extentText]
        default: []
        }
    }

    fileprivate var ticket: String? {
        switch self {
        case .neutralize(let order): order.ticket
        case .reinstate(_, _, let ticket): ticket
        default: nil
        }
    }
}

extension ControlAnswer {
    /// How an act ended, for the record.
    var outcome: String {
        switch self {
        case .refused: "refused"
        case .notDurable: "not-durable"
        case .waiting: "waiting"
        case .purged(let report) where report.problem != nil: "refused"
        case .listsChanged(let changes) where changes.contains { !$0.problem.isEmpty }: "refused"
        default: "done"
        }
    }
}
