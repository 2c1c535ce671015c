// ControlClient.swift: one question to the running gate, over its admin socket.
//
// Blocks, with a deadline over everything: the command line has nothing else to do meanwhile.

internal import CSystem
internal import Foundation
internal import Glibc

/// Asks the running gate.
package struct ControlClient {
    /// Seconds from the connection to the last byte of the answer; a list of millions loads in one.
    package static let secondsMax = 60
    /// Bytes of an answer, 64 MiB: some hundred thousand sessions.
    package static let answerMax = 64 << 20

    /// Sends `request` to the gate whose admin socket is at `path` and returns what it says.
    package static func ask(
        _ request: ControlRequest, socket path: String, secondsMax: Int = secondsMax,
        answerMax: Int = answerMax
    ) throws(ControlClientError) -> ControlAnswer {
        guard let line = try? JSONEncoder().encode(request) else { throw .notUnderstood(path) }
        let call = try ControlCall(path: path, secondsMax: secondsMax)
        try call.send(Array(line) + [UInt8(ascii: "\n")])
        let answer = try call.receive(max: answerMax)
        guard let answer = try? JSONDecoder().decode(ControlAnswer.self, from: Data(answer)) else {
            throw .notUnderstood(path)
        }
        return answer
    }
}

/// A connection to the admin socket, closed when it goes.
private struct ControlCall: ~Copyable {
    let descriptor: Int32
    let path: String
    let secondsMax: Int
    /// Nanoseconds of the monotonic clock.
    let deadline: UInt64

    init(path: String, secondsMax: Int) throws(ControlClientError) {
        deadline = herse_clock(CLOCK_MONOTONIC) + UInt64(clamping: secondsMax) * 1_000_000_000
        descriptor = try connected(to: path, secondsMax: secondsMax)
        self.path = path
        self.secondsMax = secondsMax
    }

    deinit { close(descriptor) }

    borrowing func send(_ bytes: [UInt8]) throws(ControlClientError) {
        var sent = 0
        while sent < bytes.count {
            // Safe because what is sent lies between `sent` and the end of the array.
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(
                    descriptor, all.baseAddress?.advanced(by: sent), all.count - sent,
                    Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { throw .slow(path, seconds: secondsMax) }
            // A gate that refuses an order too long closes early; its answer says why.
            if count <= 0 { return }
            sent += count
        }
    }

    /// Reads to the end of the line, or of the connection.
    borrowing func receive(max: Int) throws(ControlClientError) -> [UInt8] {
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            try waitUntilReadable()
            // Safe because at most the piece's own bytes are filled.
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe read(descriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .cutShort(path) }
            if let end = piece[..<count].firstIndex(of: UInt8(ascii: "\n")) {
                return answer + piece[..<end]
            }
            answer += piece[..<count]
            guard answer.count <= max else { throw .answerTooLarge(path) }
        }
    }

    private borrowing func waitUntilReadable() throws(ControlClientError) {
        while true {
            let now = herse_clock(CLOCK_MONOTONIC)
            guard now < deadline else { throw .slow(path, seconds: secondsMax) }
            var state = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            // Safe because one descriptor is given, and it is a local.
            let ready = unsafe poll(&state, 1, Int32(clamping: (deadline - now) / 1_000_000 + 1))
            if ready > 0 { return }
            if ready < 0, errno != EINTR { throw .system(path, call: "poll", code: errno) }
        }
    }
}

/// A socket connected to `path`.
private func connected(to path: String, secondsMax: Int) throws(ControlClientError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    // The last byte stays zero.
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
        throw .pathTooLong(path)
    }
    // Safe because the path was just found shorter than the room.
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
        for (index, byte) in bytes.enumerated() { unsafe room[index] = byte }
    }
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, type, 0)
    guard descriptor >= 0 else { throw .system(path, call: "socket", code: errno) }
    // A gate that stalls must not hold a connect or a send for ever, socket(7).
    var limit = timeval(tv_sec: secondsMax, tv_usec: 0)
    // Safe because the option's value is a local of the size given.
    unsafe setsockopt(
        descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    // Safe because the address is a local of the size given.
    let answer = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { general in
            unsafe connect(descriptor, general, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard answer != 0 else { return descriptor }
    let code = errno
    close(descriptor)
    switch code {
    case ENOENT, ENOTDIR, ECONNREFUSED, ENOTSOCK, EPROTOTYPE: throw .noGate(path)
    case EACCES, EPERM: throw .denied(path)
    case EAGAIN, EINPROGRESS: throw .slow(path, seconds: secondsMax)
    default: throw .system(path, call: "connect", code: code)
    }
}
