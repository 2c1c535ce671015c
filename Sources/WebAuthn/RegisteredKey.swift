// RegisteredKey.swift: a key that was registered, and how it is kept.

internal import JSON

/// A key of an account.
package struct RegisteredKey: Equatable, Sendable {
    /// The credential's id.
    package var id: [UInt8]
    /// As the authenticator wrote it: a COSE key, RFC 9052 §7.
    package var publicKey: [UInt8]
    /// The signature counter seen last; 0 for authenticators without one.
    package var counter: UInt32
    /// Known only when an attestation proved it.
    package var model: Model?
    /// How browsers reach it: `usb`, `nfc`, `internal`… as they said, a hint and no more.
    package var transports: [String]
    /// What its owner calls it.
    package var name: String
    /// Whether it may exist more than once, and does: a passkey kept by its maker's cloud.
    package var mayBeBackedUp: Bool
    package var isBackedUp: Bool
    /// Seconds since 1970.
    package var registeredAt: Int64
    package var usedAt: Int64?

    /// As text, one JSON object; `init(text:)` reads it back.
    package var text: String {
        let object: JSONObject = [
            "id": .string(base64URL(id)),
            "publicKey": .string(base64URL(publicKey)),
            "counter": JSONValue(integer: Int64(counter)),
            "model": model.map { .string($0.description) } ?? .null,
            "transports": .array(transports.map(JSONValue.string)),
            "name": .string(name),
            "mayBeBackedUp": .boolean(mayBeBackedUp),
            "isBackedUp": .boolean(isBackedUp),
            "registeredAt": JSONValue(integer: registeredAt),
            "usedAt": usedAt.map(JSONValue.init(integer:)) ?? .null,
        ]
        return String(decoding: JSONValue.object(object).encoded, as: UTF8.self)
    }

    package init(
        id: [UInt8], publicKey: [UInt8], counter: UInt32 = 0, model: Model? = nil,
        transports: [String] = [], name: String = "", mayBeBackedUp: Bool = false,
        isBackedUp: Bool = false, registeredAt: Int64 = 0, usedAt: Int64? = nil
    ) {
        self.id = id
        self.publicKey = publicKey
        self.counter = counter
        self.model = model
        self.transports = transports
        self.name = name
        self.mayBeBackedUp = mayBeBackedUp
        self.isBackedUp = isBackedUp
        self.registeredAt = registeredAt
        self.usedAt = usedAt
    }

    /// A key that was kept as `text`; nil when it is none.
    package init?(text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count <= WebAuthnLimits.jsonMax,
            let object = try? JSONValue(bytes.span),
            let id = object["id"]?.text.flatMap(WebAuthn.bytes(ofBase64URL:)),
            let publicKey = object["publicKey"]?.text.flatMap(WebAuthn.bytes(ofBase64URL:)),
            let counter = object["counter"]?.integer.flatMap(UInt32.init(exactly:)),
            let transports = object["transports"]?.texts,
            let name = object["name"]?.text,
            let mayBeBackedUp = object["mayBeBackedUp"]?.flag,
            let isBackedUp = object["isBackedUp"]?.flag,
            let registeredAt = object["registeredAt"]?.integer
        else { return nil }
        var model: Model?
        if let said = object["model"], said != .null {
            guard let known = said.text.flatMap(Model.init(_:)) else { return nil }
            model = known
        }
        self.init(
            id: id, publicKey: publicKey, counter: counter, model: model, transports: transports,
            name: name, mayBeBackedUp: mayBeBackedUp, isBackedUp: isBackedUp,
            registeredAt: registeredAt, usedAt: object["usedAt"]?.integer)
    }
}
