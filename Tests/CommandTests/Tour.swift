// Tour.swift: the demonstration as a person starts it: the program itself, a real gate, real TLS.

import Foundation
import Glibc
import Testing

@testable import herse

@Suite struct `The demonstration` {
    /// The program beside the test bundle.
    private static let program: String = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? "/").deletingLastPathComponent()
            .appendingPathComponent("herse").path
    }()

    @Test func `goes as told, and leaves nothing behind`() async throws {
        let child = try ChildProcess(Self.program, ["demo", "--tour"])
        let status = await child.end(within: .seconds(120))
        let text = child.text
        #expect(status == 0, "\(text)")
        #expect(text.contains("Everything went as told."))
        #expect(text.contains("1 connection, 1 exchange cut in"))
        #expect(text.contains("gate | herse: stopped"))
        let folder = try #require(text.firstMatch(of: /running in (\S+)/)?.output.1)
        #expect(!FileManager.default.fileExists(atPath: String(folder)))
    }

    @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
    func `ends well on a signal once all is shown`(number: Int32) async throws {
        let (lines, continuation) = AsyncStream<String>.makeStream()
        let child = try ChildProcess(Self.program, ["demo", "--keep"]) { line in
            continuation.yield(line)
        }
        let watch = Task {
            // The stream ends with the child, so that a demonstration that dies fails the test.
            _ = await child.end(within: .seconds(120))
            continuation.finish()
        }
        var folder: String?
        for await line in lines {
            if let match = line.firstMatch(of: /running in (\S+)/) {
                folder = String(match.output.1)
            }
            if line.hasPrefix("Ctrl-C ends") { child.kill(number) }
        }
        _ = await watch.value
        #expect(await child.end(within: .seconds(1)) == 0)
        // --keep leaves the folder, and the gate's socket in it answers nobody any more.
        let kept = try #require(folder)
        #expect(FileManager.default.fileExists(atPath: kept + "/herse.yaml"))
        let ended = try await run(["status", "-c", kept + "/herse.yaml"])
        #expect(ended.code == 1)
        try FileManager.default.removeItem(atPath: kept)
    }

    @Test func `runs on the routes and limits that policies/demo ships`() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let shipped = try String(
            contentsOf: root.appendingPathComponent("policies/demo/herse.yaml"), encoding: .utf8)
        let own = demoConfiguration(port: 8443, serverPort: 9000)
        func tail(_ text: String) -> Substring? {
            text.range(of: "\nlimits:").map { text[$0.lowerBound...] }
        }
        #expect(tail(own) == tail(shipped))
    }
}
