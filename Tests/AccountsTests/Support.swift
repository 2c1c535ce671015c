// Support.swift: folders, names and moments that the tests of accounts share.

import Foundation
import Testing

@testable import Accounts

/// A folder that goes when the test does.
final class TestFolder: Sendable {
    let path: String

    init() throws {
        path =
            FileManager.default.temporaryDirectory.path + "/herse-accounts-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o755])
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The store of a gate whose state folder this is.
    var store: AccountStore { AccountStore(folder: path + "/accounts") }

    func write(_ text: String, to name: String, mode: Int = 0o644) throws {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes(
            [.posixPermissions: mode], ofItemAtPath: path + "/" + name)
    }
}

/// 2026-11-24T00:00:00Z.
let night: Int64 = 1_795_478_400

func name(_ text: String) throws -> AccountName { try #require(AccountName(text)) }

func span<Result>(_ text: String, _ body: (Span<UInt8>) throws -> Result) rethrows -> Result {
    let bytes = Array(text.utf8)
    return try body(bytes.span)
}

extension AccountStore {
    /// Makes an account, and returns the secret of the app it enrols.
    func addWithApp(_ name: AccountName, now: Int64) throws -> [UInt8] {
        try add(name, professional: "899700218896", by: "root", now: now)
        let link = try makeLink(for: name, factors: [.totp], seconds: 3600, now: now)
        let secret = try offer(link: link, now: now).secret
        let code = totp(secret: secret, step: codeStep(at: now))
        _ = try enrolTOTP(link: link, code: code.span, now: now)
        return secret
    }
}
