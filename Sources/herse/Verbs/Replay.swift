// Replay.swift: herse replay: a recorded period against a candidate configuration.

import ArgumentParser
import Foundation
import Limits
import Neutralization
import Policy
import RecordReading

struct ReplayCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Decide a recorded period anew, by a candidate configuration.",
        discussion: """
            Reads the record, and says whom the candidate would newly stop and whom it would let \
            through, those with the most requests first. A gate whose record it is is told that it \
            is read, and nothing changes: limits are counted in a table made for the replay, at the record's own times, \
            beginning early enough for the candidate's longest window. Routes are known by name. \
            What the record does not hold is taken as it was: paths and queries, titles on cards. \
            A sealed record needs the private key of an auditor. Exits 0 whatever is found.

            Examples:
              herse replay --since 7d -c candidate.yaml
              herse replay --since 30d -c candidate.yaml --record /var/lib/herse/record
              herse replay --since 7d -c candidate.yaml --auditor-key anne.key.pem --json
            """)

    @Option(
        help: ArgumentHelp(
            "Where the period begins: so long before its end, or a time.", valueName: "time"))
    var since = "7d"

    @Option(
        help: ArgumentHelp(
            "Where it ends: so long before now, or a time; now unless given.", valueName: "time"))
    var until: String?

    @Option(help: ArgumentHelp("Lines shown of each list.", valueName: "number"))
    var top = 20

    @OptionGroup var source: RecordOptions
    @OptionGroup var output: OutputOption

    func validate() throws {
        try mustBeMoment(since, "--since")
        try mustBeMoment(until, "--until")
        guard (1...100_000).contains(top) else {
            throw ValidationError("--top: is out of range, 1 to 100000 lines can be shown")
        }
    }

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let loaded = ConfigurationLoader(filesMustExist: false).load(
            path: source.configuration.path)
        guard let configuration = loaded.configuration else {
            throw Failure(lines: loaded.diagnostics.map(\.description))
        }
        let now = millisecondsNow()
        let said = readPeriod(from: since, to: until, now: now)
        let period = (since: said.since ?? 0, until: said.until ?? now)
        guard period.since < period.until else {
            throw Failure("--since: the period ends before it begins")
        }
        let begin = period.since - min(period.since, Replay.memory(of: configuration))
        let reader = try source.open(
            "replay", filters: ["since:\(since)"], since: begin, on: console)
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let replay = try replay(configuration, in: folder, period)
        let reach = Reach()
        let pass = try passing { () throws(RecordReadingError) in
            try reader.read(since: begin) { exchange in
                reach.first = min(reach.first, exchange.time)
                replay.take(exchange)
                return true
            }
        }
        let report = ReplayReport(
            replay.result, candidate: source.configuration.path, since: period.since,
            until: period.until,
            notes: notes(configuration, pass, isShort: reach.first > begin + 86_400_000))
        console.print(output.json ? json(report) : report.text(top: top))
        return .done
    }

    /// The earliest line that was read.
    private final class Reach {
        var first = UInt64.max
    }

    private func replay(
        _ configuration: Configuration, in folder: String, _ period: (since: UInt64, until: UInt64)
    ) throws(Failure) -> Replay {
        let table: LimitTable
        do {
            table = try LimitTable.open(
                stateFolder: folder, slots: 1 << 21,
                reading: ClockReading(
                    boot: BootID(high: 0, low: 0), sinceBootMilliseconds: 0, wallMilliseconds: 0))
        } catch {
            throw Failure("the replay's table cannot be made in \(folder): \(error.message)")
        }
        do {
            return try Replay(
                configuration, table: table, since: period.since, until: period.until)
        } catch {
            throw Failure("limits: \(error.message)")
        }
    }

    private func temporaryFolder() throws(Failure) -> String {
        let name = "herse-replay-\(UUID().uuidString.prefix(8))"
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        do {
            try FileManager.default.createDirectory(
                at: folder, withIntermediateDirectories: false,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw Failure(
                "\(folder.path): cannot be made", hint: "set TMPDIR to a folder with room")
        }
        return folder.path
    }

    private func notes(
        _ configuration: Configuration, _ pass: RecordReader.Pass, isShort: Bool
    ) -> [String] {
        var notes: [String] = []
        if isShort {
            notes.append(
                "the record begins within the candidate's longest window: its limits would stop "
                    + "more")
        }
        if configuration.limitSets.contains(where: { $0.limits.contains { !$0.roles.isEmpty } }) {
            notes.append("limits for some roles are left out: the record names no titles")
        }
        if pass.unreadable > 0 {
            notes.append("\(counted(pass.unreadable, "line")) could not be read")
        }
        return notes + pass.broken.map { "\($0) could not be read to its end" }
    }
}
