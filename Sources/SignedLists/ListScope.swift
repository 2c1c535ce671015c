// ListScope.swift: whom an issuer may cut here, as the operator declares it, whatever is signed.

package import Neutralization

/// What of an issuer's list is in force.
package struct ListScope: Equatable, Sendable {
    /// Kinds of subject.
    package var kinds: Set<SubjectKind>
    /// Accounts and structures by their identifiers, or the beginning of them before a `*`; empty for
    /// all.
    package var accounts: [String] = []
    package var structures: [String] = []
    /// Networks must lie in one of these; empty for all.
    package var networks: [Network] = []
    /// Entries a list may have: a mistake of its issuer's must not cut a whole region.
    package var entriesMax = 10_000

    package init(kinds: Set<SubjectKind>) { self.kinds = kinds }

    /// Whether an issuer with this scope may speak of `subject`.
    package func covers(_ subject: Subject) -> Bool {
        guard kinds.contains(subject.kind) else { return false }
        switch subject {
        case .account(let account):
            return accounts.isEmpty || accounts.contains { isMeant(account.id, by: $0) }
        // Nobody can tell whom a hash means until they come.
        case .hashedAccount: return accounts.isEmpty
        case .structure(let structure):
            return structures.isEmpty || structures.contains { isMeant(structure.id, by: $0) }
        case .network(let network):
            return networks.isEmpty
                || networks.contains {
                    $0.length <= network.length && $0.contains(network.address)
                }
        case .certificate, .serial, .session, .token, .client, .issuedBefore: return true
        }
    }

    private func isMeant(_ id: String, by pattern: String) -> Bool {
        pattern.hasSuffix("*") ? id.hasPrefix(pattern.dropLast()) : id == pattern
    }
}
