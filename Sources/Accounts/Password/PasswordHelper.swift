// PasswordHelper.swift: one child process that speaks with PAM's modules, seen from the gate.
//
// Modules are other people's code, of other people's choosing, in the process that runs them: they
// hang, crash, and keep what they were given. So they run where that hurts nobody.

internal import CPAM
internal import CSystem
internal import Glibc
internal import Synchronization

/// A helper process and the socket to it; ends with this value.
final class PasswordHelper: Sendable {
    private let process: pid_t
    private let socket: Int32

    /// Starts a helper; nil when the system has no room for one.
    init?(executable: String) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue)
        // Safe because the call writes two numbers into room for two.
        guard unsafe socketpair(AF_UNIX, kind, 0, &ends) == 0 else { return nil }
        // Safe because the texts outlive the call.
        let process = unsafe herse_spawn_helper(executable, "pam-helper", ends[1])
        close(ends[1])
        guard process > 0 else {
            close(ends[0])
            return nil
        }
        self.process = process
        socket = ends[0]
    }

    deinit {
        close(socket)
        // All of its session: modules start programs. The process has not been waited for, so
        // nobody else can have its number by now.
        if kill(-process, SIGKILL) != 0 { kill(process, SIGKILL) }
        for _ in 0..<100 {
            if waitpid(process, nil, WNOHANG) != 0 { return }
            usleep(1000)
        }
        // It is stuck in the kernel; whoever starts the next one waits for it again.
        unreaped.withLock { $0.append(process) }
    }

    /// Whether it is still there, as far as the socket tells.
    var isAlive: Bool {
        var wait = pollfd(fd: socket, events: 0, revents: 0)
        // Safe because the one entry lives on the stack for the call.
        return unsafe poll(&wait, 1, 0) == 0
    }

    /// Asks one question and waits for the answer until `deadline` (ms of the monotonic clock).
    func ask(_ packet: [UInt8], deadline: Int) -> Result<PasswordAnswer, HelperFailure> {
        let sent = unsafe packet.withUnsafeBytes { bytes in
            // Safe because the bytes outlive the call.
            unsafe send(socket, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        }
        guard sent == packet.count else { return .failure(.died) }
        var answer = [UInt8](repeating: 0, count: PasswordAnswer.length + 1)
        while true {
            var wait = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let left = deadline - milliseconds()
            guard left > 0 else { return .failure(.late) }
            // Safe because the one entry lives on the stack for the call.
            let ready = unsafe poll(&wait, 1, Int32(clamping: left))
            if ready < 0, errno != EINTR { return .failure(.died) }
            guard ready > 0 else { continue }
            let count = unsafe answer.withUnsafeMutableBytes { room in
                // Safe because the kernel writes at most as many bytes as the room has.
                unsafe recv(socket, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            }
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count > 0, let read = readAnswer(answer.span.extracting(0..<count)) else {
                return .failure(.died)
            }
            return .success(read)
        }
    }
}

/// Why a helper is of no use any more.
enum HelperFailure: Error {
    case died
    case late
}

/// Milliseconds of the monotonic clock.
func milliseconds() -> Int { Int(herse_clock(CLOCK_MONOTONIC) / 1_000_000) }
