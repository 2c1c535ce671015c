// Refusal.swift: why a request gets an answer of the gate's own, and with which status.
//
// One enum for everything the gate can refuse, so that status, record and words cannot drift
// apart: each is a total function of it.

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
    case ambiguousPath
    case unknownRoute
    case methodNotAllowed
    case unproven(route: Int)
    case nobody(route: Int)
    case organisation(route: Int)
    case nonNominative(route: Int)
    case professionalNotAllowed(route: Int)
    case structureNotAllowed(route: Int)
    case limitReached(route: Int, LimitReached)
    case limitsUnavailable(route: Int)
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
        case .unproven: 401
        case .neutralized, .notBelieved, .methodNotAllowed, .nobody, .organisation,
            .nonNominative, .professionalNotAllowed, .structureNotAllowed:
            403
        case .unknownRoute: 404
        case .headSlow, .bodySlow: 408
        case .bodyTooLarge: 413
        case .limitReached: 429
        case .upgrade: 501
        case .serverUnreachable, .serverAnswerMalformed: 502
        case .overloaded, .draining, .notRecorded, .limitsUnavailable: 503
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
        case .ambiguousPath: "ambiguous-path"
        case .unknownRoute: "unknown-route"
        case .methodNotAllowed: "method-not-allowed"
        case .unproven: "unproven"
        case .nobody: "nobody"
        case .organisation: "organisation"
        case .nonNominative: "non-nominative"
        case .professionalNotAllowed: "professional-not-allowed"
        case .structureNotAllowed: "structure-not-allowed"
        case .limitReached: "limit"
        case .limitsUnavailable: "limits-unavailable"
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
        case .ambiguousPath: "The path of the request can be read in two ways."
        case .unknownRoute: "There is nothing here."
        case .methodNotAllowed: "This method is not allowed here."
        case .unproven: "Proof of identity is required."
        case .nobody: "The certificate does not name a professional."
        case .organisation: "A person is required here; the certificate names an organisation."
        case .nonNominative: "A person is required here; the card names nobody."
        case .professionalNotAllowed, .structureNotAllowed: "This route is not open to you."
        case .limitReached: "A limit is reached."
        case .limitsUnavailable: "Limits cannot be counted at the moment."
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
            .neutralized, .notBelieved, .draining:
            true
        case .ambiguousPath, .unknownRoute, .methodNotAllowed, .unproven, .nobody, .organisation,
            .nonNominative, .professionalNotAllowed, .structureNotAllowed, .limitReached,
            .limitsUnavailable, .serverUnreachable, .serverSlow, .serverAnswerMalformed,
            .overloaded, .notRecorded:
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
            .structureNotAllowed(let route), .limitReached(let route, _),
            .limitsUnavailable(let route):
            route
        default: nil
        }
    }
}
