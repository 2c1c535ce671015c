// CrashTests.swift: accounts after a process was killed while it changed them.

import Foundation
import Glibc
import Testing

@testable import Accounts

@Suite(.serialized) struct `A change of accounts` {
    /// Changes one account after another until the process is killed; each change that returned adds
    /// a byte to the file `done`.
    private static func change(_ path: String, killedAfter microseconds: UInt32) {
        let store = AccountStore(folder: path + "/accounts")
        guard let anne = AccountName("anne"), let paul = AccountName("paul") else { return }
        // Safe because the path outlives the call.
        let done = unsafe open(path + "/done", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        Thread.detachNewThread {
            usleep(microseconds)
            kill(getpid(), SIGKILL)
        }
        var byte: UInt8 = 0
        for number in 1... {
            do {
                _ = try store.makeLink(
                    for: anne, factors: [.totp], seconds: Int64(number), now: night)
                // Safe because one byte is read from a local.
                guard unsafe write(done, &byte, 1) == 1 else { return }
                try store.add(paul, professional: "8", by: "root", now: night)
                try store.remove(paul)
            } catch {
                return
            }
        }
    }

    @Test(arguments: (0..<16).map { UInt32($0 * $0 * 150) })
    func `is there wholly or not at all after kill -9`(microseconds: UInt32) async throws {
        let folder = try TestFolder()
        let (anne, paul) = (try name("anne"), try name("paul"))
        try folder.store.add(anne, professional: "899700218896", by: "root", now: night)
        let path = folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = path as String, microseconds = microseconds as UInt32] in
            Self.change(path, killedAfter: microseconds)
        }
        let done = (try? Data(contentsOf: URL(fileURLWithPath: path + "/done")).count) ?? 0
        let account = try #require(try folder.store.account(named: anne))
        #expect(account.professional == "899700218896")
        let changes = account.link.map { Int($0.expiresAt - night) } ?? 0
        #expect((done...done + 1).contains(changes))
        let list = try folder.store.list()
        #expect(list.damaged.isEmpty)
        // And nothing that was left behind is in the way of the next.
        if list.accounts.count == 2 { try folder.store.remove(paul) }
        try folder.store.add(paul, professional: "8", by: "root", now: night)
        try folder.store.set(.disabled, of: anne)
        let files = try FileManager.default.contentsOfDirectory(atPath: path + "/accounts")
        #expect(files.sorted() == ["anne.account", "lock", "paul.account"])
    }

    @Test func `is not disturbed by what a crash has left`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        try folder.store.add(anne, professional: "8", by: "root", now: night)
        try folder.write("herse acc", to: "accounts/new")
        #expect(try folder.store.list().accounts.map(\.name) == [anne])
        try folder.store.set(.disabled, of: anne)
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/accounts/new"))
        #expect(try folder.store.account(named: anne)?.isActive == false)
    }
}
