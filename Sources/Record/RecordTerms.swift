// RecordTerms.swift: under whose name a record is kept, and who may read it.

package import Sealing
package import Transparency

/// What the writer needs besides a folder.
package struct RecordTerms: Sendable {
    /// The gate's key; its name is the record's origin.
    package let signer: NoteSigner
    /// To whom entries are sealed; none leaves them unsealed.
    package let auditors: [AuditorPublicKey]

    package init(signer: NoteSigner, auditors: [AuditorPublicKey]) {
        self.signer = signer
        self.auditors = auditors
    }

    package var origin: String { signer.verifier.name }
}
