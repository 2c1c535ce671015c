// Approvals.swift: who may approve what, and what an approval is worth.

import COpenSSL
import Testing

@testable import Administration

/// A fresh Ed25519 key, both halves as PEM.
private struct Pair {
    let signer: ApprovalSigner
    let key: ApprovalKey

    init() throws {
        let (publicPEM, privatePEM) = try #require(halves())
        signer = try #require(ApprovalSigner(pem: privatePEM))
        key = try #require(ApprovalKey(pem: publicPEM))
    }
}

/// Safe because the key is freed at the end of the call that made it.
private func halves() -> (publicPEM: [UInt8], privatePEM: [UInt8])? {
    guard let made = unsafe newKey() else { return nil }
    defer { unsafe EVP_PKEY_free(made) }
    guard let publicPEM = unsafe pem({ unsafe PEM_write_bio_PUBKEY($0, made) }),
        let privatePEM = unsafe pem({
            unsafe PEM_write_bio_PrivateKey($0, made, nil, nil, 0, nil, nil)
        })
    else { return nil }
    return (publicPEM, privatePEM)
}

/// Safe because the key is freed at the end of the call that made it.
private func curvePEM() -> [UInt8]? {
    guard let other = unsafe herse_generate_p256() else { return nil }
    defer { unsafe EVP_PKEY_free(other) }
    return unsafe pem { unsafe PEM_write_bio_PUBKEY($0, other) }
}

private func newKey() -> OpaquePointer? {
    let context = unsafe EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, nil)
    defer { unsafe EVP_PKEY_CTX_free(context) }
    var key: OpaquePointer?
    // Safe because the context is the call's own and the key is given to the caller.
    guard unsafe EVP_PKEY_keygen_init(context) == 1, unsafe EVP_PKEY_keygen(context, &key) == 1
    else { return nil }
    return unsafe key
}

private func pem(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
    guard let bio = unsafe BIO_new(BIO_s_mem()) else { return nil }
    defer { unsafe BIO_free(bio) }
    guard unsafe write(bio) == 1 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 4096)
    // Safe because no more than the array's bytes are written.
    let count = unsafe BIO_read(bio, &bytes, Int32(bytes.count))
    return Array(bytes.prefix(Int(max(0, count))))
}

private let now: Int64 = 1_800_000_000

private struct Scene {
    let alice: Pair
    let bob: Pair
    let carol: Pair
    let approvers: [Approver]
    var pending = PendingOrders<String>()

    init() throws {
        (alice, bob, carol) = (try Pair(), try Pair(), try Pair())
        approvers = [
            Approver(name: "alice", user: "alice", key: alice.key),
            Approver(name: "bob", user: "bob", key: bob.key),
            Approver(name: "carol", user: "carol-admin", key: carol.key),
        ]
    }

    mutating func hold(by user: String?) throws -> PendingOrder<String> {
        let held = pending.hold(
            "order", lines: ["reinstate 8"], by: user ?? "root", user: user, now: now, seconds: 900)
        return try #require(held)
    }

    mutating func approve(
        _ order: PendingOrder<String>, _ name: String, _ pair: Pair, at moment: Int64 = now + 1
    ) throws(ApprovalRefusal) -> PendingOrder<String> {
        try pending.approve(
            order.id, by: name, signature: pair.signer.signature(of: order.text) ?? [], approvers,
            now: moment)
    }

    func missing(_ order: PendingOrder<String>) -> Int { PendingOrders.missing(order, approvers) }
}

@Suite struct `An order that waits` {
    @Test func `is carried out once somebody else approves`() throws {
        var scene = try Scene()
        let order = try scene.hold(by: "alice")
        #expect(scene.missing(order) == 1)
        let approved = try scene.approve(order, "bob", scene.bob)
        #expect(scene.missing(approved) == 0)
        #expect(approved.approvals == ["bob"])
        #expect(scene.pending.waiting(now: now + 1).isEmpty)
    }

    @Test func `is not approved by whoever gave it, under whatever name`() throws {
        var scene = try Scene()
        let order = try scene.hold(by: "carol-admin")
        #expect(throws: ApprovalRefusal.ownOrder) {
            try scene.approve(order, "carol", scene.carol)
        }
        #expect(scene.pending.waiting(now: now).count == 1)
    }

    @Test(arguments: [nil, "a-service", "root"])
    func `needs two when nobody knows who gave it`(user: String?) throws {
        var scene = try Scene()
        let order = try scene.hold(by: user)
        #expect(scene.missing(order) == 2)
        let once = try scene.approve(order, "alice", scene.alice)
        #expect(scene.missing(once) == 1)
        #expect(throws: ApprovalRefusal.approvedAlready) {
            try scene.approve(order, "alice", scene.alice)
        }
        let twice = try scene.approve(order, "bob", scene.bob)
        #expect(scene.missing(twice) == 0)
    }

    @Test func `is not approved by another's key, another order's signature, or nobody`() throws {
        var scene = try Scene()
        let order = try scene.hold(by: "alice")
        let other = try scene.hold(by: "alice")
        #expect(throws: ApprovalRefusal.signature) { try scene.approve(order, "bob", scene.alice) }
        let moved = scene.bob.signer.signature(of: other.text) ?? []
        #expect(throws: ApprovalRefusal.signature) {
            try scene.pending.approve(
                order.id, by: "bob", signature: moved, scene.approvers, now: now)
        }
        for bad in [[], [UInt8](repeating: 0, count: 64), [UInt8](repeating: 0, count: 63)] {
            #expect(throws: ApprovalRefusal.signature) {
                try scene.pending.approve(
                    order.id, by: "bob", signature: bad, scene.approvers, now: now)
            }
        }
        #expect(throws: ApprovalRefusal.unknownApprover) {
            try scene.approve(order, "dave", scene.bob)
        }
        #expect(throws: ApprovalRefusal.unknownOrder) {
            try scene.pending.approve(
                "0123456789abcdef", by: "bob", signature: [], scene.approvers, now: now)
        }
    }

    @Test func `lapses, is declined, and does not come back`() throws {
        var scene = try Scene()
        let order = try scene.hold(by: "alice")
        #expect(throws: ApprovalRefusal.unknownOrder) {
            try scene.approve(order, "bob", scene.bob, at: now + 900)
        }
        let next = try scene.hold(by: "alice")
        #expect(scene.pending.decline(next.id, now: now)?.id == next.id)
        #expect(scene.pending.decline(next.id, now: now) == nil)
        // Nor does a clock that was set back give it more time.
        let last = try scene.hold(by: "alice")
        #expect(scene.pending.waiting(now: last.at - 3600).isEmpty)
    }

    @Test func `waits among few`() throws {
        var scene = try Scene()
        for _ in 0..<PendingOrders<String>.countMax { _ = try scene.hold(by: "alice") }
        let more = scene.pending.hold(
            "order", lines: [], by: "alice", user: "alice", now: now, seconds: 900)
        #expect(more == nil)
        let later = scene.pending.hold(
            "order", lines: [], by: "alice", user: "alice", now: now + 900, seconds: 900)
        #expect(later != nil)
    }
}

@Suite struct `A key that approves` {
    @Test func `is Ed25519, in PEM, or none`() throws {
        #expect(ApprovalKey(pem: []) == nil)
        #expect(ApprovalKey(pem: Array("no key".utf8)) == nil)
        #expect(ApprovalSigner(pem: Array("no key".utf8)) == nil)
        let pem = try #require(curvePEM())
        #expect(ApprovalKey(pem: pem) == nil, "another kind of key")
    }
}
