// FHIRDocuments.swift: the documents the sample identity server answers with, beside patients.

/// A page of a search's result, FHIR R4 §3.1.1.3.
struct SearchPage {
    let total: Int
    let selfLink: String
    let nextLink: String?
    /// `BASE/Patient/` before an id makes the full URL of an entry.
    let base: String
    let resources: [PatientResource]

    var json: String {
        var links = #"{"relation":"self","url":\#(quoted(selfLink))}"#
        if let nextLink { links += #",{"relation":"next","url":\#(quoted(nextLink))}"# }
        let entries = resources.map { resource in
            """
            {"fullUrl":\(quoted(base + "/Patient/" + resource.patient.id)),\
            "resource":\(resource.json),"search":{"mode":"match"}}
            """
        }
        let entry = entries.isEmpty ? "" : #","entry":[\#(entries.joined(separator: ","))]"#
        return """
            {"resourceType":"Bundle","type":"searchset","total":\(total),\
            "link":[\(links)]\(entry)}
            """
    }
}

/// What went wrong, FHIR R4 §2.36.
func operationOutcome(_ code: String, _ diagnostics: String) -> String {
    """
    {"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"\(code)",\
    "diagnostics":\(quoted(diagnostics))}]}
    """
}

/// What the server can do, FHIR R4 §5.2.
func capabilityStatement(base: String) -> String {
    let parameters = [
        ("_id", "token"), ("birthdate", "date"), ("family", "string"), ("gender", "token"),
        ("given", "string"), ("identifier", "token"), ("name", "string"),
    ].map { #"{"name":"\#($0.0)","type":"\#($0.1)"}"# }.joined(separator: ",")
    return """
        {"resourceType":"CapabilityStatement","status":"active","date":"2026-01-05",\
        "kind":"instance","software":{"name":"Herse sample identity server"},\
        "implementation":{"description":"synthetic patients","url":\(quoted(base))},\
        "fhirVersion":"4.0.1","format":["application/fhir+json"],"rest":[{"mode":"server",\
        "resource":[{"type":"Patient","interaction":[{"code":"read"},{"code":"search-type"}],\
        "searchParam":[\(parameters)]}]}]}
        """
}
