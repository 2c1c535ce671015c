// Upkeep.swift: what has to be done now and then, off the workers and off the control plane: keys
// fetched ahead, assertion keys changed, sessions that outlived themselves taken out.

internal import Accounts
internal import Alerts
internal import Glibc
internal import Issuers
internal import Neutralization
internal import Policy
internal import Revocation
internal import SignIn
internal import Tokens

extension ControlPlane {
    /// Starts what is due; each runs by itself, so that one that hangs holds up no other.
    func keepUp() {
        let moment = now.value
        let lane = services.lanes.upkeep
        let ways = generation.ways
        keepUpSignals(ways.signals, now: moment)
        for issuer in ways.issuers.compactMap(\.issuer) + ways.signals.issuers {
            guard issuer.isDue(now: moment) else { continue }
            let log = self.log
            _ = lane.run {
                let before = issuer.report(now: moment).problem
                issuer.refresh(now: moment)
                let after = issuer.report(now: moment).problem
                if after != before {
                    log.say("issuer \(issuer.settings.name): \(after ?? "reached again")")
                }
            }
        }
        keepUpRevocation(ways, now: moment)
        keepUpLists(now: moment)
        if let accounts = ways.accounts {
            let (sessions, log) = (services.sessions, self.log)
            _ = lane.run {
                do throws(AccountError) {
                    let count = try accounts.endSessions(in: sessions)
                    if count > 0 { log.say("accounts changed: \(count) sessions ended") }
                } catch {
                    log.say("accounts: \(error.message)", kind: "accounts")
                }
            }
        }
        guard nextSlowUpkeep <= milliseconds else { return }
        nextSlowUpkeep = milliseconds + 10_000
        Task { await self.takePendingReads() }
        let (sessions, log) = (services.sessions, self.log)
        _ = lane.run { sessions.sweep(now: moment) }
        if let transmitter = ways.signals.transmitter {
            _ = services.lanes.streams.run { transmitter.forgetOthers() }
        }
        for keys in [ways.assertion, ways.signals.ownKeys].compactMap(\.self) {
            _ = lane.run {
                do throws(AssertionKeyError) {
                    try keys.maintain(now: moment)
                } catch {
                    log.say("assertion: \(error.description)", kind: "assertion keys")
                }
            }
        }
    }
}

extension ControlPlane {
    private func keepUpRevocation(_ ways: Ways, now moment: Int64) {
        let (lane, log, changed) = (services.lanes.upkeep, self.log, services.listsChanged)
        for desk in ways.revocation {
            guard let desk else { continue }
            for source in desk.sources where source.isDue(now: moment) {
                let alerts = services.alerts
                _ = lane.run {
                    let before = source.report(now: moment)
                    if source.refresh(now: moment) { changed.set() }
                    let after = source.report(now: moment)
                    if after.problem == before.problem { return }
                    let name = "revocation list \(source.settings.url)"
                    log.say("\(name): \(after.problem ?? "fetched again")")
                    if after.isRefused, let problem = after.problem {
                        alerts.raise(
                            Alert(.listRefused, .error, subject: name, "not taken: \(problem)"))
                    }
                }
            }
            if desk.stapling != nil {
                _ = lane.run {
                    if let problem = desk.renewStaple(now: moment) {
                        log.say("stapling: \(problem)", kind: "stapling")
                    }
                }
            }
        }
        if changed.take() { Task { await self.applyFetchedLists() } }
    }

    /// Puts the lists that were fetched in force: the same configuration under another number.
    private func applyFetchedLists() async {
        if isStopping { return }
        await exclusively {
            let next = generation.renumbered(generation.number + 1)
            switch await putInForce(next, list: list) {
            case .failure(let problem):
                log.say("revocation lists that were fetched are not in force: \(problem.text)")
                services.listsChanged.set()
            case .success(let cut):
                log.say(
                    "generation \(next.number) in force: a revocation list was fetched, "
                        + "\(cut.connections) connections cut")
            }
        }
    }
}

/// Fetches the lists of which none is at hand, all at once, and waits for them: nobody is believed
/// without.
///
/// Returns whether any came.
func fetchMissingLists(_ generation: Generation, _ services: Services) async -> Bool {
    let now = Int64(time(nil))
    let missing = generation.ways.revocation.compactMap { $0 }.flatMap(\.sources)
        .filter { $0.list == nil }
    return await withTaskGroup(of: Bool.self) { group in
        for source in missing {
            group.addTask {
                await withCheckedContinuation { continuation in
                    let accepted = services.lanes.upkeep.run {
                        continuation.resume(returning: source.refresh(now: now))
                    }
                    if !accepted { continuation.resume(returning: false) }
                }
            }
        }
        return await group.reduce(false) { $0 || $1 }
    }
}
