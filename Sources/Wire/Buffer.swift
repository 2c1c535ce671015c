// Buffer.swift: a window of bytes, filled at its end and consumed at its start.
//
// One per direction of a live exchange, taken from a pool and given back when it is empty, so
// that an idle connection holds none.

/// A growable window of bytes; whoever fills it bounds it.
///
/// Safe because every access lies within `base ..< base + capacity`, which this class alone owns
/// and never moves while it is lent; and because no access to a number lasts longer than one line,
/// so that none could meet another: asking the runtime each time took 4 % of a request.
@safe package final class Buffer {
    @exclusivity(unchecked) private var base: UnsafeMutableRawPointer
    @exclusivity(unchecked) private var room: Int
    @exclusivity(unchecked) private var start = 0
    @exclusivity(unchecked) private var end = 0
    /// How many calls are looking at the bytes: they must not be moved meanwhile.
    private var lent = 0

    package init(capacity: Int) {
        precondition(capacity > 0, "a buffer holds at least one byte")
        unsafe base = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe room = capacity
    }

    deinit { unsafe base.deallocate() }

    /// Bytes that can be consumed.
    package var count: Int { unsafe end - start }
    package var isEmpty: Bool { unsafe end == start }
    /// Bytes that it holds before it grows.
    package var capacity: Int { unsafe room }

    /// Calls `body` with the bytes that can be consumed.
    @inline(__always)
    package func withBytes<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lent += 1
        defer { lent -= 1 }
        // Safe because start...end lies within the allocation, which stays while it is lent, and
        // body cannot keep the span.
        let bytes = unsafe UnsafeRawBufferPointer(start: base + start, count: end - start)
        return try unsafe body(bytes.bindMemory(to: UInt8.self).span)
    }

    /// Calls `body` with the address of the bytes that can be consumed, for a system call.
    @inline(__always)
    package func withPointer<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        unsafe body(UnsafeRawBufferPointer(start: base + start, count: end - start))
    }

    /// Forgets the first `count` bytes.
    @inline(__always)
    package func consume(_ count: Int) {
        precondition(count >= 0 && count <= self.count, "consumes only what it holds")
        unsafe start += count
        if isEmpty { removeAll() }
    }

    package func removeAll() {
        unsafe start = 0
        unsafe end = 0
    }

    /// Forgets everything past the first `count` bytes.
    package func truncate(to count: Int) {
        precondition(count >= 0 && count <= self.count, "truncates only what it holds")
        unsafe end = start + count
    }

    /// Lets `body` write up to `count` bytes at the end; it returns how many it wrote, or less
    /// than zero, and then nothing was added.
    @inline(__always)
    package func fill(atLeast count: Int, _ body: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        reserve(count)
        let left = unsafe UnsafeMutableRawBufferPointer(start: base + end, count: room - end)
        let written = unsafe body(left)
        if written > 0 {
            precondition(unsafe written <= room - end, "wrote within the room it was given")
            unsafe end += written
        }
        return written
    }

    @inline(__always)
    package func append(_ byte: UInt8) {
        reserve(1)
        unsafe base.storeBytes(of: byte, toByteOffset: end, as: UInt8.self)
        unsafe end += 1
    }

    @inline(__always)
    package func append(_ bytes: Span<UInt8>) {
        reserve(bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            guard let from = source.baseAddress else { return }
            // Safe because reserve made room for source.count bytes past end.
            unsafe (base + end).copyMemory(from: from, byteCount: source.count)
        }
        unsafe end += bytes.count
    }

    @inline(__always)
    package func append(_ bytes: [UInt8]) { append(bytes.span) }

    @inline(__always)
    package func append(_ text: StaticString) {
        let length = text.utf8CodeUnitCount
        reserve(length)
        // Safe because a StaticString's bytes live as long as the program.
        unsafe (base + end).copyMemory(from: text.utf8Start, byteCount: length)
        unsafe end += length
    }

    package func append(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            let span = unsafe bytes.span
            append(span)
        }
    }

    /// Appends `value` in decimal.
    package func append(decimal value: UInt64) {
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var index = 20
        var rest = value
        repeat {
            index -= 1
            digits[index] = UInt8(truncatingIfNeeded: rest % 10) &+ 0x30
            rest /= 10
        } while rest > 0
        reserve(20)
        while index < 20 {
            append(digits[index])
            index += 1
        }
    }

    /// Makes room for `count` more bytes: first by moving what is held to the front, then by
    /// growing to the next power of two.
    @inline(__always)
    package func reserve(_ count: Int) {
        if unsafe room - end < count { makeRoom(count) }
    }

    @inline(never)
    private func makeRoom(_ count: Int) {
        // Else whoever is looking would go on in freed memory.
        precondition(lent == 0, "a buffer being looked at is not moved")
        let held = self.count
        if unsafe room - held >= count {
            unsafe base.copyMemory(from: base + start, byteCount: held)
        } else {
            var larger = capacity
            while larger - held < count { larger *= 2 }
            let fresh = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
            unsafe fresh.copyMemory(from: base + start, byteCount: held)
            unsafe base.deallocate()
            unsafe base = fresh
            unsafe room = larger
        }
        unsafe start = 0
        unsafe end = held
    }
}

/// Buffers of one size, kept for reuse by one worker; never more than `keptMax` are kept.
package final class BufferPool {
    private var free: [Buffer] = []
    private let size: Int
    private let keptMax: Int

    package init(size: Int, keptMax: Int) {
        self.size = size
        self.keptMax = keptMax
        free.reserveCapacity(keptMax)
    }

    package func take() -> Buffer {
        free.popLast() ?? Buffer(capacity: size)
    }

    /// Takes back a buffer; one that has grown is let go, so a large answer's memory is not kept.
    package func give(_ buffer: Buffer) {
        guard buffer.capacity == size, free.count < keptMax else { return }
        buffer.removeAll()
        free.append(buffer)
    }
}
