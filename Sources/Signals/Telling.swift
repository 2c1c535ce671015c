// Telling.swift: what Herse says of its own decisions, as security events.

internal import JSON
internal import Tokens

/// A decision about an account.
package enum AccountDecision: Equatable, Sendable {
    case neutralized
    case reinstated

    /// What is said of it: RISC for the account, CAEP for what lives of it.
    package var events: [SignalEvent] {
        switch self {
        case .neutralized: [.accountDisabled, .sessionRevoked]
        case .reinstated: [.accountEnabled]
        }
    }
}

/// The claims of one event, SSF 1.0 §4, a JSON text.
///
/// The subject is the professional as this gate knows them: `iss_sub` with the gate's own issuer.
/// The reason is not told: it is the operator's, and may name a patient.
///
/// - Parameters:
///   - event: What happened.
///   - professional: The national identifier.
///   - issuer: Ours.
///   - audience: Whom it is for.
///   - id: `jti`.
///   - now: Seconds since 1970.
/// - Returns: The text.
package func claims(
    of event: SignalEvent, professional: String, issuer: String, audience: String, id: String,
    now: Int64
) -> [UInt8] {
    var about: JSONObject = [:]
    if event == .sessionRevoked {
        about["event_timestamp"] = JSONValue(integer: now)
        about["initiating_entity"] = .string("admin")
        // CAEP Interoperability Profile 1.0 §2.5: never empty.
        about["reason_admin"] = .object(["en": .string("neutralized at the gate")])
    }
    return JSONValue.object([
        "iss": .string(issuer), "aud": .string(audience), "iat": JSONValue(integer: now),
        "jti": .string(id),
        "sub_id": .object([
            "format": .string("iss_sub"), "iss": .string(issuer), "sub": .string(professional),
        ]),
        "events": .object([event.uri: .object(about)]),
    ]).encoded
}

/// A name that no other event has.
package func eventID() -> String { encodeBase64URL(randomBytes(16)) }

/// Whether a receiver refused an event for good, RFC 8935 §2.4: it would refuse it again.
///
/// What concerns keys, audience or leave to send is for operators to mend, and is tried again.
package func isRefusedForGood(status: Int, body: Span<UInt8>) -> Bool {
    guard status == 400, body.count <= 65_536,
        let value = try? JSONValue(body, depthMax: 4, valuesMax: 64)
    else { return false }
    return value["err"]?.text == DeliveryError.Code.invalidRequest.rawValue
}
