// PageBindings.swift: who may follow a page link: the professional whom an answer gave it to.
//
// A link to the next page is a capability: whoever has it draws the next patients, without asking
// anything of their own. So links are remembered under keyed hashes with who received them, for
// all workers; what is not remembered is nobody's, and refused: the search can be made again.

internal import Limits
internal import Synchronization

/// Links given out, each bound to one professional; bounded, the oldest forgotten first.
final class PageBindings: Sendable {
    /// How long a link can be followed: identity servers keep their searches for less.
    static let lifetimeMilliseconds: UInt64 = 3_600_000
    private static let shardCount = 64
    /// Links remembered in each of 64 shards: a million in all, some 60 MiB at most.
    private static let linksMax = 16_384

    private struct Owner {
        let who: ProfessionalKey
        let until: UInt64
        /// The number of the page it leads to.
        let page: UInt32
    }

    private struct Links {
        var owners: [UInt64: Owner] = [:]
        /// In the order they were given, to forget the oldest.
        var order: [UInt64] = []
        var first = 0
    }

    private final class Shard: Sendable {
        let links = Mutex(Links())
    }

    private let shards = (0..<PageBindings.shardCount).map { _ in Shard() }

    /// Remembers that `link` was given to `who`; the latest receiver of a link is its owner only
    /// if it had none, so that nobody can take over another's by being shown it.
    ///
    /// A link keeps the number of the page it was first given for, unless it `movesOn`: then it
    /// leads to this one from now on.
    func bind(
        _ link: UInt64, to who: ProfessionalKey, page: Int, movesOn: Bool = false, now: UInt64
    ) {
        shards[Int(link % UInt64(Self.shardCount))].links.withLock { shard in
            var page = UInt32(clamping: page)
            if let owner = shard.owners[link] {
                if owner.until > now, owner.who != who { return }
                if owner.until > now, !movesOn { page = owner.page }
            } else {
                shard.order.append(link)
            }
            shard.owners[link] = Owner(
                who: who, until: now + Self.lifetimeMilliseconds, page: page)
            while shard.owners.count > Self.linksMax {
                shard.owners[shard.order[shard.first]] = nil
                shard.first += 1
            }
            if shard.first > Self.linksMax {
                shard.order.removeFirst(shard.first)
                shard.first = 0
            }
        }
    }

    /// The number of the page that `link` leads to, if `who` was given it not too long ago.
    func page(of link: UInt64, for who: ProfessionalKey, now: UInt64) -> Int? {
        shards[Int(link % UInt64(Self.shardCount))].links.withLock { shard in
            guard let owner = shard.owners[link], owner.who == who, owner.until > now else {
                return nil
            }
            return Int(owner.page)
        }
    }
}
