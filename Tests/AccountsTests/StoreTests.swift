// StoreTests.swift: accounts on disk: what is kept, what is refused, what damage does.

import Foundation
import Glibc
import Testing

@testable import Accounts

@Suite struct `The name of an account` {
    @Test(arguments: [
        "a", "0", "_x", "anne.le-roux@chu-lyon.fr", String(repeating: "a", count: 64),
    ])
    func `is small letters, digits and a few marks`(text: String) {
        #expect(AccountName(text)?.description == text)
    }

    @Test(arguments: [
        "", ".", "..", "-rf", "@x", "Anne", "anne ", "an/ne", "a\u{0}b", "a\nb", "é", "a:b", "a%b",
        String(repeating: "a", count: 65),
    ])
    func `is nothing else`(text: String) { #expect(AccountName(text) == nil) }

    @Test(arguments: [
        ("Anne.Le-Roux", "anne.le-roux"), ("ANNE\u{0}", nil), ("É", nil),
        (String(repeating: "A", count: 65), nil),
    ])
    func `is read from what a person typed`(typed: String, read: String?) {
        #expect(span(typed) { AccountName(typed: $0) }?.description == read)
    }
}

@Suite struct `The store of accounts` {
    @Test func `keeps an account for whoever opens it next`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        try folder.store.add(
            anne, professional: "0a12345", structure: "1x0b152872", by: "root", now: night)
        let account = try #require(try folder.store.account(named: anne))
        #expect(account.professional == "0A12345")
        #expect(account.structure == "1X0B152872")
        #expect(account.isActive)
        #expect(account.factors.isEmpty)
        #expect(account.createdBy == "root")
        #expect(account.createdAt == night)
        #expect(account.signedInAt == nil)
        #expect(throws: AccountError.exists(anne)) {
            try folder.store.add(anne, professional: "899700218896", by: "root", now: night)
        }
    }

    @Test func `is for its owner's eyes alone`() throws {
        let folder = try TestFolder()
        try folder.store.add(try name("anne"), professional: "8997", by: "root", now: night)
        for (path, mode) in [("", 0o700), ("/anne.account", 0o600), ("/lock", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(
                atPath: folder.path + "/accounts" + path)
            #expect(attributes[.posixPermissions] as? Int == mode)
        }
    }

    @Test func `is empty where there is no folder, and makes none to look`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        #expect(try folder.store.list().accounts.isEmpty)
        #expect(try folder.store.account(named: anne) == nil)
        #expect(throws: AccountError.unknown(anne)) { try folder.store.remove(anne) }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/accounts"))
        let nowhere = AccountStore(folder: folder.path + "/none/accounts")
        #expect(throws: AccountError.noState(path: folder.path + "/none")) {
            try nowhere.add(anne, professional: "8997", by: "root", now: night)
        }
    }

    @Test(arguments: ["", "8 9", "8\n9", "é", String(repeating: "8", count: 65)])
    func `refuses what no line of a file can hold`(text: String) throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        #expect(throws: AccountError.self) {
            try folder.store.add(anne, professional: text, by: "root", now: night)
        }
        #expect(throws: AccountError.self) {
            try folder.store.add(anne, professional: "8", structure: text, by: "root", now: night)
        }
        #expect(try folder.store.list().accounts.isEmpty)
        // Who made it is no reason to refuse.
        try folder.store.add(anne, professional: "8", by: text, now: night)
        #expect(try folder.store.account(named: anne)?.createdBy == "unknown")
    }

    @Test func `gives an account made again another epoch`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        var epochs: Set<UInt64> = []
        for _ in 0..<4 {
            try folder.store.add(anne, professional: "8", by: "root", now: night)
            epochs.insert(try #require(try folder.store.account(named: anne)).epoch)
            try folder.store.remove(anne)
            #expect(try folder.store.account(named: anne) == nil)
        }
        #expect(epochs.count == 4)
    }

    @Test func `forgets the secret of an app, and a key by its label`() throws {
        let folder = try TestFolder()
        let store = folder.store
        let anne = try name("anne")
        _ = try store.addWithApp(anne, now: night)
        for id in [UInt8(1), 2] {
            let link = try store.makeLink(for: anne, factors: [.webauthn], seconds: 60, now: night)
            _ = try store.enrolKey(link: link, id: [id], bytes: [9, id], now: night)
        }
        let before = try #require(try store.account(named: anne))
        #expect(before.factors == [.totp, .webauthn])
        try store.forgetTOTP(of: anne)
        #expect(throws: AccountError.keyUnknown) { try store.forgetKey("00000000", of: anne) }
        try store.forgetKey(before.keys[0].label, of: anne)
        let after = try #require(try store.account(named: anne))
        #expect(after.totp == nil)
        #expect(after.keys == [before.keys[1]])
        #expect(after.epoch != before.epoch)
    }

    @Test func `lets one of two sign-ins with the same counter through`() throws {
        let folder = try TestFolder()
        let store = folder.store
        let anne = try name("anne")
        try store.add(anne, professional: "8", by: "root", now: night)
        let link = try store.makeLink(for: anne, factors: [.webauthn], seconds: 60, now: night)
        _ = try store.enrolKey(link: link, id: [1], bytes: [5], now: night)
        try store.useKey([1], of: anne, from: [5], to: [6], now: night + 1)
        #expect(throws: AccountError.keyChanged) {
            try store.useKey([1], of: anne, from: [5], to: [6], now: night + 1)
        }
        #expect(throws: AccountError.keyUnknown) {
            try store.useKey([2], of: anne, from: [5], to: [6], now: night + 1)
        }
        #expect(try store.account(named: anne)?.signedInAt == night + 1)
    }

    @Test func `shows damaged accounts by name and removes them`() throws {
        let folder = try TestFolder()
        let store = folder.store
        for text in ["anne", "paul", "zoe"] {
            try store.add(try name(text), professional: "8", by: "root", now: night)
        }
        let paul = try name("paul")
        try folder.write("herse account 1\n", to: "accounts/paul.account")
        let list = try store.list()
        #expect(list.accounts.map(\.name.description) == ["anne", "zoe"])
        #expect(list.damaged == [paul])
        #expect(throws: AccountError.self) { try store.account(named: paul) }
        #expect(throws: AccountError.self) { try store.set(.disabled, of: paul) }
        try store.remove(paul)
        #expect(try store.list().damaged.isEmpty)
    }

    @Test func `follows no link and waits at no pipe`() throws {
        let folder = try TestFolder()
        let store = folder.store
        try store.add(try name("anne"), professional: "8", by: "root", now: night)
        let accounts = folder.path + "/accounts/"
        try FileManager.default.createSymbolicLink(
            atPath: accounts + "link.account", withDestinationPath: accounts + "anne.account")
        // Safe because the path outlives the call.
        #expect(unsafe mkfifo(accounts + "pipe.account", 0o600) == 0)
        try FileManager.default.createDirectory(
            atPath: accounts + "folder.account", withIntermediateDirectories: false)
        #expect(try store.list().damaged.map(\.description) == ["folder", "link", "pipe"])
    }

    @Test func `says who holds the lock when nobody lets go`() throws {
        let folder = try TestFolder()
        let anne = try name("anne")
        try folder.store.add(anne, professional: "8", by: "root", now: night)
        // Safe because the path outlives the call.
        let held = unsafe open(folder.path + "/accounts/lock", O_RDWR)
        defer { close(held) }
        #expect(flock(held, LOCK_EX) == 0)
        #expect(throws: AccountError.busy(path: folder.path + "/accounts/lock")) {
            try folder.store.set(.disabled, of: anne)
        }
        // Readers need no lock.
        #expect(try folder.store.account(named: anne)?.isActive == true)
    }

    @Test func `has a message and no secret for each of its errors`() throws {
        let anne = try name("anne")
        let errors: [AccountError] = [
            .exists(anne), .unknown(anne), .damaged(path: "/p"), .tooMany, .tooManyKeys, .keyKnown,
            .keyUnknown, .keyChanged, .value("it"), .linkOver, .wrongCode, .noState(path: "/p"),
            .busy(path: "/p"), .system(call: "open", path: "/p", code: ENOSPC),
            .system(call: "open", path: "/p", code: EACCES),
        ]
        #expect(Set(errors.map(\.message)).count == errors.count)
        for text in errors.map(\.message) + errors.compactMap(\.hint) {
            #expect(!text.hasSuffix(".") && !text.contains("\n"))
        }
        #expect("\(OneTimeSecret(bytes: [1, 2], enrolledAt: 0, lastStep: 0))" == "a secret")
    }
}
