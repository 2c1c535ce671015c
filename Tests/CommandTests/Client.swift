// Client.swift: everything that can go wrong between a question and its answer.

import Foundation
import Glibc
import Testing

@testable import Gate

@Suite struct `The client of the admin socket` {
    private func error(_ gate: FakeGate, secondsMax: Int = 60) throws -> ControlClientError {
        try #require(throws: ControlClientError.self) {
            _ = try ControlClient.ask(.status, socket: gate.socket, secondsMax: secondsMax)
        }
    }

    @Test func `finds no gate where nothing is, or nobody listens`() throws {
        let folder = try temporaryFolder()
        let path = folder + "/control.sock"
        func failure() throws -> ControlClientError {
            try #require(throws: ControlClientError.self) {
                _ = try ControlClient.ask(.status, socket: path)
            }
        }
        #expect(try failure() == .noGate(path))
        #expect(FileManager.default.createFile(atPath: path, contents: Data("x".utf8)))
        #expect(try failure() == .noGate(path))
    }

    @Test func `refuses a path that no socket can have`() throws {
        let path = "/tmp/" + String(repeating: "x", count: 103)
        let error = try #require(throws: ControlClientError.self) {
            _ = try ControlClient.ask(.status, socket: path)
        }
        #expect(error == .pathTooLong(path))
        #expect(error.message.contains("108 bytes, at most 107"))
    }

    @Test func `takes the longest path a socket can have`() throws {
        let path = "/tmp/" + String(repeating: "x", count: 102)
        let error = try #require(throws: ControlClientError.self) {
            _ = try ControlClient.ask(.status, socket: path)
        }
        #expect(error == .noGate(path))
    }

    @Test(arguments: [[], Array("{\"confirm\":".utf8)])
    func `notices an answer cut short`(bytes: [UInt8]) throws {
        let gate = try FakeGate([.bytes(bytes)])
        #expect(try error(gate) == .cutShort(gate.socket))
    }

    @Test(arguments: ["\n", "{}\n", "hello\n", "{\"later\":{}}\n", "\u{0}\n"])
    func `does not understand what is no answer`(text: String) throws {
        let gate = try FakeGate([.bytes(Array(text.utf8))])
        #expect(try error(gate) == .notUnderstood(gate.socket))
    }

    @Test func `gives up at its deadline`() throws {
        let gate = try FakeGate([.silence])
        #expect(try error(gate, secondsMax: 0) == .slow(gate.socket, seconds: 0))
    }

    @Test func `bounds an answer without end`() throws {
        let gate = try FakeGate([.bytes([UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20))])
        let error = try #require(throws: ControlClientError.self) {
            _ = try ControlClient.ask(.status, socket: gate.socket, answerMax: 1 << 16)
        }
        #expect(error == .answerTooLarge(gate.socket))
    }

    @Test func `reads an answer of many pieces`() throws {
        let problems = (0..<50_000).map { "herse.yaml:\($0):1: error: é" }
        let gate = try FakeGate(.refused(problems))
        let answer = try ControlClient.ask(.status, socket: gate.socket)
        guard case .refused(let got) = answer else {
            Issue.record("\(answer)")
            return
        }
        #expect(got == problems)
    }

    @Test func `carries an order of many subjects whole`() throws {
        let subjects = (0..<20_000).map { "account:\($0)" }
        let order = NeutralizeOrder(
            subjects: subjects, reason: "x\ny", until: nil, ticket: nil, preview: false)
        let gate = try FakeGate(.refused([]))
        _ = try ControlClient.ask(.neutralize(order), socket: gate.socket)
        guard case .neutralize(let got)? = gate.requests.first else {
            Issue.record("nothing arrived")
            return
        }
        #expect(got.subjects == subjects)
        #expect(got.reason == "x\ny")
    }

    @Test func `says for each failure what is wrong and what to do`() {
        let path = "/run/herse.sock"
        let errors: [ControlClientError] = [
            .noGate(path), .denied(path), .pathTooLong(path), .slow(path, seconds: 60),
            .cutShort(path), .answerTooLarge(path), .notUnderstood(path),
            .system(path, call: "socket", code: EMFILE),
        ]
        for error in errors {
            #expect(error.message.hasPrefix(path + ": "))
            #expect(!error.message.hasSuffix("."))
            #expect(!error.hint.isEmpty)
        }
        #expect(errors[7].message.contains("open files"))
        // Only what never reached a gate may say that nothing was changed.
        #expect(errors.map(\.isUnreached) == [true, true, true, false, false, false, false, true])
    }
}
