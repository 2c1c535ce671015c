// PatientResource.swift: a synthetic patient as FHIR R4 writes it, and as a search compares it.

import Foundation

/// A patient ready to be served: written once, compared without accents or case.
struct PatientResource: Sendable {
    let patient: SamplePatient
    let json: String
    /// Every field below is folded, in UTF-8.
    let family: [UInt8]
    let given: [[UInt8]]

    init(_ patient: SamplePatient) {
        self.patient = patient
        json = patientJSON(patient)
        family = Array(foldedForSearch(patient.family).utf8)
        given = patient.given.map { Array(foldedForSearch($0).utf8) }
    }
}

/// `text` as string searches compare it: no case, no accents.
func foldedForSearch(_ text: String) -> String {
    text.folding(options: [.caseInsensitive, .diacriticInsensitive], locale: nil)
}

private func patientJSON(_ patient: SamplePatient) -> String {
    let identityType = "https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203"
    let given = patient.given.map(quoted).joined(separator: ",")
    return """
        {"resourceType":"Patient","id":\(quoted(patient.id)),\
        "meta":{"versionId":"1","lastUpdated":"2026-01-05T08:00:00Z"},\
        "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace",\
        "valueAddress":{"extension":[{"url":\
        "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",\
        "valueCoding":{"code":\(quoted(patient.birthPlace))}}]}}],\
        "identifier":[{"use":"official","type":{"coding":[{"system":"\(identityType)",\
        "code":"INS-NIR-TEST"}]},"system":"\(SamplePatient.insSystem)",\
        "value":\(quoted(patient.ins))},\
        {"use":"usual","type":{"coding":[{"system":\
        "http://terminology.hl7.org/CodeSystem/v2-0203","code":"PI"}]},\
        "system":"\(SamplePatient.localSystem)","value":\(quoted(patient.localIdentifier))}],\
        "active":true,"name":[{"use":"official","family":\(quoted(patient.family)),\
        "given":[\(given)]}],\
        "telecom":[{"system":"phone","value":\(quoted(patient.phone)),"use":"mobile"},\
        {"system":"email","value":\(quoted(patient.mail))}],\
        "gender":"\(patient.isWoman ? "female" : "male")","birthDate":"\(patient.birthDate)",\
        "address":[{"use":"home","line":[\(quoted(patient.street))],\
        "city":\(quoted(patient.city)),"postalCode":\(quoted(patient.postalCode)),\
        "country":"FRA"}]}
        """
}

/// `text` as a JSON string, RFC 8259 §7.
func quoted(_ text: String) -> String {
    var out = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": out += "\\\""
        case "\\": out += "\\\\"
        case "\n": out += "\\n"
        case "\r": out += "\\r"
        case "\t": out += "\\t"
        case _ where scalar.value < 0x20:
            out += "\\u00" + (scalar.value < 0x10 ? "0" : "") + String(scalar.value, radix: 16)
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out + "\""
}
