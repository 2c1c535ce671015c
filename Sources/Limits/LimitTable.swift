// LimitTable.swift: counts per professional, shared by all workers, kept over reload and kill -9.
//
// Two files, mapped and shared: fixed slots for what is merely counted, and sets of persons. What
// one thread counts the kernel keeps when the process dies. Locks live in the process, one for each
// of 256 stripes of professionals, so a crash cannot leave one held. A charge holds its
// professional's and structure's locks from the first check to the last count: all windows are
// charged or none, and two workers never let one request or person too many pass.

package import KeyedHash

/// The table of counts; open once, shared by all workers.
package final class LimitTable: Sendable {
    let mapping: TableMapping
    let persons: PersonsTable
    let stripes = StripeLocks()
    private let key: SipKey
    let groupMask: UInt64
    /// The clock of this run; give its time to every call.
    package let clock: LimitClock

    /// Slots looked at for one window: eight groups of eight.
    static let groupSlots = 8
    static let groupsMax: UInt64 = 8

    /// Slots of a table if nothing else is asked for.
    ///
    /// 64 MiB: some 120,000 professionals with three windows at 70 % full. A million of them want 2²², which is 512 MiB.
    package static let slotsDefault = 1 << 19

    /// How large the file of persons may grow if nothing else is asked for: 4 GiB, which is
    /// a million professionals with 300 persons each, and begins with some 24 MiB.
    package static let personsBytesDefault = 1 << 32

    init(
        mapping: consuming TableMapping, persons: consuming PersonsMapping, clock: LimitClock
    ) {
        key = mapping.key
        groupMask = UInt64(mapping.slots / Self.groupSlots) - 1
        self.mapping = mapping
        self.persons = PersonsTable(persons)
        self.clock = clock
    }

    /// Opens the table of a state folder and goes on with its clock.
    ///
    /// Made with at least `slots` slots if there is none; a table that exists keeps its size.
    package static func open(
        stateFolder: String, slots: Int = slotsDefault,
        personsBytes: Int = personsBytesDefault, reading: ClockReading
    ) throws(LimitTableError) -> LimitTable {
        // The first holds the lock of the folder, for both.
        let mapping = try TableMapping(stateFolder: stateFolder, slots: slots)
        let persons = try PersonsMapping(
            stateFolder: stateFolder, slots: mapping.slots, bytesMax: personsBytes)
        let clock = LimitClock(mapping.clockMemory, reading: reading)
        mapping.remember(clock.memory)
        return LimitTable(mapping: mapping, persons: persons, clock: clock)
    }

    package var slots: Int { mapping.slots }

    /// Bytes of the file of persons, and how many of them are taken by sets.
    package var personsBytes: (file: Int, sets: Int) { persons.bytes }

    /// The secret that persons' keys are to be made with: it lives as long as the file of persons.
    package var personKey: SipKey { persons.mapping.header.key }

    /// Starts writing the table out, for an orderly stop.
    package func flush() {
        mapping.flush()
        persons.mapping.flush()
    }

    /// The key of a professional: make it once a connection.
    package func professional(_ id: Span<UInt8>) -> ProfessionalKey {
        let hash = sipHash128(id, key: key)
        return ProfessionalKey(high: hash.first, low: hash.second)
    }

    /// The key of a structure, which is no professional's whatever they are called.
    package func structure(_ id: Span<UInt8>) -> ProfessionalKey {
        var hasher = SipHasher(key)
        hasher.append(0)
        hasher.append(id)
        let hash = hasher.finish()
        return ProfessionalKey(high: hash.first, low: hash.second)
    }

    /// Makes a set ready to be charged in this table; once for each generation of configuration.
    ///
    /// Sets of one scope count persons together, whatever their names; that is all of them unless
    /// they say otherwise, as a break-glass route's does.
    package func prepare(
        name: String, scope: String = "", windows: [LimitWindow]
    ) throws(LimitSetError) -> LimitSet {
        try LimitSet(name: name, scope: scope, windows: windows, key: key)
    }
}
