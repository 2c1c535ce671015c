// Errands.swift: what may block is run here, off the workers: fetches, passwords, pages.
//
// Two lanes, so that a storm of people who sign in cannot keep known ones from being recognised.
// A lane that is full refuses at once: its caller answers 503, and nothing waits for ever.

internal import CSystem
internal import Glibc
internal import Reactor
internal import Synchronization

/// A bounded pool of threads that run blocking work.
final class Errands: Sendable {
    private struct Queue {
        var waiting: [@Sendable () -> Void] = []
        /// Index in `waiting` of the next to run.
        var next = 0
        var running = 0
        var refused: UInt64 = 0

        var count: Int { waiting.count - next }
    }

    private let queue = Mutex(Queue())
    private let bell: Int32
    /// Work that waits at once.
    private let waitingMax: Int

    /// Starts `threads` threads, which give way to the workers.
    init(name: String, threads: Int, waitingMax: Int) throws(SystemError) {
        self.waitingMax = waitingMax
        bell = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))
        guard bell >= 0 else { throw SystemError("eventfd") }
        for _ in 0..<threads { try startThread(name: name) { self.run() } }
    }

    /// Has `work` run when its turn comes; false, and it never is, when too much waits.
    func run(_ work: @escaping @Sendable () -> Void) -> Bool {
        let accepted = queue.withLock { queue in
            guard queue.count < waitingMax else {
                queue.refused &+= 1
                return false
            }
            queue.waiting.append(work)
            return true
        }
        guard accepted else { return false }
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local.
        _ = unsafe write(bell, &one, 8)
        return true
    }

    /// Work that waits, and how much was refused so far.
    var report: (waiting: Int, refused: UInt64) {
        queue.withLock { ($0.count, $0.refused) }
    }

    private func run() {
        herse_yield_to_others()
        while true {
            var count: UInt64 = 0
            // Safe because eight bytes are read into a local.
            guard unsafe read(bell, &count, 8) == 8 else { continue }
            let work = queue.withLock { queue -> (@Sendable () -> Void)? in
                guard queue.next < queue.waiting.count else { return nil }
                let work = queue.waiting[queue.next]
                queue.next += 1
                if queue.next == queue.waiting.count || queue.next > 1024 {
                    queue.waiting.removeFirst(queue.next)
                    queue.next = 0
                }
                return work
            }
            work?()
        }
    }
}
