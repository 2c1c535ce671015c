// WebAuthnSuites.swift: the suites of the module WebAuthn stand beside this file.

import Testing

@testable import WebAuthn
