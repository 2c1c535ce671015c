// OwnAnswer.swift: the answers the gate makes itself, in the form the client's protocol expects.

internal import Policy

/// A whole answer: status, fields and body.
struct OwnAnswer {
    let status: Int
    /// Lines `Name: value`, each with CRLF; neither length nor framing.
    let fields: String
    let body: [UInt8]
    let closesConnection: Bool
}

/// What shapes a refusal's body.
struct AnswerAudience {
    let lookups: Route.Lookups
    let wantsHTML: Bool
}

/// What a refusal is told with besides its sentence.
struct RefusalDetails {
    let requestID: String
    /// Lines that tell what proof would help.
    let challenge: String
    /// Whom to call, from the configuration; told to a neutralized person.
    let contact: String?
    /// Where a browser is sent instead of being refused; empty for everybody else.
    let signInAddress: String
    /// Name, ceiling and window of the limit that was reached.
    let limit: (name: String, limit: Int, seconds: Int)?
    let isDraining: Bool
}

extension OwnAnswer {
    /// The answer to a refused request.
    init(_ refusal: Refusal, to audience: AnswerAudience, _ details: RefusalDetails) {
        var sentence = refusal.sentence
        var fields = "Cache-Control: no-store\r\nX-Request-Id: \(details.requestID)\r\n"
        fields += details.challenge
        switch refusal {
        case .limitReached(_, let reached):
            if let limit = details.limit {
                sentence = "The limit `\(limit.name)` is reached."
                fields +=
                    "RateLimit-Policy: \"\(limit.name)\";q=\(limit.limit);w=\(limit.seconds)\r\n"
                    + "RateLimit: \"\(limit.name)\";r=0;t=\(reached.retryAfter)\r\n"
            }
            fields += "Retry-After: \(reached.retryAfter)\r\n"
        case .overloaded, .draining, .notRecorded, .limitsUnavailable, .issuerUnavailable,
            .revocationUnknown:
            fields += "Retry-After: 5\r\n"
        case .neutralized:
            sentence += " Incident \(details.requestID)."
            if let contact = details.contact { sentence += " \(contact)" }
        default: break
        }
        let (type, body) = OwnAnswer.body(refusal, sentence, audience, details)
        if !details.signInAddress.isEmpty {
            fields += "Location: \(details.signInAddress)\r\nReferrer-Policy: no-referrer\r\n"
        }
        self.init(
            status: details.signInAddress.isEmpty ? refusal.status : 303,
            fields: fields + "Content-Type: \(type)\r\n",
            body: Array(body.utf8),
            closesConnection: refusal.closesConnection && details.signInAddress.isEmpty
                || details.isDraining)
    }

    private static func body(
        _ refusal: Refusal, _ sentence: String, _ audience: AnswerAudience,
        _ details: RefusalDetails
    ) -> (type: String, body: String) {
        switch audience.lookups {
        case .fhir:
            let text = jsonText(sentence)
            let french =
                refusal == .neutralized
                ? ",\"details\":{\"text\":\"\(jsonText(NeutralPage.french(details)))\"}" : ""
            return (
                "application/fhir+json; charset=utf-8",
                """
                {"resourceType":"OperationOutcome","id":"\(details.requestID)","issue":[{\
                "severity":"error","code":"\(refusal.issueCode)","diagnostics":"\(text)"\(french)}]}
                """
            )
        case .hl7v3, .insi:
            let code = refusal.status >= 500 ? "Receiver" : "Sender"
            let french =
                refusal == .neutralized
                ? "<s:Text xml:lang=\"fr\">\(markupText(NeutralPage.french(details)))</s:Text>" : ""
            return (
                "application/soap+xml; charset=utf-8",
                """
                <?xml version="1.0" encoding="UTF-8"?>\
                <s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault>\
                <s:Code><s:Value>s:\(code)</s:Value></s:Code><s:Reason>\
                <s:Text xml:lang="en">\(markupText(sentence))</s:Text>\(french)</s:Reason>\
                <s:Detail><h:Request xmlns:h="urn:herse:fault">\(details.requestID)</h:Request>\
                </s:Detail></s:Fault></s:Body></s:Envelope>
                """
            )
        case .declared where audience.wantsHTML, .none where audience.wantsHTML:
            if refusal == .neutralized {
                return ("text/html; charset=utf-8", NeutralPage.html(details, markupText))
            }
            let text = markupText(sentence)
            return (
                "text/html; charset=utf-8",
                """
                <!DOCTYPE html><html lang="en"><head><meta charset="utf-8">\
                <title>\(refusal.status)</title></head><body><main><h1>\(text)</h1>\
                <p>\(details.requestID)</p></main></body></html>
                """
            )
        case .declared, .none:
            let problem = refusal.problemType.map { "\"type\":\"\($0)\"," } ?? ""
            let limit =
                details.limit.map { ",\"violated-policies\":[\"\(jsonText($0.name))\"]" } ?? ""
            return (
                "application/problem+json",
                """
                {\(problem)"title":"\(jsonText(sentence))","status":\(refusal.status),\
                "instance":"urn:herse:request:\(details.requestID)"\(limit)}
                """
            )
        }
    }
}

extension Refusal {
    /// The code of an OperationOutcome's issue (FHIR R4 issue-type).
    fileprivate var issueCode: String {
        switch self {
        case .limitReached: "throttled"
        case .unproven: "login"
        case .neutralized, .notBelieved, .methodNotAllowed, .nobody, .organisation, .nonNominative,
            .professionalNotAllowed, .structureNotAllowed, .interactionNotAllowed, .pageNotYours:
            "forbidden"
        case .stepUp, .tokenStepUp, .levelTooLow, .proofTooOld, .tokenRefused, .tokenTooWeak,
            .accountRefused:
            "login"
        case .notInDirectory, .otherOrigin: "forbidden"
        case .tooVague: "too-costly"
        case .questionNotUnderstood: "invalid"
        case .answerTooLarge: "too-long"
        case .answerNotUnderstood: "processing"
        case .unknownRoute: "not-found"
        case .serverSlow, .headSlow, .bodySlow: "timeout"
        case .bodyTooLarge: "too-long"
        case .malformed, .bodyMalformed, .ambiguousPath: "structure"
        case .upgrade: "not-supported"
        case .overloaded, .draining, .serverUnreachable, .serverAnswerMalformed, .notRecorded,
            .limitsUnavailable, .issuerUnavailable, .revocationUnknown:
            "transient"
        }
    }

    /// The registered problem type, where there is one.
    fileprivate var problemType: String? {
        switch self {
        case .limitReached: "https://iana.org/assignments/http-problem-types#quota-exceeded"
        case .overloaded, .draining:
            "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity"
        default: nil
        }
    }
}

private func jsonText(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": out += "\\\(scalar)"
        case _ where scalar.value < 0x20: out += " "
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}

private func markupText(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "<": out += "&lt;"
        case ">": out += "&gt;"
        case "&": out += "&amp;"
        case "\"": out += "&quot;"
        case _ where scalar.value < 0x20: out += " "
        default: out.unicodeScalars.append(scalar)
        }
    }
    return out
}
