// GateLog.swift: what the operator reads on standard error, written by a thread of its own.
//
// A reader that stalls must not stall the gate: lines wait in a bounded queue, and what does not
// fit is counted and said. Lines of one kind that come in a storm are counted too (LogStorms).

internal import CSystem
internal import Glibc
package import Reactor
internal import Synchronization
internal import Wire

/// The gate's log; any thread may write, none waits.
package final class GateLog: Sendable {
    private struct Queue {
        var lines: [String] = []
        var dropped = 0
        var storms = LogStorms()

        /// Whether there was room for it.
        @discardableResult
        mutating func add(_ line: String) -> Bool {
            guard lines.count < GateLog.linesMax else {
                dropped += 1
                return false
            }
            lines.append("herse: \(line)")
            return true
        }
    }

    private let queue = Mutex(Queue())
    private let bell: Int32

    /// Lines that wait for a slow reader.
    static let linesMax = 4096

    /// Starts the thread that writes.
    package init() throws(SystemError) {
        bell = eventfd(0, Int32(EFD_CLOEXEC))
        guard bell >= 0 else { throw SystemError("eventfd") }
        try startThread(name: "herse-log") { self.run() }
    }

    /// Writes one line; `kind` groups what may come in a storm.
    package func say(_ text: String, kind: String? = nil) {
        let rings = queue.withLock { queue -> Bool in
            if let kind {
                let (verdict, before) = queue.storms.take(text, kind: kind, in: time(nil))
                if let before { queue.add(before) }
                if verdict != .written { return verdict == .begins }
            }
            return queue.add(text)
        }
        guard rings else { return }
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local.
        _ = unsafe write(bell, &one, 8)
    }

    private func run() {
        while true {
            let isRaging = queue.withLock { $0.storms.isRaging }
            var watched = pollfd(fd: bell, events: Int16(POLLIN), revents: 0)
            // Safe because one structure is lent, and eight bytes are read into a local.
            if unsafe poll(&watched, 1, isRaging ? 200 : -1) == 1 {
                var count: UInt64 = 0
                _ = unsafe read(bell, &count, 8)
            }
            empty(inSecond: time(nil))
        }
    }

    /// Writes what waits, when the process is about to exit.
    package func flush() { empty(inSecond: nil) }

    /// Writes what waits, and what is to be said of storms that are over in this second.
    private func empty(inSecond second: Int?) {
        let (lines, dropped) = queue.withLock { queue in
            for line in queue.storms.end(in: second) { queue.add(line) }
            let taken = (queue.lines, queue.dropped)
            queue.lines = []
            queue.dropped = 0
            return taken
        }
        var text = lines.joined(separator: "\n")
        if !lines.isEmpty { text += "\n" }
        if dropped > 0 { text += "herse: \(dropped) lines of log lost: the reader is too slow\n" }
        text.withUTF8 { bytes in
            var done = 0
            while done < bytes.count {
                // Safe because done < bytes.count, and write reads at most the rest.
                let count = unsafe write(
                    2, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
                if count <= 0 { return }
                done += count
            }
        }
    }

    // MARK: What workers say

    func handshakeFailed(_ peer: PeerAddress, why: String?) {
        say(
            "handshake failed with \(peer.description): \(why ?? "closed by peer")",
            kind: "handshake failed")
    }

    func certificateStatus(_ peer: PeerAddress, _ problem: String) {
        say("certificate of \(peer.description): \(problem)", kind: "certificate status")
    }

    func notBelieved(_ peer: PeerAddress) {
        say(
            "certificate of \(peer.description) is no longer believed: its time, or a list's, is over",
            kind: "not believed")
    }

    func connectionShed(_ what: String) {
        say("connection shed: no more \(what)", kind: "connection shed")
    }

    func serverFailed(_ server: String, _ endpoint: String) {
        say(
            "identity server `\(server)` at \(endpoint) cannot be reached", kind: "server \(server)"
        )
    }

    func serverHandshakeFailed(_ server: String, why: String?) {
        say(
            "identity server `\(server)`: TLS handshake failed: \(why ?? "closed by peer")",
            kind: "server TLS \(server)")
    }

    func answerMalformed(_ server: String, _ error: HeadError) {
        say(
            "identity server `\(server)`: answer refused: \(error.reason)", kind: "answer \(server)"
        )
    }
}
