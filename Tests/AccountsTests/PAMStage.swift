// PAMStage.swift: PAM as a helper meets it, without touching the machine's own.
//
// libpam_wrapper makes libpam read its services from a folder, libnss_wrapper makes the C library
// know users that no machine has. Modules that misbehave are a few lines of C, compiled here.

import Foundation
import Testing

@testable import Accounts

/// Services, users and modules of one test, and checkers whose helpers live among them.
final class PAMStage: Sendable {
    let folder: TestFolder
    let matrix: String

    static let password = "Tr0ub4dor&3"
    static let user = "anne"

    init() throws {
        folder = try TestFolder()
        try FileManager.default.createDirectory(
            atPath: folder.path + "/services", withIntermediateDirectories: false)
        matrix = try Self.library("pam_wrapper/pam_matrix.so")
        try folder.write("\(Self.user):\(Self.password):matrix\n", to: "passdb")
        try service("matrix", "auth required \(matrix) passdb=\(folder.path)/passdb")
    }

    /// Where Debian put a shared object.
    static func library(_ name: String) throws -> String {
        let folders = try FileManager.default.contentsOfDirectory(atPath: "/usr/lib").sorted()
        let paths = folders.map { "/usr/lib/\($0)/\(name)" }
        return try #require(
            paths.first { FileManager.default.fileExists(atPath: $0) }, "\(name) is missing")
    }

    /// A service; its accounts are all good unless a line says otherwise.
    func service(_ name: String, _ lines: String...) throws {
        let accounts = lines.contains { $0.hasPrefix("account") }
        let all = lines + (accounts ? [] : ["account required pam_permit.so"])
        try folder.write(all.joined(separator: "\n") + "\n", to: "services/" + name)
    }

    /// A service whose module does this, in C, when it is asked who somebody is; each call adds a
    /// byte to the file `calls`.
    func service(_ name: String, authenticates body: String, account: String = "0") throws {
        let counted = "count(\"\(folder.path)/calls\"); \(body)"
        try folder.write(
            """
            #include <fcntl.h>
            #include <signal.h>
            #include <stdio.h>
            #include <stdlib.h>
            #include <string.h>
            #include <unistd.h>
            #include <security/pam_appl.h>
            #include <security/pam_modules.h>

            static char *ask(pam_handle_t *pamh, int style, const char *text) {
                const struct pam_conv *conv = NULL;
                struct pam_message message = {style, text};
                const struct pam_message *messages = &message;
                struct pam_response *response = NULL;
                if (pam_get_item(pamh, PAM_CONV, (const void **)&conv) != PAM_SUCCESS) return NULL;
                if (conv->conv(1, &messages, &response, conv->appdata_ptr)) return NULL;
                char *answer = response ? response->resp : NULL;
                free(response);
                return answer;
            }
            static void count(const char *path) {
                int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
                if (file >= 0) { if (write(file, "x", 1) < 0) abort(); close(file); }
            }
            int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
                \(counted)
            }
            int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
                return \(account);
            }
            """, to: name + ".c")
        let module = "\(folder.path)/\(name).so"
        let (code, said) = try Self.run(
            "/usr/bin/cc",
            ["-shared", "-fPIC", "-O1", "-w", "-o", module, "\(folder.path)/\(name).c", "-lpam"])
        try #require(code == 0, "\(said)")
        try service(name, "auth required \(module)", "account required \(module)")
    }

    /// How often a module of ours was asked.
    var calls: Int {
        (try? Data(contentsOf: URL(fileURLWithPath: folder.path + "/calls")).count) ?? 0
    }

    /// Users that libnss_wrapper knows; their passwords stand in passwd itself.
    ///
    /// The wrapper has no `getspnam_r`.
    func users(_ names: String...) throws {
        let (_, hash) = try Self.run("/usr/bin/openssl", ["passwd", "-6", Self.password])
        let hashed = hash.trimmingCharacters(in: .newlines)
        var (passwd, group) = ("", "")
        for (number, name) in names.enumerated() {
            let id = 20_001 + number
            passwd += "\(name):\(hashed):\(id):\(id):\(name):/nonexistent:/bin/false\n"
            group += "\(name):x:\(id):\n"
        }
        try folder.write(passwd, to: "passwd")
        try folder.write(group, to: "group")
    }

    /// A checker whose helpers run under the wrappers.
    func checker(
        _ service: String, helpers: Int = 1, deadline: Int = 20_000
    ) throws -> PasswordChecker {
        var preload = "libpam_wrapper.so"
        var more = ""
        if FileManager.default.fileExists(atPath: folder.path + "/passwd") {
            preload += ":libnss_wrapper.so"
            more =
                "NSS_WRAPPER_PASSWD=\(folder.path)/passwd NSS_WRAPPER_GROUP=\(folder.path)/group "
        }
        let script = """
            #!/bin/sh
            export \(more)PAM_WRAPPER=1 PAM_WRAPPER_SERVICE_DIR=\(folder.path)/services
            echo $$ >> \(folder.path)/started
            LD_PRELOAD=\(preload) exec \(try Self.herse()) "$@"

            """
        try folder.write(script, to: "helper.draft", mode: 0o755)
        // A process that another test forks meanwhile holds the file open for writing until it
        // becomes its own program, and what is being written cannot be run.
        let (code, said) = try Self.run(
            "/bin/cp", ["\(folder.path)/helper.draft", "\(folder.path)/helper"])
        try #require(code == 0, "\(said)")
        return PasswordChecker(
            service: service, helpers: helpers, deadline: deadline,
            executable: folder.path + "/helper")
    }

    /// The processes that were started as helpers and are still there.
    var alive: [Int32] {
        let text = try? String(contentsOfFile: folder.path + "/started", encoding: .utf8)
        return (text ?? "").split(separator: "\n").compactMap { Int32($0) }.filter {
            FileManager.default.fileExists(atPath: "/proc/\($0)")
        }
    }

    /// The program beside the test bundle.
    private static func herse() throws -> String {
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        let path = URL(fileURLWithPath: own).deletingLastPathComponent()
            .appendingPathComponent("herse").path
        try #require(FileManager.default.isExecutableFile(atPath: path), "\(path) is not built")
        return path
    }

    private static func run(_ program: String, _ arguments: [String]) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        try process.run()
        let said = try pipe.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: said, as: UTF8.self))
    }
}

extension PasswordChecker {
    /// What PAM says of a password and what follows it.
    func check(
        _ user: String? = PAMStage.user, _ password: String = PAMStage.password,
        _ further: String...
    ) -> PasswordVerdict {
        span(password) {
            check(
                user: user.flatMap { AccountName($0) }, password: $0,
                further: further.map { Array($0.utf8) }, source: "203.0.113.7")
        }
    }
}
