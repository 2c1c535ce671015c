// Slots.swift: everything a worker watches, by number, so that an event finds its owner.
//
// A token names a slot and the generation of its occupant: an event that was queued for a
// descriptor closed since, whose number was given out again, finds nobody.

/// What a slot holds.
enum Occupant {
    case none
    case wake
    case listener(ListenerSocket)
    case client(ClientConnection)
    case server(ServerConnection)
}

/// A table of occupants with stable numbers.
struct Slots {
    private struct Slot {
        var generation: UInt32
        var occupant: Occupant
    }

    private var slots: [Slot] = []
    private var free: [UInt32] = []

    var count: Int { slots.count }

    /// Reserves a slot for what `make` builds from its token.
    mutating func add(_ make: (UInt64) -> Occupant) -> UInt64 {
        let index: UInt32
        if let reused = free.popLast() {
            index = reused
        } else {
            index = UInt32(slots.count)
            slots.append(Slot(generation: 0, occupant: .none))
        }
        slots[Int(index)].generation &+= 1
        let token = UInt64(slots[Int(index)].generation) << 32 | UInt64(index)
        slots[Int(index)].occupant = make(token)
        return token
    }

    @inline(__always)
    subscript(token: UInt64) -> Occupant {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else {
            return .none
        }
        return slots[index].occupant
    }

    /// The occupant of slot `index`, whatever its generation.
    func occupant(at index: Int) -> Occupant {
        index < slots.count ? slots[index].occupant : .none
    }

    mutating func remove(_ token: UInt64) {
        let index = Int(token & 0xFFFF_FFFF)
        guard index < slots.count, slots[index].generation == UInt32(token >> 32) else { return }
        slots[index].occupant = .none
        free.append(UInt32(index))
    }
}
