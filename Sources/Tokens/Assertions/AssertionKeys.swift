// AssertionKeys.swift: the keys that sign for identity servers who asks, made and changed by time.

internal import JSON
internal import Synchronization

/// The keys of Herse-Assertion, ES256, in files of the state folder.
///
/// A key is published before it signs, so that whoever fetches keys now and then has it in time,
/// and after it signed until the last that it signed is over.
package final class AssertionKeys: Sendable {
    private struct Key: Sendable {
        let beginsAt: Int64
        let key: SigningKey
        /// The header of what it signs, and the dot behind it.
        let head: [UInt8]
    }

    private struct State {
        /// By when they begin.
        var keys: [Key]
        var document: [UInt8]
    }

    private let state: Mutex<State>
    /// Held while files change.
    private let isMaintained = Mutex(())
    private let files: AssertionKeyFiles
    private let rotate: Int64
    /// Seconds between publishing a key and signing with it.
    private let lead: Int64
    /// Seconds for which a key is published once another signs.
    private let trail: Int64

    /// Seconds before a new key that it is published at most.
    package static let leadMax: Int64 = 86_400
    /// Seconds by which clocks of those who verify may be off.
    private static let leeway: Int64 = 300

    /// Reads the keys of a folder, which is made when there is none, and makes what is lacking.
    ///
    /// - Parameters:
    ///   - folder: Nobody else's; 0700.
    ///   - rotate: Seconds after which another key signs.
    ///   - lifetime: Seconds that what is signed is good for.
    ///   - now: Seconds since 1970.
    /// - Throws: What is wrong with the folder, or a file in it.
    package init(
        folder: String, rotate: Int64, lifetime: Int64 = 60, now: Int64
    ) throws(AssertionKeyError) {
        precondition(rotate > 0 && lifetime >= 0, "keys last some time")
        files = AssertionKeyFiles(folder: folder)
        self.rotate = rotate
        lead = min(Self.leadMax, rotate / 2)
        trail = lifetime + Self.leeway
        try files.prepare()
        var keys: [Key] = []
        for beginsAt in try files.list() {
            keys.append(Self.named(try files.read(beginsAt: beginsAt), beginsAt))
        }
        state = Mutex(State(keys: keys, document: Self.document(keys)))
        try maintain(now: now)
    }

    /// Makes the next key when its time is near, and forgets those whose signatures are over.
    ///
    /// It writes to the disk: to be called now and then, more often than keys rotate, and not where
    /// requests wait. When it throws, the key at hand goes on signing.
    package func maintain(now: Int64) throws(AssertionKeyError) {
        try isMaintained.withLock { _ throws(AssertionKeyError) in try change(now: now) }
    }

    private func change(now: Int64) throws(AssertionKeyError) {
        let horizon = horizon(now)
        let (newest, isFirst) = state.withLock { state in
            (state.keys.last { $0.beginsAt <= horizon }?.beginsAt, state.keys.isEmpty)
        }
        if let newest {
            // Until its own rotation is near, there is one to sign with, or one to come.
            if now >= newest + rotate - lead { try add(beginsAt: max(newest + rotate, now + lead)) }
        } else {
            // Nobody can have been told of the first; others wait until everybody has.
            try add(beginsAt: isFirst ? now : now + lead)
        }
        let over = state.withLock { state -> [Int64] in
            // What signs now has done so for long enough: what did before is over.
            guard let signer = state.keys.last(where: { $0.beginsAt + trail < now }) else {
                return []
            }
            let over = state.keys.map(\.beginsAt).filter { $0 < signer.beginsAt || $0 > horizon }
            state.keys.removeAll { over.contains($0.beginsAt) }
            state.document = Self.document(state.keys)
            return over
        }
        for beginsAt in over { files.remove(beginsAt: beginsAt) }
    }

    /// Keys that begin later were made by a clock that ran ahead; or else it is today's that lags.
    private func horizon(_ now: Int64) -> Int64 { now + lead + rotate }

    private func add(beginsAt: Int64) throws(AssertionKeyError) {
        guard let key = SigningKey.make() else {
            throw AssertionKeyError(
                path: files.folder, problem: "no key can be made", hint: "restart the gate")
        }
        try files.write(key, beginsAt: beginsAt)
        state.withLock { state in
            state.keys.append(Self.named(key, beginsAt))
            state.keys.sort { $0.beginsAt < $1.beginsAt }
            state.document = Self.document(state.keys)
        }
    }

    private static func named(_ key: SigningKey, _ beginsAt: Int64) -> Key {
        Key(beginsAt: beginsAt, key: key, head: head(key, type: "JWT"))
    }

    private static func head(_ key: SigningKey, type: String) -> [UInt8] {
        let header = JSONValue.object([
            "alg": .string("ES256"), "kid": .string(key.publicKey.thumbprint),
            "typ": .string(type),
        ])
        return encodeBase64URL(header.encoded.span) + [UInt8(ascii: ".")]
    }

    /// A JWT of these claims, a JSON text; nil when OpenSSL fails, and then nothing may be sent.
    ///
    /// `type` is its `typ`.
    package func sign(claims: [UInt8], type: String = "JWT", now: Int64) -> [UInt8]? {
        // Where the clock says that none has begun, one that was published before goes on.
        let horizon = horizon(now)
        let key = state.withLock { state in
            state.keys.last { $0.beginsAt <= now } ?? state.keys.first { $0.beginsAt > horizon }
                ?? state.keys.first
        }
        guard let key else { return nil }
        let head = type == "JWT" ? key.head : Self.head(key.key, type: type)
        let message = head + encodeBase64URL(claims.span)
        guard let signature = key.key.sign(message.span) else { return nil }
        return message + [UInt8(ascii: ".")] + encodeBase64URL(signature.span)
    }

    /// The public halves, as a set of RFC 7517.
    package var published: [UInt8] { state.withLock { $0.document } }

    private static func document(_ keys: [Key]) -> [UInt8] {
        let members = keys.map { key -> JSONValue in
            .object([
                "kty": .string("EC"), "crv": .string("P-256"),
                "x": .string(encodeBase64URL(key.key.x)), "y": .string(encodeBase64URL(key.key.y)),
                "kid": .string(key.key.publicKey.thumbprint), "alg": .string("ES256"),
                "use": .string("sig"),
            ])
        }
        return JSONValue.object(["keys": .array(members)]).encoded
    }
}
