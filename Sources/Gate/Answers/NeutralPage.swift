// NeutralPage.swift: what somebody sees who has been cut off: neutral words, a number, whom to call.
//
// It may be a nurse whose account was stolen, or the thief: neither is told why, and both are told
// the same.

/// The words for a person whose access has been neutralized.
enum NeutralPage {
    /// One or two sentences in French, the language of those who use the gate.
    static func french(_ details: RefusalDetails) -> String {
        var text = "L’accès n’est pas possible pour le moment. Incident \(details.requestID)."
        if let contact = details.contact { text += " \(contact)" }
        return text
    }

    /// A page without script, style sheet or picture, that any browser shows and any printer prints.
    static func html(_ details: RefusalDetails, _ escaped: (String) -> String) -> String {
        let contact = details.contact.map { "<p><strong>\(escaped($0))</strong></p>" } ?? ""
        return """
            <!DOCTYPE html><html lang="fr"><head><meta charset="utf-8">\
            <meta name="viewport" content="width=device-width"><title>Accès</title></head><body>\
            <main><h1>L’accès n’est pas possible pour le moment</h1>\
            <p>Si vous soignez, appelez : quelqu’un vérifie votre identité et rétablit l’accès.</p>\
            \(contact)<p>Incident <code>\(details.requestID)</code></p>\
            <section lang="en"><h2>Access is not possible at the moment</h2>\
            <p>Call, and give the number of the incident.</p></section></main></body></html>
            """
    }
}
