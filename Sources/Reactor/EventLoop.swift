// EventLoop.swift: one thread, one executor: what a worker's actor runs on.
//
// The thread waits for readiness, lets its owner handle the batch, then runs the jobs that other
// threads have left in the mailbox. Between two batches nothing else touches the owner's state.

internal import CSystem
internal import Glibc
internal import Synchronization

/// What a loop's owner does with each batch, always on the loop's own thread.
package protocol LoopOwner: Actor {
    /// Waits, handles what is ready and what is due; false ends the loop.
    func turn() -> Bool
}

/// A thread that is the serial executor of one actor.
package final class EventLoop: SerialExecutor {
    /// Becomes readable when jobs wait in the mailbox; its owner watches it.
    package let wakeDescriptor: Int32
    private let mailbox = Mutex<[UnownedJob]>([])
    private let isAsked = Atomic<Bool>(false)
    private let thread = Atomic<UInt>(0)

    package init() throws(SystemError) {
        wakeDescriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard wakeDescriptor >= 0 else { throw SystemError("eventfd") }
    }

    deinit { close(wakeDescriptor) }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let wasEmpty = mailbox.withLock { jobs in
            jobs.append(job)
            return jobs.count == 1
        }
        isAsked.store(true, ordering: .relaxed)
        if wasEmpty { wake() }
    }

    /// Whether jobs wait: its owner then ends its turn soon, since an order to cut somebody off may
    /// be among them.
    package var hasJobs: Bool { isAsked.load(ordering: .relaxed) }

    /// Ends the owner's wait now; from any thread.
    package func wake() {
        var one: UInt64 = 1
        // Safe because eight bytes are written from a local. A full counter wakes all the same.
        _ = unsafe write(wakeDescriptor, &one, 8)
    }

    /// Time on a core that a loop asks for at once: less than the kernel's 3 ms, so that on a busy
    /// machine it gets its turn sooner, and its share stays what it was (EEVDF, Linux 6.12).
    private static let sliceNanoseconds: UInt64 = 300_000

    package func checkIsolated() {
        precondition(
            thread.load(ordering: .relaxed) == UInt(pthread_self()),
            "runs on its own loop's thread")
    }

    /// Forgets that the loop was woken; called by the owner when `wakeDescriptor` is readable.
    package func drainWake() {
        var count: UInt64 = 0
        // Safe because eight bytes are read into a local.
        _ = unsafe read(wakeDescriptor, &count, 8)
    }

    /// Runs `owner` on a new thread until its `turn` returns nil, then calls `ended`.
    package func start(
        _ owner: some LoopOwner, name: String, ended: @escaping @Sendable () -> Void = {}
    ) throws(SystemError) {
        try startThread(name: name) {
            self.run(owner)
            ended()
        }
    }

    private func run(_ owner: some LoopOwner) {
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        // Where it cannot be had the loop runs as well, and later at times.
        _ = herse_ask_for_short_slices(Self.sliceNanoseconds)
        while true {
            let goesOn = owner.assumeIsolated { owner in owner.turn() }
            if !goesOn { return }
            runJobs()
        }
    }

    private func runJobs() {
        isAsked.store(false, ordering: .relaxed)
        let jobs = mailbox.withLock { jobs in
            let taken = jobs
            jobs.removeAll()
            return taken
        }
        for job in jobs {
            // Safe because enqueue took over each job and it runs here exactly once.
            unsafe job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}

/// Starts a thread with 512 KiB of stack that runs `body` once.
package func startThread(
    name: String, _ body: @escaping @Sendable () -> Void
) throws(SystemError) {
    final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setstacksize(&attributes, 512 * 1024)
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    // Safe because the retained body is taken over by the thread, or released below.
    let context = unsafe Unmanaged.passRetained(Body(body))
    var thread = pthread_t()
    let result = unsafe pthread_create(
        &thread, &attributes,
        { raw in
            // Safe because raw is the body retained above, taken over once.
            if let raw = unsafe raw {
                unsafe Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run()
            }
            return nil
        }, context.toOpaque())
    guard result == 0 else {
        unsafe context.release()
        throw SystemError("pthread_create", code: result)
    }
    _ = unsafe herse_name_thread(thread, name)
}
