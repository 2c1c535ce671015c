// WebAuthn.swift: what browsers and authenticators send of security keys.

import WebAuthn

extension FuzzTarget {
    static let webAuthn = FuzzTarget(name: "webauthn") { bytes in
        fuzzWebAuthn(bytes)
    }
}
