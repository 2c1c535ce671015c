// PasswordChecker.swift: passwords judged by PAM, in helper processes that may die.
//
// Nobody can tell by the clock whether an account exists. An unknown one is asked of PAM as well,
// under a name that no directory has, and so waits for a helper, finds PAM down or the gate
// overloaded just as a known one does. And since PAM refuses a name it does not know sooner than a
// wrong password, every answer but "right" is held back until as long after the question as the
// slowest of the last known accounts took, rounded up. The typed name of an unknown account is never
// given to PAM: else the gate would be an oracle for the passwords of the machine's own users.

internal import CSystem
internal import Glibc
internal import Synchronization

/// Judges passwords; every call blocks until PAM has spoken or its deadline is over.
package final class PasswordChecker: Sendable {
    private let service: String
    private let executable: String
    private let deadline: Int
    private let helpers: Int
    private let pool: Mutex<Pool>
    /// Counts the helpers that may be asked: a semaphore that can be waited for with a deadline.
    private let permits: Int32
    private let nobody = "_herse-" + hexadecimal(randomBytes(8))

    private struct Pool {
        var idle: [(helper: PasswordHelper, asked: Int)] = []
        var waiting = 0
        /// Deaths since the last answer, and when the last was.
        var deaths = 0
        var diedAt = 0
        /// Milliseconds that PAM took for known accounts lately, the oldest overwritten.
        var durations: [UInt32] = []
        var next = 0
        var report = PasswordReport()
    }

    /// Questions that one helper answers before it is replaced: modules leak.
    private static let questionsMax = 256
    /// Questions that wait for each helper.
    private static let waitingMax = 8
    /// Deaths in a row after which a new helper is started once a second only.
    private static let deathsMax = 3
    /// How soon the first wrong answer comes, in milliseconds; a slow hash takes as long.
    private static let holdMin: UInt32 = 300

    /// A checker for one PAM service; helpers start when they are needed.
    ///
    /// `deadline` is in milliseconds and covers the wait for a helper; `executable` is `herse`
    /// itself, whose verb `pam-helper` is run.
    package init(
        service: String, helpers: Int = 2, deadline: Int = 10_000,
        executable: String = "/proc/self/exe"
    ) {
        self.service = service
        self.helpers = max(1, min(helpers, 64))
        self.deadline = max(1, deadline)
        self.executable = executable
        pool = Mutex(Pool())
        permits = eventfd(UInt32(self.helpers), Int32(EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE))
    }

    deinit { if permits >= 0 { close(permits) } }

    /// What PAM says of a password; `user` is nil when there is no such account, or none that may
    /// sign in.
    ///
    /// `further` answers what the service asks after the password; `source` is the address of who
    /// asks, for PAM's own rules and log.
    package func check(
        user: AccountName?, password: Span<UInt8>, further: [[UInt8]] = [], source: String
    ) -> PasswordVerdict {
        let end = milliseconds() + deadline
        var question = PasswordQuestion(
            hold: hold, service: service, user: user?.description ?? nobody,
            source: isPlain(source) ? source : "unknown", terminal: "herse")
        guard takePermit(until: end) else { return count(.unavailable(.overloaded)) }
        defer { givePermit() }
        question.hold = hold
        guard var packet = question.packet(password: password, further: further) else {
            // No password that PAM could take; asked all the same, so that it takes its time.
            guard var other = question.packet(password: [0x20].span, further: []) else {
                return count(.unavailable(.conversation))
            }
            defer { wipe(&other) }
            let verdict = ask(other, isKnown: false, until: end)
            if case .unavailable = verdict { return count(verdict) }
            return count(.wrong)
        }
        defer { wipe(&packet) }
        let verdict = ask(packet, isKnown: user != nil, until: end)
        // Nobody has a right password, whatever a stack that permits all says.
        if user == nil, !isUnavailable(verdict) { return count(.wrong) }
        return count(verdict)
    }

    /// What the helpers have done since the start.
    package var report: PasswordReport {
        pool.withLock { pool in
            var report = pool.report
            report.waiting = pool.waiting
            return report
        }
    }

    private func ask(_ packet: [UInt8], isKnown: Bool, until end: Int) -> PasswordVerdict {
        guard let (helper, asked) = takeHelper() else { return .unavailable(.crashed) }
        switch helper.ask(packet, deadline: end) {
        case .success(let answer):
            pool.withLock { pool in
                pool.deaths = 0
                if asked + 1 < Self.questionsMax { pool.idle.append((helper, asked + 1)) }
                guard isKnown, !isUnavailable(answer.verdict) else { return }
                let duration = min(answer.took, UInt32(clamping: deadline / 2))
                if pool.durations.count < 16 {
                    pool.durations.append(duration)
                } else {
                    pool.durations[pool.next] = duration
                }
                pool.next = (pool.next + 1) % 16
            }
            return answer.verdict
        case .failure(let failure):
            pool.withLock { pool in
                pool.deaths += 1
                pool.diedAt = milliseconds()
                switch failure {
                case .late: pool.report.late &+= 1
                case .died: pool.report.died &+= 1
                }
            }
            return .unavailable(failure == .late ? .deadline : .crashed)
        }
    }

    /// Milliseconds before which no wrong answer is given.
    private var hold: UInt32 {
        let slowest = pool.withLock { $0.durations.max() ?? 0 }
        // Rounded up, so that the small differences below do not show.
        let rounded = (max(slowest, Self.holdMin) / 100 + 1) * 100
        return min(rounded, UInt32(clamping: deadline / 2))
    }

    /// An idle helper, or a new one; nil when none can be had.
    private func takeHelper() -> (PasswordHelper, asked: Int)? {
        while true {
            let idle = pool.withLock { $0.idle.popLast() }
            guard let idle else { break }
            if idle.helper.isAlive { return (idle.helper, idle.asked) }
        }
        let mayStart = pool.withLock { pool in
            guard pool.deaths >= Self.deathsMax else { return true }
            // One that dies at once must not make the gate do nothing but start it.
            guard milliseconds() - pool.diedAt >= 1000 else { return false }
            pool.diedAt = milliseconds()
            return true
        }
        guard mayStart, reapStuck() < helpers else { return nil }
        guard let helper = PasswordHelper(executable: executable) else {
            pool.withLock {
                $0.deaths += 1
                $0.diedAt = milliseconds()
            }
            return nil
        }
        pool.withLock { $0.report.started &+= 1 }
        return (helper, 0)
    }

    private func takePermit(until end: Int) -> Bool {
        if drawPermit() { return true }
        let mayWait = pool.withLock { pool in
            guard pool.waiting < helpers * Self.waitingMax else { return false }
            pool.waiting += 1
            return true
        }
        guard mayWait else { return false }
        defer { pool.withLock { $0.waiting -= 1 } }
        while true {
            let left = end - milliseconds()
            guard left > 0 else { return false }
            var wait = pollfd(fd: permits, events: Int16(POLLIN), revents: 0)
            // Safe because the one entry lives on the stack for the call.
            let ready = unsafe poll(&wait, 1, Int32(clamping: left))
            if ready < 0, errno != EINTR { return false }
            if drawPermit() { return true }
        }
    }

    private func drawPermit() -> Bool {
        var one: UInt64 = 0
        // Safe because eight bytes are read into a local.
        return unsafe read(permits, &one, 8) == 8
    }

    private func givePermit() {
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local.
        _ = unsafe write(permits, &one, 8)
    }

    private func count(_ verdict: PasswordVerdict) -> PasswordVerdict {
        pool.withLock { pool in
            switch verdict {
            case .right: pool.report.right &+= 1
            case .unavailable: pool.report.unavailable &+= 1
            case .wrong, .expired, .denied: pool.report.refused &+= 1
            }
        }
        return verdict
    }
}

/// What the helpers of a checker have done; counts since the start.
package struct PasswordReport: Equatable, Sendable {
    package var right: UInt64 = 0
    package var refused: UInt64 = 0
    package var unavailable: UInt64 = 0
    package var started: UInt64 = 0
    package var late: UInt64 = 0
    package var died: UInt64 = 0
    /// Questions that wait for a helper now.
    package var waiting = 0
}

private func isUnavailable(_ verdict: PasswordVerdict) -> Bool {
    if case .unavailable = verdict { return true }
    return false
}

/// Whether a text may stand in PAM's log.
private func isPlain(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
}
