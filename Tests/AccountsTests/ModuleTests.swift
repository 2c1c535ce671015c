// ModuleTests.swift: modules that hang, die, flood and hoard: nobody but their helper suffers.

import Foundation
import Testing

@testable import Accounts

@Suite(.serialized) struct `A module of PAM` {
    /// What one does, and how it ends.
    private static let ends: [(String, PasswordVerdict)] = [
        ("abort();", .unavailable(.crashed)),
        ("*(volatile int *)0 = 1;", .unavailable(.crashed)),
        ("exit(0);", .unavailable(.crashed)),
        ("_exit(77);", .unavailable(.crashed)),
        ("for (;;) free(ask(pamh, PAM_PROMPT_ECHO_OFF, \"Again: \"));", .unavailable(.deadline)),
        (
            "for (;;) if (!ask(pamh, PAM_PROMPT_ECHO_OFF, \"Again: \")) return PAM_CONV_ERR;",
            .unavailable(.unanswered)
        ),
        (
            """
            for (int i = 0; i < 1000; i++) ask(pamh, PAM_TEXT_INFO, "news");
            return PAM_SUCCESS;
            """, .unavailable(.conversation)
        ),
        (
            """
            char *text = malloc(65538); memset(text, 'q', 65537); text[65537] = 0;
            ask(pamh, PAM_TEXT_INFO, text); return PAM_SUCCESS;
            """, .unavailable(.conversation)
        ),
        ("ask(pamh, 99, \"what\"); return PAM_SUCCESS;", .unavailable(.conversation)),
        (
            """
            const struct pam_conv *conv; struct pam_response *response = NULL;
            static struct pam_message all[4096]; static const struct pam_message *each[4096];
            for (int i = 0; i < 4096; i++) {
                all[i].msg_style = PAM_PROMPT_ECHO_OFF; all[i].msg = "Word: "; each[i] = &all[i];
            }
            pam_get_item(pamh, PAM_CONV, (const void **)&conv);
            conv->conv(4096, each, &response, conv->appdata_ptr); return PAM_SUCCESS;
            """, .unavailable(.conversation)
        ),
        (
            """
            const struct pam_conv *conv; struct pam_response *response = NULL;
            pam_get_item(pamh, PAM_CONV, (const void **)&conv);
            conv->conv(-1, NULL, &response, conv->appdata_ptr); return PAM_SUCCESS;
            """, .unavailable(.conversation)
        ),
        (
            // A right answer it forged itself: eleven bytes are none, and none comes after.
            "for (int i = 3; i < 64; i++) if (write(i, \"\\1\\0\\0\\0\\0\\0\\0\\0\\0\\0!\", 11) < 0) ;"
                + "return PAM_AUTH_ERR;", .unavailable(.crashed)
        ),
        ("for (int i = 0; i < 64; i++) close(i); return PAM_AUTH_ERR;", .unavailable(.crashed)),
        // libpam takes what no module may answer for a failure.
        ("return 9999;", .wrong), ("return PAM_IGNORE;", .wrong), ("return -1;", .wrong),
        (
            // As much memory as there is: there is an end to it before the machine's.
            """
            for (;;) {
                char *part = malloc(1 << 20);
                if (!part) return PAM_BUF_ERR;
                memset(part, 1, 1 << 20);
            }
            """, .unavailable(.pam(code: 5))
        ),
    ]

