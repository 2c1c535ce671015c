// KeepingTests.swift: what is kept of answers, in files and in memory.

import Foundation
import StubServers
import Testing

@testable import Outbound

@Suite struct `A kept copy` {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    private func copy(origin: String = "https://a/keys", bytesMax: Int = 100) -> KeptCopy {
        KeptCopy(folder: folder.file("state"), name: "keys", origin: origin, bytesMax: bytesMax)
    }

    @Test func `comes back as it was`() throws {
        #expect(copy().read(now: 100) == nil)
        for bytes in [[], [1, 2, 10, 0], [UInt8](repeating: 10, count: 100)] as [[UInt8]] {
            let contents = KeptCopy.Contents(fetchedAt: 90, bytes: bytes)
            #expect(copy().write(contents) == nil)
            #expect(copy().read(now: 100) == contents)
        }
        let mode = try FileManager.default.attributesOfItem(atPath: copy().path)
        #expect((mode[.posixPermissions] as? Int) == 0o600)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: folder.file("state")) == ["keys"])
    }

    @Test func `is none from elsewhere, from the future, or larger than asked for`() {
        #expect(copy().write(KeptCopy.Contents(fetchedAt: 1000, bytes: [1, 2])) == nil)
        #expect(copy(origin: "https://b/keys").read(now: 1000) == nil)
        #expect(copy(bytesMax: 1).read(now: 1000) == nil)
        #expect(copy().read(now: 699) == nil)
        // A clock that is a little behind makes it no younger than now.
        #expect(copy().read(now: 900)?.fetchedAt == 900)
        #expect(copy().read(now: .max)?.fetchedAt == 1000)
    }

    @Test func `is none once it was cut or changed in length`() throws {
        #expect(copy().write(KeptCopy.Contents(fetchedAt: 1, bytes: Array("secret".utf8))) == nil)
        let whole = try Data(contentsOf: URL(filePath: copy().path))
        for count in 0..<whole.count {
            try whole.prefix(count).write(to: URL(filePath: copy().path))
            #expect(copy().read(now: 1) == nil, "\(count) bytes")
        }
        try (whole + Data([0])).write(to: URL(filePath: copy().path))
        #expect(copy().read(now: 1) == nil)
    }

    @Test func `is none where others may write`() throws {
        #expect(copy().write(KeptCopy.Contents(fetchedAt: 1, bytes: [1])) == nil)
        // Safe because the names outlive the calls, here and below.
        unsafe chmod(copy().path, 0o622)
        #expect(copy().read(now: 1) == nil)
        unsafe chmod(copy().path, 0o600)
        #expect(copy().read(now: 1) != nil)
        try FileManager.default.moveItem(atPath: copy().path, toPath: folder.file("moved"))
        unsafe symlink(folder.file("moved"), copy().path)
        #expect(copy().read(now: 1) == nil)
    }

    @Test func `that cannot be written says so, and leaves nothing`() throws {
        let place = try folder.write("file", "")
        let copy = KeptCopy(folder: place, name: "keys", origin: "", bytesMax: 10)
        #expect(copy.write(KeptCopy.Contents(fetchedAt: 1, bytes: []))?.hasPrefix(place) == true)
    }
}

@Suite struct `A cache of answers` {
    @Test func `keeps them for their time, forwards and backwards`() {
        var cache = AnswerCache<Int>(countMax: 4)
        cache.keep(7, for: [1], from: 10, until: 20)
        #expect(cache.answer(for: [1], now: 9) == nil)
        #expect(cache.answer(for: [1], now: 10) == 7)
        #expect(cache.answer(for: [1], now: 19) == 7)
        #expect(cache.answer(for: [1], now: 20) == nil)
        #expect(cache.answer(for: [2], now: 10) == nil)
        // What is over already takes away what was there.
        cache.keep(8, for: [1], from: 10, until: 10)
        #expect(cache.answer(for: [1], now: 10) == nil)
    }

    @Test func `never has more than it may, and forgets the oldest`() {
        var cache = AnswerCache<Int>(countMax: 3, bytesMax: 10)
        for value in UInt8(0)..<255 {
            cache.keep(Int(value), bytes: 1, for: [value], from: 0, until: 9)
            #expect(cache.count <= 3)
            #expect(cache.answer(for: [value], now: 1) == Int(value))
        }
        #expect(cache.answer(for: [253], now: 1) == 253)
        #expect(cache.answer(for: [251], now: 1) == nil)
        cache.keep(1, bytes: 9, for: [1], from: 0, until: 9)
        #expect(cache.count == 2)
        cache.keep(1, bytes: 11, for: [2], from: 0, until: 9)
        #expect(cache.answer(for: [2], now: 1) == nil)
        // The same one again and again is one.
        for _ in 0..<100 { cache.keep(2, bytes: 5, for: [1], from: 0, until: 9) }
        #expect(cache.count <= 2)
        #expect(cache.answer(for: [1], now: 1) == 2)
    }
}

@Suite struct `A pause after failures` {
    @Test func `begins with the third in a row, and ends`() {
        let pause = FailurePause()
        pause.note(failed: true, now: 10)
        pause.note(failed: true, now: 10)
        #expect(!pause.isOn(now: 10))
        pause.note(failed: false, now: 10)
        for _ in 0..<3 { pause.note(failed: true, now: 10) }
        #expect(pause.isOn(now: 10))
        #expect(pause.isOn(now: 14))
        #expect(!pause.isOn(now: 15))
        #expect(!pause.isOn(now: 9))
        // One that fails after it begins another at once.
        pause.note(failed: true, now: 15)
        #expect(pause.isOn(now: 16))
        pause.note(failed: false, now: 20)
        #expect(!pause.isOn(now: 20))
    }
}
