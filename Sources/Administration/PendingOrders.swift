// PendingOrders.swift: orders that a second administrator must approve, and who has.

/// Somebody who may approve what another ordered.
package struct Approver: Sendable {
    package let name: String
    /// The system user they log in as: nobody approves their own order.
    package let user: String
    package let key: ApprovalKey

    package init(name: String, user: String, key: ApprovalKey) {
        self.name = name
        self.user = user
        self.key = key
    }
}

/// An order as it waits; `Order` is what will be carried out.
package struct PendingOrder<Order: Sendable>: Sendable {
    /// Sixteen hexadecimal digits.
    package let id: String
    package let order: Order
    /// What is ordered, line by line, as it is shown and signed.
    package let lines: [String]
    /// Who ordered it, as shown.
    package let by: String
    /// The system user behind it; nil when that is not known.
    package let user: String?
    /// Seconds since 1970.
    package let at: Int64
    /// Seconds since 1970 at which it lapses.
    package let until: Int64
    /// Names of those who approved.
    package fileprivate(set) var approvals: [String] = []

    /// What an approval signs: all of it, so that nothing else can be carried out in its name.
    package var text: [UInt8] {
        let head = ["herse approval 1", "order \(id)", "until \(until)", "by \(by)"]
        return Array((head + lines).joined(separator: "\n").utf8)
    }
}

/// Why an approval does not count.
package enum ApprovalRefusal: Error, Equatable, Sendable {
    /// No such order waits, or its time is over.
    case unknownOrder
    case unknownApprover
    /// Whoever ordered it.
    case ownOrder
    case approvedAlready
    case signature

    /// What is wrong, for a person.
    package var message: String {
        switch self {
        case .unknownOrder: "no such order waits (it may have lapsed: see `herse orders`)"
        case .unknownApprover:
            "is no approver of the configuration in force (see `administration.approvers`)"
        case .ownOrder: "gave the order: somebody else must approve it"
        case .approvedAlready: "has approved it already: somebody else must approve it too"
        case .signature: "the signature is not by the approver's key"
        }
    }
}

/// The orders that wait, few and not for long; a restart forgets them, and none is carried out.
package struct PendingOrders<Order: Sendable>: Sendable {
    private var orders: [PendingOrder<Order>] = []

    /// Orders that wait at once.
    package static var countMax: Int { 64 }

    package init() {}

    /// Those that wait now, the oldest first.
    package mutating func waiting(now: Int64) -> [PendingOrder<Order>] {
        // A clock set back does not give an order more time than it had.
        orders.removeAll { $0.until <= now || now < $0.at - 60 }
        return orders
    }

    /// Keeps an order until it is approved or lapses; nil when too many wait.
    package mutating func hold(
        _ order: Order, lines: [String], by: String, user: String?, now: Int64, seconds: Int64
    ) -> PendingOrder<Order>? {
        guard waiting(now: now).count < Self.countMax else { return nil }
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        let id = String(repeating: "0", count: 16 - digits.utf8.count) + digits
        let pending = PendingOrder(
            id: id, order: order, lines: lines, by: by, user: user, at: now,
            until: now.addingReportingOverflow(seconds).partialValue)
        orders.append(pending)
        return pending
    }

    /// How many approvals an order still needs.
    ///
    /// One, by somebody else, when it is known who ordered it; two by two people when it is not,
    /// since one of them may be who did.
    package static func missing(_ order: PendingOrder<Order>, _ approvers: [Approver]) -> Int {
        let isKnown = order.user.map { user in approvers.contains { $0.user == user } } ?? false
        return max(0, (isKnown ? 1 : 2) - order.approvals.count)
    }

    /// Counts an approval; returns the order, which no longer waits once it lacks none.
    package mutating func approve(
        _ id: String, by name: String, signature: [UInt8], _ approvers: [Approver], now: Int64
    ) throws(ApprovalRefusal) -> PendingOrder<Order> {
        guard let place = waiting(now: now).firstIndex(where: { $0.id == id }) else {
            throw .unknownOrder
        }
        guard let approver = approvers.first(where: { $0.name == name }) else {
            throw .unknownApprover
        }
        guard approver.key.approves(orders[place].text, signature: signature) else {
            throw .signature
        }
        guard orders[place].user != approver.user else { throw .ownOrder }
        guard !orders[place].approvals.contains(name) else { throw .approvedAlready }
        orders[place].approvals.append(name)
        let order = orders[place]
        if Self.missing(order, approvers) == 0 { orders.remove(at: place) }
        return order
    }

    /// Forgets an order; nil when none of that name waits.
    package mutating func decline(_ id: String, now: Int64) -> PendingOrder<Order>? {
        guard let place = waiting(now: now).firstIndex(where: { $0.id == id }) else { return nil }
        return orders.remove(at: place)
    }
}
