// Interrupt.swift: Ctrl-C and its like, handled on a thread instead of within a signal handler.

import Foundation
import Glibc
import Synchronization

/// The end of a pipe the handler writes to; -1 before there is one.
private let alarm = Atomic<Int32>(-1)
/// Whether everything is shown, so that an interrupt is the way to end.
private let isExpected = Atomic<Bool>(false)

/// Calls `body` once when the process is told to end, on a thread of its own; it says whether the
/// end was the expected one.
func onInterrupt(_ body: @escaping @Sendable (Bool) -> Void) {
    let pipe = Pipe()
    alarm.store(pipe.fileHandleForWriting.fileDescriptor, ordering: .sequentiallyConsistent)
    Thread.detachNewThread {
        // Kept alive here: its ends close when it goes.
        let end = pipe.fileHandleForReading
        _ = try? end.read(upToCount: 1)
        body(isExpected.load(ordering: .sequentiallyConsistent))
        withExtendedLifetime(pipe) {}
    }
    for number in [SIGINT, SIGTERM, SIGHUP] {
        signal(number) { _ in
            var byte: UInt8 = 1
            // Safe because write may be called in a handler, signal-safety(7), and the byte is here.
            _ = unsafe write(alarm.load(ordering: .sequentiallyConsistent), &byte, 1)
        }
    }
}

/// From now on an interrupt is how the command ends well.
func interruptIsExpected() { isExpected.store(true, ordering: .sequentiallyConsistent) }
