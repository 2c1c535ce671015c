// PasswordTests.swift: passwords judged by real modules in real helpers.

import Foundation
import Testing

@testable import Accounts

@Suite(.serialized) struct `A password` {
    @Test func `is judged by pam_matrix`() throws {
        let stage = try PAMStage()
        let checker = try stage.checker("matrix")
        #expect(checker.check() == .right)
        #expect(checker.check("anne", "wrong") == .wrong)
        #expect(checker.check("anne", "") == .wrong)
        #expect(checker.check("paul") == .wrong)
        #expect(checker.check() == .right)
        // One helper answered all of it.
        #expect(checker.report.started == 1)
        #expect(checker.report.right == 2)
        #expect(checker.report.refused == 3)
    }

    @Test func `is judged by pam_unix, for users of the system`() throws {
        let stage = try PAMStage()
        try stage.users("anne", "paul")
        try stage.service(
            "unix", "auth required pam_unix.so", "account required pam_unix.so")
        let checker = try stage.checker("unix")
        #expect(checker.check("anne") == .right)
        #expect(checker.check("paul") == .right)
        #expect(checker.check("anne", PAMStage.password + " ") == .wrong)
        #expect(checker.check("anne", String(repeating: "x", count: 511)) == .wrong)
        #expect(checker.check("zoe") == .wrong)
        // Nobody has a right password, not even a user of the machine.
        #expect(checker.check(nil) == .wrong)
    }

    @Test func `may be a code that pam_oath judges once`() throws {
        let stage = try PAMStage()
        let secret = Array("12345678901234567890".utf8)
        try stage.folder.write(
            "HOTP/T30/6 anne - \(hexadecimal(secret))\n", to: "users.oath", mode: 0o600)
        let module = try PAMStage.library("security/pam_oath.so")
        let line = "auth required \(module) usersfile=\(stage.folder.path)/users.oath window=3"
        try stage.service("oath", line)
        let now = Int64(Date().timeIntervalSince1970)
        let due = totp(secret: secret, step: codeStep(at: now))
        let code = String(decoding: due, as: UTF8.self)
        let checker = try stage.checker("oath")
        let late = totp(secret: secret, step: codeStep(at: now) - 20)
        #expect(checker.check("anne", String(decoding: late, as: UTF8.self)) == .wrong)
        #expect(checker.check("anne", code) == .right)
        #expect(checker.check("anne", code) == .wrong)
    }

    @Test func `may be a code that pam_google_authenticator judges`() throws {
        let stage = try PAMStage()
        let secret = Array("12345678901234567890".utf8)
        try stage.folder.write(
            base32(secret) + "\n\" WINDOW_SIZE 5\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n", to: "google",
            mode: 0o400)
        let owner = NSUserName()
        let module = try PAMStage.library("security/pam_google_authenticator.so")
        try stage.service(
            "google", "auth required \(module) secret=\(stage.folder.path)/google user=\(owner)")
        let now = Int64(Date().timeIntervalSince1970)
        let code = String(
            decoding: totp(secret: secret, step: codeStep(at: now)), as: UTF8.self)
        let checker = try stage.checker("google")
        #expect(checker.check("anne", code == "000000" ? "000001" : "000000") == .wrong)
        #expect(checker.check("anne", code) == .right)
    }

    @Test func `answers the first of several prompts, what follows the others`() throws {
        let stage = try PAMStage()
        let secret = Array("12345678901234567890".utf8)
        try stage.folder.write(
            "HOTP/T30/6 anne - \(hexadecimal(secret))\n", to: "users.oath", mode: 0o600)
        let oath = try PAMStage.library("security/pam_oath.so")
        try stage.folder.write("anne:\(PAMStage.password):both\n", to: "passdb")
        try stage.service(
            "both", "auth required \(stage.matrix) passdb=\(stage.folder.path)/passdb",
            "auth required \(oath) usersfile=\(stage.folder.path)/users.oath window=3")
        let now = Int64(Date().timeIntervalSince1970)
        let code = String(
            decoding: totp(secret: secret, step: codeStep(at: now)), as: UTF8.self)
        let checker = try stage.checker("both")
        #expect(checker.check("anne", "wrong", code == "000000" ? "000001" : "000000") == .wrong)
        #expect(checker.check("anne", PAMStage.password, code) == .right)
        #expect(checker.check("anne", PAMStage.password) == .unavailable(.unanswered))
        #expect(checker.check("anne", PAMStage.password, code) == .wrong)
    }

