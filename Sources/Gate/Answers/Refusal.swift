// Refusal.swift: why a request gets an answer of the gate's own, and with which status.
//
// One enum for everything the gate can refuse, so that status, record and words cannot drift
// apart: each is a total function of it.

internal import Lookup
internal import Tokens
internal import Wire

/// Why a request is not forwarded, or its answer not delivered.
enum Refusal: Error, Equatable, Sendable {
    // The request itself.
    case malformed(HeadError)
    case bodyMalformed
    case bodyTooLarge
    case headSlow
    case bodySlow
    case upgrade
    // Admission, in its order.
    case neutralized
    case notBelieved
    /// Nobody can tell whether the certificate is revoked.
    case revocationUnknown
    case ambiguousPath
    case unknownRoute
    case methodNotAllowed
    case unproven(route: Int)
    case nobody(route: Int)
    case organisation(route: Int)
    case nonNominative(route: Int)
    case professionalNotAllowed(route: Int)
    case structureNotAllowed(route: Int)
    case notInDirectory(route: Int)
    case levelTooLow(route: Int)
    case proofTooOld(route: Int)
    case tokenRefused(route: Int, TokenRefusal)
    /// A token that says too little, or was earned too long ago, for this route.
    case tokenTooWeak(route: Int)
    /// An account, its password or its code that is wrong.
    case accountRefused(route: Int)
    /// Whoever vouches for a proof cannot be asked.
    case issuerUnavailable(route: Int)
    /// A session's request that no page of ours made.
    case otherOrigin(route: Int)
    case limitReached(route: Int, LimitReached)
    case limitsUnavailable(route: Int)
    /// A fresher proof of identity would let it pass.
    case stepUp(route: Int, LimitReached)
    /// The same, for whoever shows a token and is told what token would.
    case tokenStepUp(route: Int, LimitReached)
    // What is asked.
    case questionNotUnderstood(route: Int, QuestionError)
    case interactionNotAllowed(route: Int)
    case tooVague(route: Int, Vagueness)
    case pageNotYours(route: Int)
    // What would be disclosed.
    case answerTooLarge(route: Int)
    case answerNotUnderstood(route: Int)
    // The identity server.
    case serverUnreachable
    case serverSlow
    case serverAnswerMalformed
    // The gate.
    case overloaded
    case draining
    case notRecorded

    /// The ceiling that was reached.
    struct LimitReached: Equatable, Sendable {
        /// Index of the set, and of the limit within it.
        let set: Int
        let limit: Int
        /// Seconds after which one more request passes, if none is made before.
        let retryAfter: Int
    }

    /// HTTP status of the answer.
    var status: Int {
        switch self {
        case .malformed(let error): Int(error.status)
        case .bodyMalformed, .ambiguousPath: 400
        case .unproven, .tokenTooWeak, .tokenStepUp, .accountRefused: 401
        case .tokenRefused(_, .scope): 403
        case .tokenRefused: 401
        case .neutralized, .notBelieved, .methodNotAllowed, .nobody, .organisation,
            .nonNominative, .professionalNotAllowed, .structureNotAllowed, .stepUp,
            .interactionNotAllowed, .tooVague, .pageNotYours, .notInDirectory, .levelTooLow,
            .proofTooOld, .otherOrigin:
            403
        case .questionNotUnderstood: 400
        case .unknownRoute: 404
        case .headSlow, .bodySlow: 408
        case .bodyTooLarge: 413
        case .limitReached: 429
        case .upgrade: 501
        case .serverUnreachable, .serverAnswerMalformed, .answerTooLarge, .answerNotUnderstood: 502
        case .overloaded, .draining, .notRecorded, .limitsUnavailable, .issuerUnavailable,
            .revocationUnknown:
            503
        case .serverSlow: 504
        }
    }

