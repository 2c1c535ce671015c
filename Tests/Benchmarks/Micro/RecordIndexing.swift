// RecordIndexing.swift: how fast a record is indexed, and how fast an answer comes.
//
//     Micro record-index FOLDER            indexes every segment anew
//     Micro record-search FOLDER NUMBER    finds the year of professional NUMBER

import CSystem
import Glibc
import RecordIndex
import RecordReading

@Sendable
func timeRecordIndex(_ arguments: [String]) {
    guard arguments.count == 1 else {
        print("Micro record-index: FOLDER is expected")
        exit(64)
    }
    let search = recordSearch(arguments[0])
    let (wall, cpu) = (herse_clock(CLOCK_MONOTONIC), herse_clock(CLOCK_PROCESS_CPUTIME_ID))
    guard let made = try? search.makeIndexes(isAnew: true, progress: { _ in }),
        made.pass.unindexed.isEmpty
    else { failToSearch(arguments[0]) }
    let entries = made.indexes.reduce(0) { $0 + $1.entries }
    let bytes = made.indexes.reduce(0) { $0 + $1.bytes }
    print(
        #"{"entries": \#(entries), "index_bytes": \#(bytes), "seconds": \#(seconds(wall, CLOCK_MONOTONIC)), "cpu_seconds": \#(seconds(cpu, CLOCK_PROCESS_CPUTIME_ID))}"#
    )
}

@Sendable
func timeRecordSearch(_ arguments: [String]) {
    guard arguments.count == 2, let number = Int(arguments[1]) else {
        print("Micro record-search: FOLDER NUMBER are expected")
        exit(64)
    }
    let begun = herse_clock(CLOCK_MONOTONIC)
    let search = recordSearch(arguments[0])
    var query = RecordQuery()
    query.professionals = [syntheticProfessional(number)]
    var seen = SeenBy()
    var found = 0
    guard
        let pass = try? search.entries(
            matching: query,
            { one in
                found += 1
                seen.take(one.entry)
                return true
            }), pass.record.broken.isEmpty, pass.unindexed.isEmpty
    else { failToSearch(arguments[0]) }
    print(
        #"{"found": \#(found), "read": \#(pass.read), "patients": \#(seen.sightings.count), "seconds": \#(seconds(begun, CLOCK_MONOTONIC))}"#
    )
}

private func recordSearch(_ folder: String) -> RecordSearch {
    guard let reader = try? RecordReader(folder: folder) else { failToSearch(folder) }
    return RecordSearch(reader: reader, indexFolder: RecordSearch.indexFolder(of: folder))
}

private func seconds(_ begun: UInt64, _ clock: clockid_t) -> Double {
    Double(herse_clock(clock) - begun) / 1e9
}

private func failToSearch(_ folder: String) -> Never {
    print("Micro: \(folder) cannot be searched")
    exit(1)
}
