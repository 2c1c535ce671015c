// AssertionKeysTests.swift: keys that sign who asks: made, published, changed, and kept on disk.

import Glibc
import JSON
import Testing

@testable import Tokens

/// A folder of its own, gone at the end.
private final class Folder {
    let path: String

    init() throws {
        var template = Array("/tmp/herse-keys-XXXXXX".utf8CString)
        // Safe because the template is writable and ends with a zero.
        try #require(unsafe mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    deinit {
        // Safe because all names outlive the calls.
        for name in names { unsafe unlink(path + "/keys/" + name) }
        unsafe rmdir(path + "/keys")
        unsafe rmdir(path)
    }

    var keys: String { path + "/keys" }

    /// Names in the folder of keys.
    var names: [String] {
        // Safe because the listing is open until its end, and names end with a zero.
        guard let listing = unsafe opendir(keys) else { return [] }
        defer { unsafe closedir(listing) }
        var names: [String] = []
        while let entry = unsafe readdir(listing) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { start in
                unsafe start.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    func write(_ name: String, _ bytes: [UInt8], mode: mode_t = 0o600) {
        // Safe because name and bytes outlive the calls.
        let file = unsafe open(keys + "/" + name, O_WRONLY | O_CREAT, mode)
        _ = unsafe Glibc.write(file, bytes, bytes.count)
        close(file)
    }

    func mode(_ name: String) -> mode_t {
        var status = stat()
        // Safe because the result lives on the stack for the call.
        guard unsafe stat(keys + "/" + name, &status) == 0 else { return 0 }
        return status.st_mode & 0o777
    }
}

private let day: Int64 = 86_400
private let now = Forge.now

@Suite struct `Keys of assertions` {
    private let folder: Folder
    init() throws { folder = try Folder() }

    private func keys(rotate: Int64 = 30 * day, now: Int64 = now) throws -> AssertionKeys {
        try AssertionKeys(folder: folder.keys, rotate: rotate, now: now)
    }

    /// The names of the published keys.
    private func published(_ keys: AssertionKeys) throws -> [String] {
        let document = keys.published
        let items = try JSONValue(document.span)["keys"]?.items ?? []
        for item in items {
            #expect(item["alg"]?.text == "ES256")
            #expect(item["use"]?.text == "sig")
            #expect(item["d"] == nil)
        }
        return items.compactMap { $0["kid"]?.text }
    }

    /// The name of the key that signs, once its signature is found good.
    private func signer(_ keys: AssertionKeys, now: Int64) throws -> String {
        let claims = [UInt8](#"{"sub":"899700218896"}"#)
        let token = try #require(keys.sign(claims: claims, now: now))
        let signed = try SignedToken(token.span)
        let document = keys.published
        let set = try KeySet(json: document.span)
        let verified = try signed.verify(token.span, keys: set, algorithms: [.es256])
        #expect(verified["sub"]?.text == "899700218896")
        #expect(try signed.type() == "jwt")
        return try #require(signed.keyID)
    }

    @Test func `sign from the first moment, and after a restart with the same key`() throws {
        let first = try keys()
        let name = try signer(first, now: now)
        #expect(try published(first) == [name])
        #expect(folder.names == ["assertion-\(now).pem"])
        #expect(folder.mode("assertion-\(now).pem") == 0o600)
        #expect(folder.mode("") == 0o700)
        #expect(try signer(try keys(now: now + day), now: now + day) == name)
        #expect(folder.names.count == 1)
    }

    @Test func `are published before they sign, and until what they signed is over`() throws {
        let keys = try keys()
        let old = try signer(keys, now: now)
        try keys.maintain(now: now + 29 * day - 1)
        #expect(try published(keys) == [old])
        try keys.maintain(now: now + 29 * day)
        let both = try published(keys)
        #expect(both.count == 2)
        #expect(try signer(keys, now: now + 30 * day - 1) == old)
        let new = try signer(keys, now: now + 30 * day)
        #expect(both == [old, new])
        try keys.maintain(now: now + 30 * day + 360)
        #expect(try published(keys) == [old, new])
        try keys.maintain(now: now + 30 * day + 361)
        #expect(try published(keys) == [new])
        #expect(folder.names == ["assertion-\(now + 30 * day).pem"])
    }

    @Test func `are published for a while even after a long stop`() throws {
        let old = try signer(try keys(), now: now)
        let later = now + 400 * day
        let keys = try keys(now: later)
        #expect(try published(keys).count == 2)
        #expect(try signer(keys, now: later) == old)
        #expect(try signer(keys, now: later + day) != old)
    }

    @Test func `rotate as before once a clock that ran ahead is put right`() throws {
        let keys = try keys()
        let old = try signer(keys, now: now)
        let ahead = now + 1000 * day
        try keys.maintain(now: ahead)
        #expect(try signer(keys, now: ahead) == old)
        // Put right, even by a restart, the old one signs, and the other is soon forgotten.
        try keys.maintain(now: now + 1)
        let again = try self.keys(now: now + 1)
        #expect(try published(keys).count == 2)
        for keys in [keys, again] {
            #expect(try signer(keys, now: now + 1) == old)
            try keys.maintain(now: now + 361)
            #expect(try published(keys) == [old])
        }
        #expect(folder.names.count == 1)
        try keys.maintain(now: now + 29 * day)
        #expect(try published(keys).count == 2)
        #expect(try signer(keys, now: now + 30 * day) != old)
    }

    @Test func `stay when a machine starts with a clock that lags, until it is put right`() throws {
        let old = try signer(try keys(), now: now)
        // What signs is what was published: not a key that nobody knows of.
        let keys = try keys(now: 10)
        #expect(try signer(keys, now: 10) == old)
        #expect(try published(keys).contains(old))
        try keys.maintain(now: now + 60)
        #expect(try signer(keys, now: now + 60) == old)
        try keys.maintain(now: now + 361)
        #expect(try published(keys) == [old])
        #expect(folder.names == ["assertion-\(now).pem"])
    }

    @Test func `rotate by a clock that was put back for good`() throws {
        let keys = try keys()
        let old = try signer(keys, now: now)
        let back = now - 1000 * day
        try keys.maintain(now: back)
        #expect(try published(keys).count == 2)
        #expect(try signer(keys, now: back + day - 1) == old)
        let new = try signer(keys, now: back + day)
        #expect(new != old)
        try keys.maintain(now: back + day + 360)
        #expect(try published(keys) == [new, old])
        try keys.maintain(now: back + day + 361)
        #expect(try published(keys) == [new])
        try keys.maintain(now: back + 30 * day)
        #expect(try published(keys).count == 2)
    }

    @Test(arguments: [1, 3600, day, 20 * day])
    func `sign on when the clock is put back by less than keys last`(seconds: Int64) throws {
        let keys = try keys()
        let old = try signer(keys, now: now)
        try keys.maintain(now: now + 29 * day)
        let both = try published(keys)
        let new = try signer(keys, now: now + 30 * day)
        try keys.maintain(now: now + 30 * day - seconds)
        #expect(try published(keys) == both)
        #expect(both == [old, new])
        #expect(try signer(keys, now: now + 30 * day - seconds) == old)
        #expect(try signer(keys, now: now - 1) == old)
    }

    @Test func `may be changed as often as one likes`() throws {
        let keys = try keys(rotate: 2)
        var names: Set<String> = []
        for second in 0..<20 {
            try keys.maintain(now: now + Int64(second))
            names.insert(try signer(keys, now: now + Int64(second)))
            #expect(try published(keys).count <= 40)
        }
        #expect(names.count == 10)
    }

    @Test func `pass over files that are none of theirs, or of another time`() throws {
        _ = try keys()
        folder.write("assertion-x.pem", [])
        folder.write("assertion-0001.pem", [])
        folder.write("other", [])
        #expect(try published(try keys()).count == 1)
    }

    @Test func `clear what a stop in the middle left half written`() throws {
        let name = try signer(try keys(), now: now)
        folder.write("assertion-\(now + 30 * day).pem.new", [UInt8]("-----BEGIN"))
        #expect(try signer(try keys(), now: now) == name)
        #expect(folder.names == ["assertion-\(now).pem"])
    }

    @Test(arguments: [
        "", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    ])
    func `are refused when a file holds none`(text: String) throws {
        _ = try keys()
        folder.write("assertion-\(now + 1).pem", [UInt8](text))
        #expect(throws: AssertionKeyError.self) { try keys() }
    }

    @Test func `are refused when others may read them, or put others in their place`() throws {
        _ = try keys()
        // Safe because all names outlive the calls, here and below.
        let file = folder.keys + "/assertion-\(now).pem"
        unsafe chmod(file, 0o640)
        let error = #expect(throws: AssertionKeyError.self) { try keys() }
        #expect(error?.path == file)
        unsafe chmod(file, 0o600)
        unsafe chmod(folder.keys, 0o770)
        #expect(throws: AssertionKeyError.self) { try keys() }
        unsafe chmod(folder.keys, 0o700)
        // A link to a key that somebody else knows.
        unsafe rename(file, file + ".new")
        unsafe symlink(file + ".new", file)
        #expect(throws: AssertionKeyError.self) { try keys() }
    }

    @Test func `go on signing when the next cannot be written`() throws {
        let keys = try keys()
        let name = try signer(keys, now: now)
        // In the way of the new file, and not to be removed as one.
        let later = now + 29 * day
        // Safe because the name outlives the calls.
        let inTheWay = folder.keys + "/assertion-\(now + 30 * day).pem.new"
        unsafe mkdir(inTheWay, 0o700)
        #expect(throws: AssertionKeyError.self) { try keys.maintain(now: later) }
        #expect(try signer(keys, now: later) == name)
        unsafe rmdir(inTheWay)
        try keys.maintain(now: later)
        #expect(try published(keys).count == 2)
    }
}
