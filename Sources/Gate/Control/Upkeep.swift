// Upkeep.swift: what has to be done now and then, off the workers and off the control plane: keys
// fetched ahead, assertion keys changed, sessions that outlived themselves taken out.

internal import Issuers
internal import Neutralization
internal import Policy
internal import SignIn
internal import Tokens

extension ControlPlane {
    /// Starts what is due; each runs by itself, so that one that hangs holds up no other.
    func keepUp() {
        let moment = now.value
        let lane = services.lanes.upkeep
        let ways = generation.ways
        for desk in ways.issuers {
            guard let issuer = desk.issuer, issuer.isDue(now: moment) else { continue }
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
        guard nextSlowUpkeep <= milliseconds else { return }
        nextSlowUpkeep = milliseconds + 10_000
        let (sessions, log) = (services.sessions, self.log)
        _ = lane.run { sessions.sweep(now: moment) }
        if let keys = ways.assertion {
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
