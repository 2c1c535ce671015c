// WorkerClock.swift: the times of one batch of events, read once and formatted once.

internal import CSystem
internal import Glibc
internal import Limits

/// What time it is for everything a worker does in one turn.
struct WorkerClock {
    /// Nanoseconds of CLOCK_MONOTONIC: for durations and deadlines.
    private(set) var nanoseconds: UInt64 = 0
    /// Seconds since 1970: for validity of certificates and entries of lists.
    private(set) var wallSeconds: Int64 = 0
    /// `"2026-11-23T18:20:31.042Z","clock":"synchronized"`: the time as every line of the record
    /// begins with it, and what the kernel says of its clock.
    private(set) var stamp: [UInt8] = Array("\"1970-01-01T00:00:00.000Z\"".utf8)
    private var wallMilliseconds: UInt64 = .max
    /// What the kernel said of its clock when it was asked last.
    private var isSynchronized: Int32 = .min
    /// Bytes of the time, with its quotes.
    private static let timeLength = 26

    init() { read() }

    var milliseconds: UInt64 { nanoseconds / 1_000_000 }

    mutating func read() {
        nanoseconds = herse_clock(CLOCK_MONOTONIC)
        let wall = herse_clock(CLOCK_REALTIME) / 1_000_000
        guard wall != wallMilliseconds else { return }
        let isNewSecond = wall / 1000 != wallMilliseconds / 1000
        wallMilliseconds = wall
        if isNewSecond {
            wallSeconds = Int64(wall / 1000)
            formatSeconds()
            askWhetherSynchronized()
        }
        put(wall % 1000, digits: 3, at: 21)
    }

    private mutating func formatSeconds() {
        var time = time_t(wallSeconds)
        var parts = unsafe tm()
        // Safe because both are locals and gmtime_r writes only its second argument.
        unsafe gmtime_r(&time, &parts)
        unsafe put(UInt64(parts.tm_year + 1900), digits: 4, at: 1)
        unsafe put(UInt64(parts.tm_mon + 1), digits: 2, at: 6)
        unsafe put(UInt64(parts.tm_mday), digits: 2, at: 9)
        unsafe put(UInt64(parts.tm_hour), digits: 2, at: 12)
        unsafe put(UInt64(parts.tm_min), digits: 2, at: 15)
        unsafe put(UInt64(parts.tm_sec), digits: 2, at: 18)
    }

    /// Asked once a second: a system call, and a daemon that keeps the time is slower.
    private mutating func askWhetherSynchronized() {
        let answer = herse_clock_is_synchronized()
        guard answer != isSynchronized else { return }
        isSynchronized = answer
        let word =
            switch answer {
            case 1: "synchronized"
            case 0: "unsynchronized"
            default: "unknown"
            }
        stamp.removeSubrange(Self.timeLength...)
        stamp += Array(",\"clock\":\"\(word)\"".utf8)
    }

    private mutating func put(_ value: UInt64, digits: Int, at start: Int) {
        var rest = value
        for index in (0..<digits).reversed() {
            stamp[start + index] = UInt8(truncatingIfNeeded: rest % 10) + 0x30
            rest /= 10
        }
    }
}

extension LimitTable {
    /// The moment limits are reckoned in.
    var time: LimitTime {
        clock.time(sinceBootMilliseconds: herse_clock(CLOCK_BOOTTIME) / 1_000_000)
    }
}
