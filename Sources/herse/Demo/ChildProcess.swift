// ChildProcess.swift: a command run by the demonstration, its words collected as they come.

import Foundation
import Glibc
import Synchronization

/// A running child; what it says on both its outputs is one text, as on a terminal.
final class ChildProcess: Sendable {
    private struct State {
        var text: [UInt8] = []
        var status: Int32?
        var waiting: [CheckedContinuation<Int32, Never>] = []
    }

    private let process: Process
    private let state = Mutex(State())
    /// Held open, so that a child that reads its input waits for more.
    private let input: Pipe

    /// Bytes kept of what a child says.
    static let textMax = 1 << 20

    /// Starts a program; `onLine` gets each whole line it says.
    init(
        _ program: String, _ arguments: [String], onLine: (@Sendable (String) -> Void)? = nil
    ) throws {
        process = Process()
        input = Pipe()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        try? output.fileHandleForWriting.close()
        Thread.detachNewThread { [self] in
            collect(output.fileHandleForReading, onLine)
            process.waitUntilExit()
            finish(process.terminationStatus)
        }
    }

    var processID: Int32 { process.processIdentifier }

    var text: String { state.withLock { String(decoding: $0.text, as: UTF8.self) } }

    /// The exit status once the child has ended and all it said is here; kills it when it takes
    /// longer.
    func end(within limit: Duration) async -> Int32 {
        let watch = Task {
            try? await Task.sleep(for: limit)
            if !Task.isCancelled { kill(SIGKILL) }
        }
        defer { watch.cancel() }
        return await withCheckedContinuation { continuation in
            let status = state.withLock { state -> Int32? in
                if state.status == nil { state.waiting.append(continuation) }
                return state.status
            }
            if let status { continuation.resume(returning: status) }
        }
    }

    var hasEnded: Bool { state.withLock { $0.status != nil } }

    func kill(_ number: Int32) {
        // An id that was waited for may belong to somebody else by now.
        state.withLock { if $0.status == nil { _ = Glibc.kill(process.processIdentifier, number) } }
    }

    private func collect(_ handle: FileHandle, _ onLine: ((String) -> Void)?) {
        var line: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            // What Foundation calls read waits for all it asked for. Safe because at most the
            // piece's own bytes are filled.
            let count = unsafe piece.withUnsafeMutableBytes {
                unsafe read(handle.fileDescriptor, $0.baseAddress, $0.count)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            let data = piece[..<count]
            state.withLock { state in
                state.text += data.prefix(max(0, Self.textMax - state.text.count))
            }
            guard let onLine else { continue }
            for byte in data {
                if byte == UInt8(ascii: "\n") {
                    onLine(String(decoding: line, as: UTF8.self))
                    line = []
                } else {
                    line.append(byte)
                }
            }
        }
    }

    private func finish(_ status: Int32) {
        let waiting = state.withLock { state in
            state.status = status
            return state.waiting
        }
        for continuation in waiting { continuation.resume(returning: status) }
    }
}
