// AuditCode.swift: codes of audit trails, by the names their systems have in FHIR and in DICOM.

internal import JSON

/// A code of some system.
struct AuditCode: Equatable, Sendable {
    /// As FHIR has it, a URI.
    let system: String
    let code: String
    let display: String

    /// DICOM PS3.16, CID 400 and 401.
    static func dicom(_ code: Int, _ display: String) -> AuditCode {
        AuditCode(
            system: "http://dicom.nema.org/resources/ontology/DCM", code: String(code),
            display: display)
    }

    /// FHIR R4, `restful-interaction`.
    static func restful(_ code: String) -> AuditCode {
        AuditCode(system: "http://hl7.org/fhir/restful-interaction", code: code, display: code)
    }

    /// A code system that terminology.hl7.org keeps.
    static func terminology(_ name: String, _ code: String, _ display: String) -> AuditCode {
        AuditCode(
            system: "http://terminology.hl7.org/CodeSystem/\(name)", code: code, display: display)
    }

    /// A transaction of IHE, such as `ITI-78`.
    static func transaction(_ code: String) -> AuditCode {
        AuditCode(
            system: "urn:ihe:event-type-code", code: code,
            display: transactionNames[code] ?? code)
    }

    /// A word of the record that no system has.
    static func ours(_ kind: String, _ code: String) -> AuditCode {
        AuditCode(system: "urn:herse:\(kind)", code: code, display: code)
    }

    static let rest = terminology("audit-event-type", "rest", "Restful Operation")
    static let emergency = dicom(110127, "Emergency Override Started")

    var json: JSONValue {
        .object(["system": .string(system), "code": .string(code), "display": .string(display)])
    }

    /// As what its system goes in DICOM's messages.
    var systemName: String {
        switch system {
        case "http://dicom.nema.org/resources/ontology/DCM": "DCM"
        case "urn:ihe:event-type-code": "IHE Transactions"
        case "http://hl7.org/fhir/restful-interaction": "restful-interaction"
        default: "Herse"
        }
    }
}

/// IHE ITI TF-2, PDQm and PIXm: what each transaction is called in audit trails.
private let transactionNames = [
    "ITI-44": "Patient Identity Feed HL7 V3",
    "ITI-45": "PIX Query",
    "ITI-47": "Patient Demographics Query",
    "ITI-55": "Cross Gateway Patient Discovery",
    "ITI-78": "Mobile Patient Demographics Query",
    "ITI-83": "Mobile Patient Identifier Cross-reference Query",
    "ITI-93": "Mobile Patient Identity Feed",
    "ITI-104": "Patient Identity Feed FHIR",
    "ITI-119": "Patient Demographics Match",
]
