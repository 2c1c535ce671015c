// DossierScope.swift: whom a dossier is about, and which period.

internal import RecordReading

/// Whom a dossier is about: of each kind that is named, one of the values must fit.
package struct DossierScope: Sendable {
    /// National identifiers, or names of local accounts.
    package var professionals: Set<String> = []
    /// `sha256:HEX`.
    package var certificates: Set<String> = []
    /// The gate's own sessions, those of providers, and `jti` of tokens.
    package var sessions: Set<String> = []
    package var structures: Set<String> = []
    /// As they were written; `isInNetworks` judges an address.
    package var networks: [String] = []
    package var isInNetworks: @Sendable (_ address: String) -> Bool = { _ in true }

    /// The period, milliseconds since 1970: from the first on, and before the second.
    package var from: UInt64
    package var to: UInt64
    /// From when on the accounts' usual volume is taken, until `from`.
    package var usualFrom: UInt64

    package init(from: UInt64, to: UInt64, usualFrom: UInt64) {
        self.from = from
        self.to = to
        self.usualFrom = min(usualFrom, from)
    }

    /// Whether nobody is named: the extent is unknown, and everybody is looked at.
    package var isEverybody: Bool {
        professionals.isEmpty && certificates.isEmpty && sessions.isEmpty && structures.isEmpty
            && networks.isEmpty
    }

    func covers(_ entry: borrowing RecordedEntry) -> Bool {
        isProfessional(entry)
            && (certificates.isEmpty || certificates.contains(entry.certificate))
            && (structures.isEmpty || structures.contains(entry.structure))
            && (sessions.isEmpty || sessions.contains(entry.session)
                || sessions.contains(entry.providerSession) || sessions.contains(entry.token))
            && (networks.isEmpty || isInNetworks(address(of: entry.peer)))
    }

    /// Whether an entry tells what is usual: by the account alone where one is named.
    func coversUsual(_ entry: borrowing RecordedEntry) -> Bool {
        professionals.isEmpty ? covers(entry) : isProfessional(entry)
    }

    private func isProfessional(_ entry: borrowing RecordedEntry) -> Bool {
        professionals.isEmpty || professionals.contains(entry.professional)
            || (!entry.account.isEmpty && professionals.contains(entry.account))
    }
}

/// Who a line is about: the professional, else whatever else it names.
func account(of entry: borrowing RecordedEntry) -> String {
    if !entry.professional.isEmpty { return entry.professional }
    if !entry.account.isEmpty { return entry.account }
    if !entry.structure.isEmpty { return "structure:" + entry.structure }
    if !entry.client.isEmpty { return "client:" + entry.client }
    return entry.certificate
}

/// The address of `127.0.0.1:40000` or `[::1]:40000`.
func address(of peer: String) -> String {
    guard let colon = peer.lastIndex(of: ":") else { return peer }
    let address = peer[..<colon]
    guard address.first == "[", address.last == "]" else { return String(address) }
    return String(address.dropFirst().dropLast())
}