    @Test(
        arguments: [
            // PAM_ACCT_EXPIRED, PAM_NEW_AUTHTOK_REQD, PAM_AUTHTOK_EXPIRED, PAM_PERM_DENIED,
            // PAM_AUTH_ERR, PAM_USER_UNKNOWN, PAM_AUTHINFO_UNAVAIL and none of PAM's.
            (13, .expired(mustChange: false)), (12, .expired(mustChange: true)),
            (27, .expired(mustChange: true)), (6, .denied), (7, .denied), (10, .denied),
            (9, .unavailable(.pam(code: 9))), (9999, .denied), (0, .right),
        ] as [(Int, PasswordVerdict)])
    func `that is right tells what is wrong with the account`(
        code: Int, verdict: PasswordVerdict
    ) throws {
        let stage = try PAMStage()
        try stage.service(
            "rules",
            authenticates: """
                char *said = ask(pamh, PAM_PROMPT_ECHO_OFF, "Password: ");
                return said && !strcmp(said, "\(PAMStage.password)") ? PAM_SUCCESS : PAM_AUTH_ERR;
                """, account: "\(code)")
        let checker = try stage.checker("rules")
        #expect(checker.check() == verdict)
        // Who does not know it is told nothing.
        #expect(checker.check("anne", "guess") == .wrong)
    }

    @Test func `cannot be judged where there is no service or no module`() throws {
        let stage = try PAMStage()
        try stage.service("broken", "auth required /nonexistent/pam_none.so")
        for service in ["broken", "unheard-of"] {
            let verdict = try stage.checker(service).check()
            #expect(verdict != .right, "\(service)")
        }
        let none = PasswordChecker(
            service: "matrix", helpers: 1, deadline: 2000, executable: "/nonexistent/herse")
        #expect(none.check() == .unavailable(.crashed))
        let other = PasswordChecker(
            service: "matrix", helpers: 1, deadline: 2000, executable: "/bin/true")
        #expect(other.check() == .unavailable(.crashed))
    }

    @Test func `of an unknown account is held back as long as a known one's`() throws {
        let stage = try PAMStage()
        let slow = "usleep(400000); return PAM_AUTH_ERR;"
        let body = """
            const char *user = NULL; pam_get_user(pamh, &user, NULL);
            if (strcmp(user, "anne")) return PAM_USER_UNKNOWN; \(slow)
            """
        try stage.service("slow", authenticates: body)
        let checker = try stage.checker("slow")
        func took(_ user: String?) -> Duration {
            ContinuousClock().measure { #expect(checker.check(user, "guess") == .wrong) }
        }
        #expect(took("anne") >= .milliseconds(400))
        // From then on all take the time of the slowest rounded up, which is 500 ms at least; clocks
        // that count whole milliseconds may differ by a few.
        for user in [nil, "anne", "paul"] { #expect(took(user) >= .milliseconds(490)) }
        #expect(stage.calls == 4, "an unknown account is asked of PAM as well")
    }

    @Test func `that PAM cannot take is wrong after as long as others`() throws {
        let stage = try PAMStage()
        let checker = try stage.checker("matrix")
        let time = ContinuousClock().measure {
            #expect(checker.check("anne", PAMStage.password + "\u{0}") == .wrong)
            #expect(checker.check("anne", String(repeating: "x", count: 512)) == .wrong)
        }
        #expect(time >= .milliseconds(600))
    }
}
