// ClientData.swift: what the browser saw, WebAuthn Level 3 §5.8.1.

internal import JSON

/// A ceremony, as client data name it.
enum Ceremony: String {
    case registration = "webauthn.create"
    case assertion = "webauthn.get"
}

/// Checks that a browser saw this ceremony on this site, not in a frame of another; §7.1 steps
/// 5–12, §7.2 steps 8–15.
///
/// The origin is compared byte by byte: no scheme, port or case is ever guessed.
func check(
    clientData bytes: [UInt8], ceremony: Ceremony, challenge: Challenge, party: RelyingParty
) throws(WebAuthnRefusal) {
    guard let data = try? JSONValue(bytes.span, depthMax: 8, valuesMax: 256),
        let type = data["type"]?.text, let said = data["challenge"]?.text,
        let origin = data["origin"]?.text
    else { throw .malformed(.clientData) }
    guard type.utf8.elementsEqual(ceremony.rawValue.utf8) else { throw .wrongType }
    guard said.utf8.elementsEqual(challenge.text.utf8) else { throw .wrongChallenge }
    guard origin.utf8.elementsEqual(party.origin.utf8) else { throw .wrongOrigin }
    switch data["crossOrigin"] {
    case nil, .boolean(false)?: break
    case .boolean(true)?: throw .crossOrigin
    default: throw .malformed(.clientData)
    }
    guard data["topOrigin"] == nil else { throw .crossOrigin }
}