    /// One word for the record and for logs.
    var word: StaticString {
        switch self {
        case .malformed: "malformed"
        case .bodyMalformed: "body-malformed"
        case .bodyTooLarge: "body-too-large"
        case .headSlow: "head-slow"
        case .bodySlow: "body-slow"
        case .upgrade: "upgrade"
        case .neutralized: "neutralized"
        case .notBelieved: "certificate-refused"
        case .revocationUnknown: "revocation-unknown"
        case .ambiguousPath: "ambiguous-path"
        case .unknownRoute: "unknown-route"
        case .methodNotAllowed: "method-not-allowed"
        case .unproven: "unproven"
        case .nobody: "nobody"
        case .organisation: "organisation"
        case .nonNominative: "non-nominative"
        case .professionalNotAllowed: "professional-not-allowed"
        case .structureNotAllowed: "structure-not-allowed"
        case .notInDirectory: "not-in-directory"
        case .tokenRefused(_, let why): why.word
        case .tokenTooWeak: "token-too-weak"
        case .accountRefused: "account-refused"
        case .issuerUnavailable: "issuer-unavailable"
        case .otherOrigin: "other-origin"
        case .levelTooLow: "level-too-low"
        case .proofTooOld: "proof-too-old"
        case .limitReached: "limit"
        case .limitsUnavailable: "limits-unavailable"
        case .stepUp, .tokenStepUp: "step-up"
        case .questionNotUnderstood: "question-not-understood"
        case .interactionNotAllowed: "interaction-not-allowed"
        case .tooVague: "vague"
        case .pageNotYours: "page-not-yours"
        case .answerTooLarge: "answer-too-large"
        case .answerNotUnderstood: "answer-not-understood"
        case .serverUnreachable: "server-unreachable"
        case .serverSlow: "server-slow"
        case .serverAnswerMalformed: "server-answer-malformed"
        case .overloaded: "overloaded"
        case .draining: "draining"
        case .notRecorded: "not-recorded"
        }
    }

    /// What the client is told, in one sentence; it never tells why somebody is neutralized.
    var sentence: String {
        switch self {
        case .malformed(let error): "The request is not understood: \(error.reason)."
        case .bodyMalformed: "The body of the request is not understood."
        case .bodyTooLarge: "The body of the request is larger than this route accepts."
        case .headSlow, .bodySlow: "The request took too long to arrive."
        case .upgrade: "This gate does not switch protocols."
        case .neutralized: "Access is not possible at the moment."
        case .notBelieved: "The certificate is no longer accepted."
        case .revocationUnknown: "The certificate cannot be checked at the moment."
        case .ambiguousPath: "The path of the request can be read in two ways."
        case .unknownRoute: "There is nothing here."
        case .methodNotAllowed: "This method is not allowed here."
        case .unproven: "Proof of identity is required."
        case .nobody: "The certificate does not name a professional."
        case .organisation: "A person is required here; the certificate names an organisation."
        case .nonNominative: "A person is required here; the card names nobody."
        case .professionalNotAllowed, .structureNotAllowed: "This route is not open to you."
        case .notInDirectory: "The professionals' directory does not have you as active."
        case .tokenRefused(_, .scope): "The token is not meant for this."
        case .tokenRefused: "The token is not accepted."
        case .tokenTooWeak: "A stronger or fresher proof of identity is required here."
        case .accountRefused: "The account, its password or its code is not right."
        case .issuerUnavailable: "Proof of identity cannot be checked at the moment."
        case .otherOrigin: "This request does not come from a page of this site."
        case .levelTooLow: "A stronger proof of identity is required here."
        case .proofTooOld: "A fresh proof of identity is required here."
        case .limitReached: "A limit is reached."
        case .limitsUnavailable: "Limits cannot be counted at the moment."
        case .stepUp, .tokenStepUp: "A limit is reached: prove your identity again to go on."
        case .questionNotUnderstood(_, let error): error.sentence
        case .interactionNotAllowed: "This kind of request is not allowed here."
        case .tooVague(_, let vagueness): vagueness.sentence
        case .pageNotYours: "This page was not given to you, or too long ago: search again."
        case .answerTooLarge:
            "The answer is too large to be checked: ask for fewer patients at once."
        case .answerNotUnderstood: "The identity server's answer could not be checked."
        case .serverUnreachable: "The identity server cannot be reached."
        case .serverSlow: "The identity server did not answer in time."
        case .serverAnswerMalformed: "The identity server's answer was not usable."
        case .overloaded: "The gate is busy."
        case .draining: "The gate is stopping."
        case .notRecorded: "The answer could not be recorded, so it was not delivered."
        }
    }

