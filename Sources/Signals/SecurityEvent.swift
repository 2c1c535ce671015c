// SecurityEvent.swift: one event as its stream's issuer signed it, RFC 8417 as profiled by SSF 1.0.

internal import JSON
package import Tokens

/// How the events of one stream are judged.
package struct StreamRules: Equatable, Sendable {
    /// `iss`, compared byte by byte.
    package var issuer: String
    /// Must be in `aud`.
    package var audience: String
    package var algorithms: Set<SignatureAlgorithm>
    /// Seconds by which clocks may differ.
    package var leeway: Int64 = 60

    package init(issuer: String, audience: String, algorithms: Set<SignatureAlgorithm>) {
        self.issuer = issuer
        self.audience = audience
        self.algorithms = algorithms
    }
}

/// Something that happened, said by whom it was believed of.
package struct SecurityEvent: Equatable, Sendable {
    /// What an event says.
    package enum Content: Equatable, Sendable {
        case signal(SignalEvent, SubjectIdentifier)
        /// Good news that asks for nothing: a level that rose, a device that complies again.
        case improvement(SignalEvent, SubjectIdentifier)
        /// The answer to our question whether the stream lives; nil when nobody asked.
        case verification(state: String?)
        /// The sender's status of the stream: `enabled`, `paused` or `disabled`.
        case streamUpdated(status: String)
        /// An event that nothing is known of here.
        case unknown
    }

    /// `jti`.
    package let id: String
    /// Seconds since 1970.
    package let issuedAt: Int64
    /// When it happened, as far as it says, and never later than now.
    package let moment: Int64
    package let content: Content
}

/// Bytes of a claim that is read.
private let claimBytesMax = 1024
/// Seconds since 1970 until the year 10000: more is milliseconds, or a mistake.
private let secondsMax: Int64 = 253_402_300_799

/// The event of a token, if it was made for this stream.
///
/// - Parameters:
///   - token: As pushed or polled.
///   - keys: The issuer's.
///   - rules: Whose, and for whom.
///   - now: Seconds since 1970.
/// - Returns: What happened.
/// - Throws: What the sender is told.
package func verifySecurityEvent(
    _ token: Span<UInt8>, keys: KeySet, rules: StreamRules, now: Int64
) throws(DeliveryError) -> SecurityEvent {
    let claims: JSONValue
    do throws(TokenRefusal) {
        claims = try verifySecurityEventToken(
            token, issuer: rules.issuer, keys: keys, algorithms: rules.algorithms)
    } catch {
        throw DeliveryError(error)
    }
    return try event(of: claims, rules: rules, now: now)
}

/// The event that claims tell, whose signature and issuer are known.
func event(
    of claims: JSONValue, rules: StreamRules, now: Int64
) throws(DeliveryError) -> SecurityEvent {
    let audiences = claims["aud"]?.texts ?? []
    guard audiences.count <= 64, audiences.contains(where: { areSame($0, rules.audience) }) else {
        throw DeliveryError(.invalidAudience, "`aud` names somebody else")
    }
    // SSF 1.0 §4.1.2 and §4.1.3: so that no event passes for a token that proves somebody.
    for name in ["sub", "exp"] where claims[name] != nil {
        throw DeliveryError(.invalidRequest, "an event must not have `\(name)`")
    }
    guard let id = claims["jti"]?.text, !id.isEmpty, id.utf8.count <= claimBytesMax,
        id.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
    else { throw DeliveryError(.invalidRequest, "an event needs a `jti`") }
    guard let issuedAt = claims["iat"]?.wholePart, (0...secondsMax).contains(issuedAt) else {
        throw DeliveryError(.invalidRequest, "an event needs `iat`, in seconds since 1970")
    }
    guard issuedAt <= now + rules.leeway else {
        throw DeliveryError(.invalidRequest, "`iat` is still to come: one of two clocks is wrong")
    }
    let events = claims["events"]?.members?.members ?? []
    guard events.count == 1, let event = events.first, event.value.members != nil else {
        throw DeliveryError(.invalidRequest, "`events` must have exactly one event")
    }
    let subject = try claims["sub_id"].map { (value) throws(DeliveryError) in
        try SubjectIdentifier(value)
    }
    let happened =
        [event.value["event_timestamp"], claims["toe"]].compactMap { $0?.wholePart }
        .first { (0...secondsMax).contains($0) } ?? issuedAt
    return SecurityEvent(
        id: id, issuedAt: issuedAt, moment: min(happened, now),
        content: try content(event.key, event.value, subject))
}

private func content(
    _ uri: String, _ value: JSONValue, _ subject: SubjectIdentifier?
) throws(DeliveryError) -> SecurityEvent.Content {
    switch StreamEvent(rawValue: uri) {
    case .verification:
        guard let state = value["state"], state != .null else { return .verification(state: nil) }
        guard let text = state.text, text.utf8.count <= claimBytesMax else {
            throw DeliveryError(.invalidRequest, "`state` is not the one that was asked for")
        }
        return .verification(state: text)
    case .updated:
        guard let status = value["status"]?.text,
            ["enabled", "paused", "disabled"].contains(status)
        else {
            throw DeliveryError(.invalidRequest, "`status` is none of a stream's")
        }
        return .streamUpdated(status: status)
    case nil: break
    }
    guard let subject else {
        throw DeliveryError(.invalidRequest, "an event needs `sub_id`")
    }
    guard let event = SignalEvent(uri: uri) else { return .unknown }
    let isBetter =
        switch event {
        case .assuranceLevelChange: value["change_direction"]?.text == "increase"
        case .deviceComplianceChange: value["current_status"]?.text == "compliant"
        default: false
        }
    return isBetter ? .improvement(event, subject) : .signal(event, subject)
}