    @Test(arguments: ends)
    func `that misbehaves is nobody's trouble`(body: String, verdict: PasswordVerdict) throws {
        let stage = try PAMStage()
        try stage.service("odd", authenticates: body)
        let checker = try stage.checker("odd", deadline: 3000)
        let clock = ContinuousClock()
        let time = clock.measure { #expect(checker.check() == verdict) }
        #expect(time < .seconds(10))
        #expect(stage.calls == 1)
        // The next is asked of a good helper again.
        try stage.service("odd", authenticates: "return PAM_SUCCESS;")
        try stage.service("odd", "auth required \(stage.matrix) passdb=\(stage.folder.path)/passdb")
        try stage.folder.write("anne:\(PAMStage.password):odd\n", to: "passdb")
        #expect(checker.check() == .right)
    }

    @Test(arguments: [
        "for (;;) pause();",
        "sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL); for (;;) pause();",
        "setsid(); for (;;) pause();",
        "if (fork() == 0) for (;;) pause(); for (;;) pause();",
    ])
    func `that hangs is ended at the deadline with all it started`(body: String) throws {
        let stage = try PAMStage()
        try stage.service(
            "hang", authenticates: "if (fork() == 0) { count(\"\"); for (;;) pause(); } \(body)")
        let checker = try stage.checker("hang", deadline: 1000)
        for number in 1...4 {
            let time = ContinuousClock().measure {
                let verdict = checker.check()
                // After three deaths in a row a helper starts once a second only.
                #expect(verdict == .unavailable(.deadline) || number == 4)
            }
            #expect(time < .seconds(3))
        }
        #expect(checker.report.late >= 3)
        #expect(stage.alive.isEmpty)
        #expect(stage.calls >= 3)
    }

    @Test func `that hangs for one keeps another helper free`() async throws {
        let stage = try PAMStage()
        try stage.service(
            "some",
            authenticates: """
                const char *user = NULL; pam_get_user(pamh, &user, NULL);
                if (!strcmp(user, "anne")) for (;;) pause();
                return PAM_SUCCESS;
                """)
        let checker = try stage.checker("some", helpers: 2, deadline: 5000)
        async let stuck = Task.detached { checker.check("anne") }.value
        while stage.calls == 0 { await Task.yield() }
        #expect(checker.check("paul") == .right)
        #expect(await stuck == .unavailable(.deadline))
        #expect(checker.report.started >= 2)
    }

    @Test func `that is slow lets as many wait as may, and no more`() async throws {
        let stage = try PAMStage()
        try stage.service("slow", authenticates: "usleep(200000); return PAM_SUCCESS;")
        let checker = try stage.checker("slow", helpers: 1, deadline: 20_000)
        #expect(checker.check() == .right)
        let verdicts = await withTaskGroup(of: PasswordVerdict.self) { group in
            for _ in 0..<32 {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        Thread.detachNewThread { continuation.resume(returning: checker.check()) }
                    }
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        let right = verdicts.filter { $0 == .right }.count
        // One at work and eight waiting; while they are served others may take their places.
        #expect(right >= 9)
        #expect(verdicts.contains(.unavailable(.overloaded)))
        #expect(verdicts.allSatisfy { $0 == .right || $0 == .unavailable(.overloaded) })
        #expect(checker.report.started == 1)
        #expect(checker.report.waiting == 0)
    }

    @Test func `sees nothing of the gate but the question`() throws {
        let stage = try PAMStage()
        let look = stage.folder.path + "/look"
        try stage.service(
            "nosy",
            authenticates: """
                FILE *file = fopen("\(look)", "w");
                for (int i = 0; i < 1024; i++) {
                    char name[64], target[256] = "";
                    sprintf(name, "/proc/self/fd/%d", i);
                    if (i != fileno(file) && readlink(name, target, 255) > 0)
                        fprintf(file, "fd %d %s\\n", i, target);
                }
                extern char **environ;
                for (char **v = environ; *v; v++) fprintf(file, "env %s\\n", *v);
                char *folder = getcwd(NULL, 0); fprintf(file, "cwd %s\\n", folder);
                fclose(file);
                return PAM_SUCCESS;
                """)
        #expect(try stage.checker("nosy").check() == .right)
        let seen = try String(contentsOfFile: look, encoding: .utf8).split(separator: "\n")
        // Besides the socket of the question there is only what the helper has made for itself.
        let open = seen.filter { $0.hasPrefix("fd ") }.map { $0.split(separator: " ")[2] }
        #expect(open.prefix(3) == ["/dev/null", "/dev/null", "/dev/null"])
        #expect(open.filter { $0.hasPrefix("socket:") }.count == 1)
        #expect(open.dropFirst(4).allSatisfy { $0.hasPrefix("anon_inode:") }, "\(open)")
        #expect(seen.contains("cwd /"))
        let known = ["PATH", "LC_ALL", "SWIFT_BACKTRACE", "LD_PRELOAD", "PAM_WRAPPER", "PWD"]
        for line in seen where line.hasPrefix("env ") {
            #expect(known.contains { line.dropFirst(4).hasPrefix($0) }, "\(line)")
        }
    }

    @Test func `goes with the gate`() throws {
        let stage = try PAMStage()
        do {
            let checker = try stage.checker("matrix")
            #expect(checker.check() == .right)
            #expect(stage.alive.count == 1)
        }
        #expect(stage.alive.isEmpty)
    }
}
