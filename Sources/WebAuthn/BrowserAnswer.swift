// BrowserAnswer.swift: what a browser sends of a ceremony, WebAuthn Level 3 §5.1.8–9, as JSON.

internal import JSON

/// `RegistrationResponseJSON` or `AuthenticationResponseJSON`, with its bytes decoded.
struct BrowserAnswer {
    let id: [UInt8]
    private let response: JSONValue

    /// Reads `json`; members that nobody here needs are passed over, as the standard wants.
    init(_ json: Span<UInt8>) throws(WebAuthnRefusal) {
        guard json.count <= WebAuthnLimits.jsonMax else { throw .tooLarge }
        guard let object = try? JSONValue(json, depthMax: 8, valuesMax: 512),
            case .object? = object["response"], let response = object["response"],
            object["type"]?.text == "public-key"
        else { throw .malformed(.json) }
        guard let text = object["id"]?.text, let id = WebAuthn.bytes(ofBase64URL: text),
            (1...WebAuthnLimits.idMax).contains(id.count)
        else { throw .malformed(.credentialID) }
        // The text is canonical, so that equal texts and equal bytes are the same.
        guard let raw = object["rawId"]?.text, raw.utf8.elementsEqual(text.utf8) else {
            throw .differentIDs
        }
        self.id = id
        self.response = response
    }

    /// The bytes of a member that must be there.
    func bytes(
        _ member: String, _ part: WebAuthnRefusal.Part
    ) throws(WebAuthnRefusal) -> [UInt8] {
        guard let bytes = response[member]?.text.flatMap(WebAuthn.bytes(ofBase64URL:)) else {
            throw .malformed(part)
        }
        return bytes
    }

    /// The user handle, where the authenticator gave one; an empty one is none (§5.2.2).
    func userHandle() throws(WebAuthnRefusal) -> [UInt8]? {
        switch response["userHandle"] {
        case nil, .null?: return nil
        case .string?:
            let handle = try bytes("userHandle", .json)
            return handle.isEmpty ? nil : handle
        default: throw .malformed(.json)
        }
    }

    /// How the browser reaches the key: words of the standard's kind, else nothing.
    var transports: [String] {
        guard case .array? = response["transports"], let words = response["transports"]?.texts
        else { return [] }
        let isWord = { (word: String) in
            (1...32).contains(word.utf8.count)
                && word.utf8.allSatisfy {
                    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || $0 == UInt8(ascii: "-")
                }
        }
        return Array(words.filter(isWord).prefix(WebAuthnLimits.transportsMax))
    }
}
