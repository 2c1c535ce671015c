// SightingsTests.swift: who saw whom, counted from entries.

import RecordIndex
import RecordReading
import Testing

@Suite struct `Who saw a patient` {
    private static let lines = [
        #"{"time":"2026-11-20T10:00:00Z","request":"a","professional":"81","structure":"S1","method":"token","decision":"allow","delivery":"begun","persons":["0000000000000001","0000000000000002"],"fields":["name"]}"#,
        #"{"time":"2026-11-20T10:00:01Z","request":"a","professional":"81","decision":"allow","delivery":"aborted"}"#,
        #"{"time":"2026-11-20T11:00:00Z","request":"b","professional":"81","structure":"S2","decision":"allow","delivery":"begun","persons":["0000000000000001"],"fields":["ins"]}"#,
        #"{"time":"2026-11-20T11:00:01Z","request":"b","professional":"81","decision":"allow","delivery":"whole"}"#,
        #"{"time":"2026-11-20T12:00:00Z","request":"c","client":"robot","decision":"allow","persons":["0000000000000001"]}"#,
        #"{"time":"2026-11-20T13:00:00Z","request":"d","professional":"82","decision":"deny","withheld":["0000000000000001"]}"#,
        #"{"time":"2026-11-20T14:00:00Z","request":"e","professional":"81","decision":"allow","assumed":5,"persons":["00000000000000aa"]}"#,
    ]

    private var entries: [RecordedEntry] {
        Self.lines.compactMap { RecordedEntry(line: Array($0.utf8).span) }
    }

    @Test func `is told for each who asked`() throws {
        let patient = PatientNames(keys: [1])
        var seen = WhoSaw(patient)
        for entry in entries where (entry.persons + entry.withheld).contains(where: patient.names) {
            seen.take(entry)
        }
        let ends = try #require(seen.abortions)
        // A robot is among them, so the ends of everybody's deliveries are asked for.
        #expect(ends.delivery == "aborted" && ends.professionals == [])
        for entry in entries where entry.delivery == "aborted" { seen.take(aborted: entry) }
        let rows = seen.sightings.sorted { $0.key < $1.key }
        #expect(rows.map(\.key.shown) == ["client:robot", "81", "82"])
        #expect(rows.map(\.value.requests) == [1, 2, 0])
        #expect(rows.map(\.value.aborted) == [0, 1, 0])
        #expect(rows.map(\.value.withheld) == [0, 0, 1])
        let first = try #require(rows.dropFirst().first).value
        #expect(first.fields == ["name", "ins"] && first.structures == ["S1", "S2"])
        #expect(Moment(milliseconds: first.first).stamp == "2026-11-20T10:00:00.000Z")
        #expect(Moment(milliseconds: first.last).stamp == "2026-11-20T11:00:00.000Z")
    }

    @Test func `is told the other way round for each patient`() {
        var seen = SeenBy()
        for entry in entries where entry.professional == "81" { seen.take(entry) }
        #expect(seen.sightings.keys.sorted() == [1, 2])
        #expect(seen.sightings[1]?.requests == 2 && seen.sightings[1]?.aborted == 1)
        #expect(seen.sightings[2]?.requests == 1 && seen.sightings[2]?.aborted == 1)
        // Nobody knows whom an answer showed that was not understood.
        #expect(seen.unparsed == 1 && seen.assumed == 5)
    }
}
