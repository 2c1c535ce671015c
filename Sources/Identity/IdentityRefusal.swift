// IdentityRefusal.swift: why a certificate, though its chain is good, proves nobody's identity.

/// Why a certificate was refused as a proof of identity; holds nothing of the person's.
package enum IdentityRefusal: Error, Equatable {
    case oldVersion(Int)
    case authority
    case signatureCertificate
    case noDigitalSignature
    case noClientAuthentication
    case emptySubject
    case unreadableSubject(CertificateSubjectError)
    case severalStructures
    case missingAttribute(AttributeName)
    case notNationalIdentifier(AttributeName, ProfessionalIDError)
    case organisation
    case nonNominative

    /// What the operator reads in the log.
    package var reason: String {
        switch self {
        case .oldVersion(let version): "certificate is of X.509 version \(version), not 3"
        case .authority: "certificate belongs to an authority"
        case .signatureCertificate: "certificate is for signing documents (nonRepudiation)"
        case .noDigitalSignature: "certificate's key usage has no digitalSignature"
        case .noClientAuthentication: "certificate has no clientAuth extended key usage"
        case .emptySubject: "certificate's subject is empty"
        case .unreadableSubject(let error): "certificate's subject \(problem(error))"
        case .severalStructures: "certificate's subject names several structures"
        case .missingAttribute(let name): "certificate's subject has no `\(name)`"
        case .notNationalIdentifier(let name, let error):
            "certificate's `\(name)` is not a national identifier: \(problem(error))"
        case .organisation: "certificate belongs to an organisation, not to a person"
        case .nonNominative: "certificate is a service card that names no person"
        }
    }
}

private func problem(_ error: CertificateSubjectError) -> String {
    switch error {
    case .tooLong(let length): "is too long (\(length) bytes)"
    case .notDER: "is not DER"
    case .notAName: "is not a distinguished name"
    case .tooManyAttributes: "has more than \(CertificateSubject.attributesMax) attributes"
    case .badValue: "has a value that is not text"
    case .repeated(let name): "has several `\(name)`"
    }
}

private func problem(_ error: ProfessionalIDError) -> String {
    switch error {
    case .empty: "it is empty"
    case .tooLong(let length), .wrongLength(let length): "its length is wrong (\(length))"
    case .unknownPrefix: "its prefix is unknown"
    case .missingSlash: "its register number is missing"
    case .forbiddenByte(let index): "byte \(index + 1) is not allowed"
    }
}
