// Credential.swift: by what an access was proven, and through what it came.

internal import RecordReading

/// One kind of thing that an entry tells of a proof, or of the way it came.
enum Credential: String, CaseIterable {
    case method
    case level
    case issuer
    case certificate
    case client
    case session
    case providerSession = "provider session"
    case token
    case account
    case tls
    case route
    case interaction

    func value(of entry: RecordedEntry) -> String {
        switch self {
        case .method: entry.method
        case .level: entry.level
        case .issuer: entry.issuer
        case .certificate: entry.certificate
        case .client: entry.client
        case .session: entry.session
        case .providerSession: entry.providerSession
        case .token: entry.token
        case .account: entry.account
        case .tls: entry.cipher.isEmpty ? entry.tls : entry.tls + " " + entry.cipher
        case .route: entry.route
        case .interaction:
            entry.transaction.isEmpty
                ? entry.interaction : entry.interaction + " (" + entry.transaction + ")"
        }
    }

    func words(_ language: Language) -> String {
        switch self {
        case .method: language.of("Moyen de preuve", "Means of proof")
        case .level: language.of("Niveau de garantie", "Level of assurance")
        case .issuer: language.of("Émetteur", "Issuer")
        case .certificate: language.of("Certificat (SHA-256)", "Certificate (SHA-256)")
        case .client: language.of("Logiciel client", "Client software")
        case .session: language.of("Session", "Session")
        case .providerSession:
            language.of("Session du fournisseur d’identité", "Identity provider’s session")
        case .token: language.of("Jeton (jti)", "Token (jti)")
        case .account: language.of("Compte local", "Local account")
        case .tls: language.of("Version de TLS", "TLS version")
        case .route: language.of("Route", "Route")
        case .interaction: language.of("Transaction", "Transaction")
        }
    }
}
