// ReadNoticeTests.swift: who reads a record says so before anything is shown.

import Foundation
import Glibc
import Testing

@testable import Gate
@testable import herse

/// A folder like a state folder, with a record of one line in it.
private func state(in folder: String) throws -> String {
    let state = folder + "/state"
    try FileManager.default.createDirectory(
        atPath: state + "/record", withIntermediateDirectories: true)
    try #"{"time":"2026-11-20T08:00:00.000Z","event":"signed-in"}"#
        .write(toFile: state + "/record/000001.jsonl", atomically: true, encoding: .utf8)
    return state
}

/// Says that the record of `state` is read, as a command would.
private func tell(_ state: String, _ control: String, of folder: String? = nil) throws -> String {
    let said = Recorder()
    try tellReading(
        of: folder ?? state + "/record", "who-saw", filters: ["patient:0123456789abcdef"],
        state: state, control: control, on: said.console)
    return said.talk
}

@Suite struct `Reading a record` {
    @Test func `is told to the gate that runs`() throws {
        let gate = try FakeGate(.noted)
        let state = try state(in: gate.folder)
        #expect(try tell(state, gate.socket) == "")
        guard case .recordRead(let notice) = gate.requests.first else {
            Issue.record("the gate was told \(gate.requests)")
            return
        }
        #expect(notice.what == "who-saw" && notice.filters == ["patient:0123456789abcdef"])
        #expect(!FileManager.default.fileExists(atPath: state + "/record-reads.pending"))
    }

    @Test func `stops when the gate that runs cannot record it`() throws {
        let gate = try FakeGate(.refused(["the disk is full"]))
        let state = try state(in: gate.folder)
        #expect(throws: Failure(lines: ["the disk is full"])) { try tell(state, gate.socket) }
    }

    @Test func `is put down for the next gate when none runs`() throws {
        let folder = try temporaryFolder()
        let state = try state(in: folder)
        for _ in 0..<2 { #expect(try tell(state, folder + "/control.sock") == "") }
        let path = state + "/record-reads.pending"
        var facts = stat()
        // Safe because the structure is a local.
        #expect(unsafe lstat(path, &facts) == 0 && facts.st_mode & 0o777 == 0o600)
        if let reads = PendingReads.held(in: state) {
            // Locked as long as it is held.
            let isLocked = PendingReads.held(in: state) == nil
            let (count, isGone) = (reads.acts.count, reads.forget())
            #expect(count == 2 && isLocked && isGone)
        } else {
            Issue.record("nothing waits")
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test func `stops when it can be told nowhere`() throws {
        let folder = try temporaryFolder()
        let state = try state(in: folder)
        // A link is not followed: it could lead to any file of whoever reads.
        try FileManager.default.createSymbolicLink(
            atPath: state + "/record-reads.pending", withDestinationPath: folder + "/elsewhere")
        #expect(throws: Failure.self) { try tell(state, folder + "/control.sock") }
        #expect(!FileManager.default.fileExists(atPath: folder + "/elsewhere"))
    }

    @Test func `is bounded while no gate takes it over`() throws {
        let folder = try temporaryFolder()
        let state = try state(in: folder)
        let full = String(repeating: "x", count: PendingReads.bytesMax)
        try full.write(
            toFile: state + "/record-reads.pending", atomically: true, encoding: .utf8)
        #expect(throws: Failure.self) { try tell(state, folder + "/control.sock") }
    }

    @Test func `of a copy is nobody's affair, and says so`() throws {
        let folder = try temporaryFolder()
        let state = try state(in: folder)
        let copy = folder + "/copy"
        try FileManager.default.copyItem(atPath: state + "/record", toPath: copy)
        #expect(
            try tell(state, folder + "/control.sock", of: copy)
                == "reading a copy: the gate does not know")
        try FileManager.default.createSymbolicLink(
            atPath: folder + "/link", withDestinationPath: state + "/record")
        #expect(try tell(state, folder + "/control.sock", of: folder + "/link") == "")
    }

    @Test func `is told in few plain words, however it is asked`() {
        let long = RecordReadNotice(
            what: "feed https://" + String(repeating: "x", count: 100),
            filters: (0..<40).map { "session:\($0)\n" + String(repeating: "é", count: 100) } + [""])
        #expect(long.isSound && long.what.utf8.count == 64 && long.what.hasSuffix("x..."))
        #expect(long.filters.count == 16 && long.filters.last == "and 25 more")
        #expect(long.filters[0].hasPrefix("session:0?????") && long.filters[0].utf8.count == 128)
        #expect(RecordReadNotice(what: "search").isSound)
    }

    @Test(arguments: ["", "a\u{1}b", String(repeating: "x", count: 65), "é"])
    func `is not believed by the gate in any other form`(what: String) throws {
        let form = try JSONSerialization.data(withJSONObject: ["what": what, "filters": []])
        #expect(try !JSONDecoder().decode(RecordReadNotice.self, from: form).isSound)
    }
}
