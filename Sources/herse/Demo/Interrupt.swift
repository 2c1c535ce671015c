// Interrupt.swift: Ctrl-C and its like, handled on a thread instead of within a signal handler.

import CSystem
import Foundation
import Glibc
import Synchronization

/// Whether everything is shown, so that an interrupt is the way to end.
private let isExpected = Atomic<Bool>(false)

/// Calls `body` when the process is told to end, on a thread of its own; it says whether the end
/// was the expected one.
func onInterrupt(_ body: @escaping @Sendable (Bool) -> Void) throws(Failure) {
    let signals = herse_catch_signals()
    guard signals >= 0 else { throw Failure("signals cannot be caught: error \(errno)") }
    Thread.detachNewThread {
        var state = pollfd(fd: signals, events: Int16(POLLIN), revents: 0)
        // Safe because one descriptor is given, and it is a local.
        while unsafe poll(&state, 1, -1) <= 0 {}
        body(isExpected.load(ordering: .sequentiallyConsistent))
    }
}

/// From now on an interrupt is how the command ends well.
func interruptIsExpected() { isExpected.store(true, ordering: .sequentiallyConsistent) }
