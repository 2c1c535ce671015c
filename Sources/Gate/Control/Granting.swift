// Granting.swift: bounded exceptions to limits: on disk first, then in force in every worker.

internal import Identity
internal import Limits
internal import Neutralization

extension ControlPlane {
    /// Grants in force, as workers consult them.
    var grants: Grants { Grants(grantJournal.inForce(at: limits.time), limits) }

    func grant(_ order: GrantOrder, by: String) async -> ControlAnswer {
        let professional: String
        let count: CountKind
        switch parse(order) {
        case .failure(let problems): return .refused(problems.lines)
        case .success(let parsed): (professional, count) = parsed
        }
        return await exclusively {
            let time = limits.time
            let grant = Grant(
                professional: professional, count: count, extra: UInt32(clamping: order.extra),
                at: time,
                until: LimitTime(
                    milliseconds: time.milliseconds / 1000 * 1000 + UInt64(order.seconds) * 1000),
                reason: order.reason, by: by)
            do throws(GrantJournalError) {
                try grantJournal.append(grant)
            } catch {
                log.say("grant not kept: \(error.message)")
                return .refused(["\(error.message) (\(error.hint))"])
            }
            let inForce = grants
            _ = await everywhere { await $0.putInForce(inForce) }
            log.say(
                "granted by \(by): \(order.extra) more \(order.count) for \(order.seconds) s to "
                    + professional)
            return .granted(report(grant))
        }
    }

    /// What somebody was granted and is not over, for `herse limits show`.
    func grantReports(of professional: String) -> [GrantReport] {
        grantJournal.inForce(at: limits.time).filter { $0.professional == professional }
            .map { report($0) }
    }

    /// In wall time, as people read it: the limit clock runs beside it.
    private func report(_ grant: Grant) -> GrantReport {
        let left = Int64(clamping: grant.until.milliseconds) - Int64(limits.time.milliseconds)
        return GrantReport(
            professional: grant.professional, count: grant.count.word, extra: Int(grant.extra),
            until: UnixSeconds(now.value + left / 1000).description, reason: grant.reason,
            by: grant.by)
    }

    /// What would be refused of a grant, line by line.
    func problems(of order: GrantOrder) -> [String] {
        if case .failure(let problems) = parse(order) { return problems.lines }
        return []
    }

    private struct Problems: Error { let lines: [String] }

    private func parse(
        _ order: GrantOrder
    ) -> Result<(professional: String, count: CountKind), Problems> {
        var problems: [String] = []
        let id = try? ProfessionalID(order.professional)
        if id == nil {
            problems.append(
                "`\(order.professional)` is not a professional's national identifier "
                    + "(such as `899700218896`)")
        }
        let count = CountKind.allCases.first { $0.word == order.count }
        if count == nil {
            let words = CountKind.allCases.map(\.word).joined(separator: ", ")
            problems.append("--count: `\(order.count)` is not counted (one of \(words))")
        }
        if order.extra < 1 || order.extra > Int(Grant.extraMax) {
            problems.append("--extra: \(order.extra) is not from 1 to \(Grant.extraMax)")
        }
        if order.seconds < 1 || order.seconds > Int(Grant.secondsMax) {
            problems.append("--for: \(order.seconds) s is not from 1 second to 30 days")
        }
        if !order.reason.utf8.contains(where: { $0 > 0x20 }) {
            problems.append("--reason: say why; it is kept in the journal")
        } else if order.reason.utf8.count > Grant.textMax {
            problems.append("--reason: longer than \(Grant.textMax) bytes")
        }
        guard let id, let count, problems.isEmpty else {
            return .failure(Problems(lines: problems))
        }
        return .success((id.description, count))
    }
}
