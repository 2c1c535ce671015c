// SystemClock.swift: reads the machine's clocks, once a start; nothing else here reads a clock.

import CSystem
import Glibc

extension ClockReading {
    /// The clocks of this machine now.
    package static func ofSystem() throws(LimitTableError) -> ClockReading {
        let nanosecondsPerMillisecond: UInt64 = 1_000_000
        return ClockReading(
            boot: try BootID.ofSystem(),
            sinceBootMilliseconds: herse_clock(CLOCK_BOOTTIME) / nanosecondsPerMillisecond,
            wallMilliseconds: herse_clock(CLOCK_REALTIME) / nanosecondsPerMillisecond)
    }
}

extension BootID {
    private static let path = "/proc/sys/kernel/random/boot_id"

    /// Reads the kernel's name of this boot, 32 hexadecimal digits with dashes between.
    static func ofSystem() throws(LimitTableError) -> BootID {
        // Safe because the path outlives the call.
        let number = unsafe herse_open(path, O_RDONLY, 0)
        guard number >= 0 else { throw .system(call: "open", path: path, errno: errno) }
        let file = TableDescriptor(number: number)
        var text = [UInt8](repeating: 0, count: 64)
        let count = unsafe text.withUnsafeMutableBytes { room in
            // Safe because the room outlives the call.
            unsafe read(file.number, room.baseAddress, room.count)
        }
        guard count >= 0 else { throw .system(call: "read", path: path, errno: errno) }
        guard let boot = BootID(text.span.extracting(0..<count)) else {
            throw .system(call: "read", path: path, errno: EINVAL)
        }
        return boot
    }

    init?(_ text: Span<UInt8>) {
        var words = (high: UInt64(0), low: UInt64(0))
        var digits = 0
        for index in 0..<text.count {
            let digit: UInt8
            switch text[index] {
            case 0x30...0x39: digit = text[index] - 0x30
            case 0x61...0x66: digit = text[index] - 0x57
            case 0x2D, 0x0A: continue
            default: return nil
            }
            guard digits < 32 else { return nil }
            words.high = words.high << 4 | words.low >> 60
            words.low = words.low << 4 | UInt64(digit)
            digits += 1
        }
        guard digits == 32 else { return nil }
        self.init(high: words.high, low: words.low)
    }
}
