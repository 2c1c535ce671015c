// FourEyes.swift: orders that wait for a second administrator, where the configuration says so.

internal import Administration
internal import Foundation
internal import Neutralization
internal import Policy

extension ControlPlane {
    /// The answer to an order that has to wait, or that is wrong before it could; nil for what may
    /// be carried out at once.
    func heldBack(
        _ request: ControlRequest, by administrator: Administrator
    ) async -> ControlAnswer? {
        guard let rule = generation.configuration.administration, needsApproval(request, rule)
        else { return nil }
        // Nobody should be woken to approve what will be refused.
        let problems = problems(of: request)
        guard problems.isEmpty else { return .refused(problems) }
        let held = pending.hold(
            request, lines: request.lines, by: administrator.name, user: administrator.user,
            now: now.value, seconds: rule.within)
        guard let held else {
            return .refused([
                "\(PendingOrders<ControlRequest>.countMax) orders wait for approval already "
                    + "(see `herse orders`)"
            ])
        }
        log.say("order \(held.id) by \(held.by) waits for approval")
        await note(
            AdministrativeAct(
                "order", by: held.by, subjects: [held.id], before: [], after: held.recorded,
                outcome: "waiting"))
        return .waiting(report(held))
    }

    private func needsApproval(_ request: ControlRequest, _ rule: AdministrationRule) -> Bool {
        switch request {
        case .neutralize(let order):
            guard !order.preview, rule.fourEyes.contains(.mass) else { return false }
            return order.subjects.count >= rule.massMin
                || order.subjects.contains { text in
                    (try? Subject(text)).map { $0.standsForMany } ?? false
                }
        case .reinstate: return rule.fourEyes.contains(.reinstate)
        case .grant: return rule.fourEyes.contains(.grant)
        case .purge(let request): return !request.preview && rule.fourEyes.contains(.purge)
        default: return false
        }
    }

    /// What an approval says; carries the order out once it lacks none.
    func approve(_ approval: Approval, sentBy: String) async -> ControlAnswer {
        let approvers = generation.approvers
        let order: PendingOrder<ControlRequest>
        do throws(ApprovalRefusal) {
            order = try pending.approve(
                approval.order, by: approval.approver, signature: Array(approval.signature),
                approvers, now: now.value)
        } catch {
            let about = error == .unknownOrder ? approval.order : approval.approver
            await note(
                AdministrativeAct(
                    "approve", by: "\(approval.approver), sent by \(sentBy)",
                    subjects: [approval.order], before: [], after: [], outcome: "refused"))
            return .refused(["`\(about)`: \(error.message)"])
        }
        await note(
            AdministrativeAct(
                "approve", by: "\(approval.approver), sent by \(sentBy)", subjects: [order.id],
                before: [], after: order.recorded, outcome: "done"))
        log.say("order \(order.id) approved by \(approval.approver)")
        guard PendingOrders.missing(order, approvers) == 0 else { return .waiting(report(order)) }
        let approved = order.approvals.joined(separator: " and ")
        return await carriedOut(order.order, by: "\(order.by), approved by \(approved)")
    }

    func decline(_ id: String, by: String) async -> ControlAnswer {
        guard let order = pending.decline(id, now: now.value) else {
            return .refused(["`\(id)`: \(ApprovalRefusal.unknownOrder.message)"])
        }
        log.say("order \(order.id) declined by \(by)")
        await note(
            AdministrativeAct(
                "decline", by: by, subjects: [order.id], before: order.recorded, after: [],
                outcome: "done"))
        return .orders(waitingOrders())
    }

    func waitingOrders() -> [WaitingOrder] { pending.waiting(now: now.value).map { report($0) } }

    private func report(_ order: PendingOrder<ControlRequest>) -> WaitingOrder {
        WaitingOrder(
            id: order.id, lines: order.lines, by: order.by,
            at: UnixSeconds(order.at).description, until: UnixSeconds(order.until).description,
            approvals: order.approvals,
            missing: PendingOrders.missing(order, generation.approvers),
            text: Data(order.text))
    }
}

extension PendingOrder where Order == ControlRequest {
    /// What of it the record shows: not the reason, which may name a patient.
    fileprivate var recorded: [String] { lines.filter { !$0.hasPrefix("reason ") } }
}

extension Subject {
    /// Whether it is many people, of whom some may have done nothing.
    fileprivate var standsForMany: Bool {
        switch self {
        case .structure, .network, .client, .issuedBefore: true
        case .account, .hashedAccount, .certificate, .serial, .session, .token: false
        }
    }
}

extension ControlRequest {
    /// What is ordered, in the words of the command line.
    fileprivate var lines: [String] {
        switch self {
        case .neutralize(let order):
            lines("neutralize", order.subjects, order.reason, order.ticket)
                + (order.until.map { ["until \($0)"] } ?? [])
        case .reinstate(let subjects, let reason, let ticket):
            lines("reinstate", subjects, reason, ticket)
        case .grant(let order):
            [
                "limits grant \(order.professional) --count \(order.count) --extra \(order.extra) "
                    + "--for \(order.seconds)s", "reason \(order.reason)",
            ]
        case .purge(let request):
            ["record purge \(request.extentText)", "reason \(request.reason)"]
        default: []
        }
    }

    private func lines(
        _ verb: String, _ subjects: [String], _ reason: String, _ ticket: String?
    ) -> [String] {
        subjects.map { "\(verb) \($0)" } + ["reason \(reason)"]
            + (ticket.map { ["ticket \($0)"] } ?? [])
    }
}
