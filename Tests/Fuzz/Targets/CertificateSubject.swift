// CertificateSubject.swift: names of certificates in DER, and the identifiers in them.

import Identity

extension FuzzTarget {
    static let certificateSubject = FuzzTarget(name: "certificate-subject") { bytes in
        fuzzIdentity(bytes)
    }
}