    /// Whether the connection cannot carry another request: its framing is lost, or it is over.
    var closesConnection: Bool {
        switch self {
        case .malformed, .bodyMalformed, .bodyTooLarge, .headSlow, .bodySlow, .upgrade,
            .neutralized, .notBelieved, .draining, .stepUp, .proofTooOld:
            true
        case .ambiguousPath, .unknownRoute, .methodNotAllowed, .unproven, .nobody, .organisation,
            .nonNominative, .professionalNotAllowed, .structureNotAllowed, .limitReached,
            .limitsUnavailable, .serverUnreachable, .serverSlow, .serverAnswerMalformed,
            .overloaded, .notRecorded, .revocationUnknown, .questionNotUnderstood,
            .interactionNotAllowed, .tooVague,
            .pageNotYours, .answerTooLarge, .answerNotUnderstood, .notInDirectory, .levelTooLow,
            .tokenRefused, .tokenTooWeak, .tokenStepUp, .accountRefused, .issuerUnavailable,
            .otherOrigin:
            false
        }
    }

    /// Whether it was decided on a request, rather than on bytes that were none.
    var isDecision: Bool {
        switch self {
        case .malformed, .bodyMalformed, .headSlow, .bodySlow: false
        default: true
        }
    }

    /// The route it was decided on, if it came so far.
    var route: Int? {
        switch self {
        case .unproven(let route), .nobody(let route), .organisation(let route),
            .nonNominative(let route), .professionalNotAllowed(let route),
            .structureNotAllowed(let route), .notInDirectory(let route), .levelTooLow(let route),
            .proofTooOld(let route), .tokenRefused(let route, _), .tokenTooWeak(let route),
            .accountRefused(let route), .issuerUnavailable(let route), .otherOrigin(let route),
            .limitReached(let route, _),
            .limitsUnavailable(let route), .stepUp(let route, _), .tokenStepUp(let route, _),
            .questionNotUnderstood(let route, _), .interactionNotAllowed(let route),
            .tooVague(let route, _), .pageNotYours(let route), .answerTooLarge(let route),
            .answerNotUnderstood(let route):
            route
        default: nil
        }
    }
}

extension QuestionError {
    /// What the asker is told.
    fileprivate var sentence: String {
        switch self {
        case .pathNotUnderstood: "The path is not one of this interface."
        case .formNotUnderstood: "The parameters of the request are not understood."
        case .bodyNotUnderstood: "The body of the request is not understood."
        case .mediaTypeNotUnderstood: "The media type of the request is not understood here."
        case .tooManyEntries: "There are too many requests in one."
        }
    }
}

extension Vagueness {
    /// What the asker is told, and how to ask instead.
    fileprivate var sentence: String {
        let problem =
            switch self {
            case .noCriterion: "The search has no criterion"
            case .noIdentifierNorBirthDate: "The search has neither identifier nor birth date"
            case .shortName: "The search has a name of one or two letters"
            case .domainOnly: "The search has an identifier's domain without its value"
            case .lastUpdated: "The search asks for whoever changed"
            case .largeCount: "The search asks for too many patients at once"
            case .birthDateRange: "The search has no full birth date"
            case .wideningModifier: "The search has a modifier that widens it"
            }
        if self == .largeCount { return "\(problem): lower `_count`." }
        return "\(problem): add an identifier, or a name and the full birth date."
    }
}
