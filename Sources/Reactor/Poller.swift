// Poller.swift: one epoll instance: which descriptors are ready, and the tokens they were given.

internal import CSystem
internal import Glibc

/// What a ready descriptor is ready for.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: EPOLLIN.rawValue)
    package static let writable = Readiness(rawValue: EPOLLOUT.rawValue)
    /// The peer has shut down its sending half.
    package static let readClosed = Readiness(rawValue: EPOLLRDHUP.rawValue)
    /// Both halves are closed; reported whether asked for or not.
    package static let hungUp = Readiness(rawValue: EPOLLHUP.rawValue)
    /// An error is pending; reported whether asked for or not.
    package static let failed = Readiness(rawValue: EPOLLERR.rawValue)
    /// There is something to read, be it that nothing comes any more.
    package static let worthReading: Readiness = [.readable, .hungUp, .failed]
}

/// A system call that failed, by the name of the call and errno.
package struct SystemError: Error, Equatable, Sendable {
    package let call: StaticString
    package let code: Int32

    package init(_ call: StaticString, code: Int32 = errno) {
        self.call = call
        self.code = code
    }

    package static func == (one: SystemError, other: SystemError) -> Bool {
        one.code == other.code && one.call.description == other.call.description
    }

    /// The message of errno, such as `Address already in use`.
    package var message: String {
        // Safe because strerror's text is copied before any other call on this thread.
        unsafe String(cString: strerror(code))
    }
}

/// One epoll instance and the events of its last wait, level-triggered.
///
/// Safe because the events are plain values: their pointer field is never followed.
@safe package struct Poller: ~Copyable {
    private let descriptor: Int32
    private var events: [epoll_event]

    /// Events taken in one wait; more stay in the kernel for the next.
    package static let batchMax = 256

    package init() throws(SystemError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("epoll_create1") }
        unsafe events = Array(repeating: epoll_event(), count: Poller.batchMax)
    }

    deinit { close(descriptor) }

    package func add(_ target: Int32, _ interest: Readiness, token: UInt64) throws(SystemError) {
        guard herse_epoll_control(descriptor, EPOLL_CTL_ADD, target, interest.rawValue, token) == 0
        else { throw SystemError("epoll_ctl") }
    }

    /// Changes what `target` is watched for.
    package func modify(_ target: Int32, _ interest: Readiness, token: UInt64) {
        _ = herse_epoll_control(descriptor, EPOLL_CTL_MOD, target, interest.rawValue, token)
    }

    package func remove(_ target: Int32) {
        _ = herse_epoll_control(descriptor, EPOLL_CTL_DEL, target, 0, 0)
    }

    /// Waits up to `milliseconds` (−1: for ever) and returns how many events there are.
    package mutating func wait(milliseconds: Int32) -> Int {
        let count = unsafe events.withUnsafeMutableBufferPointer { room in
            // Safe because epoll_wait writes at most room.count events.
            unsafe epoll_wait(descriptor, room.baseAddress, Int32(room.count), milliseconds)
        }
        return count > 0 ? Int(count) : 0
    }

    /// The event at `index` of the last wait.
    @inline(__always)
    package func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        unsafe withUnsafePointer(to: events[index]) { event in
            unsafe (herse_event_token(event), Readiness(rawValue: herse_event_flags(event)))
        }
    }
}
