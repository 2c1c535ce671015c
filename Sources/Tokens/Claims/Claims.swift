// Claims.swift: the claims of a token, RFC 7519 §4, as they are read here: strictly.

internal import JSON

/// Claims as an issuer wrote them; a wrong type is a refusal, never a missing claim.
struct Claims {
    let value: JSONValue

    /// Bytes of a claim that is read: identifiers, addresses.
    static let bytesMax = 1024
    /// Seconds since 1970 until the year 10000, so that sums of times cannot overflow.
    static let secondsMax: Int64 = 253_402_300_799

    /// A string that is not empty, nor longer than any should be, nor has control characters,
    /// which could forge lines of a log or of a head.
    func text(_ name: String) throws(TokenRefusal) -> String? {
        guard let claim = value[name], claim != .null else { return nil }
        guard let text = claim.text, isPlain(text) else { throw .claim }
        return text
    }

    /// The first of these claims that is there.
    func text(anyOf names: [String]) throws(TokenRefusal) -> String? {
        for name in names {
            if let text = try text(name) { return text }
        }
        return nil
    }

    func requiredText(_ name: String) throws(TokenRefusal) -> String {
        guard let text = try text(name) else { throw .claim }
        return text
    }

    private func isPlain(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= Self.bytesMax
            && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }

    /// A string, or an array of them; nothing when there is none.
    func texts(_ name: String) throws(TokenRefusal) -> [String] {
        guard let claim = value[name], claim != .null else { return [] }
        guard let texts = claim.texts, texts.count <= 64, texts.allSatisfy(isPlain) else {
            throw .claim
        }
        return texts
    }

    /// Words between blanks, RFC 6749 §3.3; an array of them is understood, too.
    func words(_ name: String) throws(TokenRefusal) -> [String] {
        guard let claim = value[name], claim != .null else { return [] }
        if case .string(let text) = claim {
            let words = text.utf8.split(separator: UInt8(ascii: " ")).map { String($0) ?? "" }
            guard text.utf8.count <= 4 * Self.bytesMax, words.allSatisfy(isPlain) else {
                throw .claim
            }
            return words
        }
        return try texts(name)
    }

    /// Seconds since 1970; a fraction of a second is left off.
    func time(_ name: String) throws(TokenRefusal) -> Int64? {
        guard let claim = value[name], claim != .null else { return nil }
        guard let seconds = claim.wholePart, (0...Self.secondsMax).contains(seconds) else {
            throw .claim
        }
        return seconds
    }

    /// `acr`, which some servers write as a number.
    func context() throws(TokenRefusal) -> String? {
        if case .number(let number)? = value["acr"], number.utf8.count <= 32 { return number }
        return try text("acr")
    }

    /// Refuses claims that were made to be something else than what is wanted.
    ///
    /// Keycloak signs all of its tokens with one key, and tells them apart by a claim.
    func checkKind(_ kind: Kind) throws(TokenRefusal) {
        let type = try text("typ")?.lowercased()
        let use = try text("token_use")?.lowercased()
        let isLogout = value["events"] != nil
        switch kind {
        case .access:
            let others = ["id", "refresh", "offline", "logout", "serialized-id", "userinfo"]
            guard !others.contains(type ?? ""),
                use.map({ ["access", "access_token"].contains($0) }) ?? true,
                !isLogout,
                value["at_hash"] == nil, value["c_hash"] == nil, value["htm"] == nil
            else { throw .kind }
        case .identity:
            guard type == nil || type == "id", use == nil || use == "id", !isLogout else {
                throw .kind
            }
        case .logout:
            guard type == nil || type == "logout", use == nil, isLogout else { throw .kind }
        }
    }

    /// Whether there is a claim that only access tokens have, whoever makes them.
    var isOfAccess: Bool {
        let type = value["typ"]?.text?.lowercased()
        return type == "bearer" || type == "dpop"
            || ["scope", "scp", "client_id", "token_use"].contains { (value[$0] ?? .null) != .null }
    }

    /// What a token is for.
    enum Kind {
        case access
        case identity
        case logout
    }

    func checkIssuer(_ issuer: String) throws(TokenRefusal) {
        guard areSame(try requiredText("iss"), issuer) else { throw .issuer }
    }

    /// `auth_time`, refused when it has not come: else nothing would be fresher, for ever.
    func authenticatedAt(now: Int64, leeway: Int64) throws(TokenRefusal) -> Int64? {
        let time = try time("auth_time")
        if let time, time > now + leeway { throw .notYetValid }
        return time
    }

    /// Refuses what is over, has not begun, or will last too long; a time is right that is off by
    /// no more than `leeway`.
    func checkTimes(
        now: Int64, leeway: Int64, lifetimeMax: Int64?
    ) throws(TokenRefusal) -> (issuedAt: Int64?, notBefore: Int64?, expiresAt: Int64?) {
        let expiresAt = try time("exp")
        let issuedAt = try time("iat")
        let notBefore = try time("nbf")
        if let expiresAt, now - leeway >= expiresAt { throw .expired }
        if let issuedAt, issuedAt > now + leeway { throw .notYetValid }
        if let notBefore, notBefore > now + leeway { throw .notYetValid }
        if let expiresAt, let lifetimeMax, expiresAt - (issuedAt ?? now) > lifetimeMax {
            throw .lifetime
        }
        return (issuedAt, notBefore, expiresAt)
    }
}
