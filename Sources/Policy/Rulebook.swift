// Rulebook.swift: what is decided of a request, by everything that needs no memory of others.
//
// The gate asks for each request, `explain` and the policy tests ask the same function, so what
// they print is what would happen. The order is that of admission: neutralization, route,
// identity; limits, which remember, come after and are asked by index.

package import Identity
package import Lookup

/// What a client has proven of itself when it asks.
package enum Proof: Equatable, Sendable {
    case none
    /// The certificate of a human.
    case person
    /// A service card: whoever has it in hand.
    case nonNominative
    /// A legal entity's software.
    case organisation
    /// A certificate that verified, but names nobody.
    case nobody
}

/// What a client has shown for its request, and how good it is.
package struct Evidence: Equatable, Sendable {
    package var proof: Proof
    /// Nil when nothing is proven.
    package var method: ProofMethod?
    package var level: AssuranceLevel
    /// Seconds since it was proven; nil when that is not known.
    package var ageSeconds: UInt32?
    package var standing: Standing

    package init(
        _ proof: Proof, by method: ProofMethod? = .certificate, level: AssuranceLevel = .high,
        ageSeconds: UInt32? = 0, standing: Standing = .unchecked
    ) {
        self.proof = proof
        self.method = proof == .none ? nil : method
        self.level = level
        self.ageSeconds = ageSeconds
        self.standing = standing
    }
}

/// What the professionals' directory says of somebody.
package enum Standing: Equatable, Sendable {
    /// There is no directory, or nobody to look for.
    case unchecked
    case known
    case unknown
    case left
}

/// What becomes of a request, by indices into the configuration.
package enum Decision: Equatable, Sendable {
    case neutralized
    /// The path can be read in two ways.
    case ambiguousPath
    case unknownRoute
    case methodNotAllowed
    case unproven(route: Int)
    case nobody(route: Int)
    case organisationRefused(route: Int)
    case nonNominativeRefused(route: Int)
    case professionalNotAllowed(route: Int)
    case structureNotAllowed(route: Int)
    /// The directory says that the professional has left, or does not know them.
    case notInDirectory(route: Int)
    /// Proven, but in a way that does not make sure enough, or too long ago.
    case levelTooLow(route: Int)
    case proofTooOld(route: Int)
    /// Neither understood nor let through unread.
    case questionNotUnderstood(route: Int, QuestionError)
    case interactionNotAllowed(route: Int, Interaction)
    case tooVague(route: Int, Vagueness)
    /// Index of the set, index of the limit within it.
    case limitReached(route: Int, set: Int, limit: Int)
    /// A limit is reached that passes only who has shown the card lately.
    case stepUpNeeded(route: Int, set: Int, limit: Int)
    /// The identity server's answer is not understood, and the route lets nothing pass unread.
    case answerWithheld(route: Int, Unparsed)
    /// As far as this module knows; limits of the route's set are still to be asked.
    case allowed(route: Int)

    /// HTTP status of the answer; nil when the request goes on.
    package var status: Int? {
        switch self {
        case .neutralized: 403
        case .ambiguousPath: 400
        case .unknownRoute: 404
        case .methodNotAllowed: 403
        case .unproven: 401
        case .nobody, .organisationRefused, .nonNominativeRefused: 403
        case .professionalNotAllowed, .structureNotAllowed, .notInDirectory: 403
        case .levelTooLow, .proofTooOld: 403
        case .questionNotUnderstood: 400
        case .interactionNotAllowed, .tooVague: 403
        case .limitReached: 429
        case .stepUpNeeded: 403
        case .answerWithheld: 502
        case .allowed: nil
        }
    }

    /// The route it was decided on, if it came so far.
    package var route: Int? {
        switch self {
        case .neutralized, .ambiguousPath, .unknownRoute, .methodNotAllowed: nil
        case .unproven(let route), .nobody(let route), .organisationRefused(let route),
            .nonNominativeRefused(let route), .professionalNotAllowed(let route),
            .structureNotAllowed(let route), .notInDirectory(let route), .levelTooLow(let route),
            .proofTooOld(let route), .questionNotUnderstood(let route, _),
            .interactionNotAllowed(let route, _), .tooVague(let route, _),
            .limitReached(let route, _, _), .stepUpNeeded(let route, _, _),
            .answerWithheld(let route, _),
            .allowed(let route):
            route
        }
    }
}

/// The rule behind a decision, as people read it.
package struct Rule: Equatable, Sendable {
    /// Such as `route fhir`, `limits standard: 600 requests per 1m`.
    package let name: String
    /// Where it stands; nil for what holds without being written.
    package let place: SourceLocation?
}

/// A configuration, ready to be asked.
package struct Rulebook: Sendable {
    package let configuration: Configuration
    package let table: RouteTable

    package init(_ configuration: Configuration) {
        self.configuration = configuration
        table = RouteTable(configuration.routes)
    }

    /// Decides on one request; allocates nothing.
    ///
    /// `isNeutralized` says whether any subject of the request is on the neutralization list;
    /// `path` is the path as received, query excluded; `listener` an index in
    /// `Configuration.listeners`; `professional` and `structure` are national identifiers and
    /// `organisation` a machine's CN, each empty when there is none.
    package func decide(
        isNeutralized: Bool, method: Method, path: Span<UInt8>, listener: Int, evidence: Evidence,
        professional: Span<UInt8>, structure: Span<UInt8>, organisation: Span<UInt8>
    ) -> Decision {
        guard !isNeutralized else { return .neutralized }
        return switch table.match(path: path, method: method, listener: listener) {
        case .route(let route):
            judge(
                evidence, route: route, professional: professional, structure: structure,
                organisation: organisation)
        case .methodNotAllowed: .methodNotAllowed
        case .unknown: .unknownRoute
        case .ambiguous: .ambiguousPath
        }
    }

    /// Decides on whoever asks on a route, by what they have shown; allocates nothing.
    package func judge(
        _ evidence: Evidence, route index: Int, professional: Span<UInt8>,
        structure: Span<UInt8>, organisation: Span<UInt8>
    ) -> Decision {
        guard let method = evidence.method,
            configuration.routes[index].requirements.contains(method)
        else { return .unproven(route: index) }
        if let refusal = refusal(
            of: evidence.proof, professional: professional, structure: structure,
            organisation: organisation, route: index)
        {
            return refusal
        }
        let structures = configuration.routes[index].structures
        let professionals = configuration.routes[index].professionals
        guard professionals.allows(professional) else {
            return .professionalNotAllowed(route: index)
        }
        guard structures.allows(structure) else { return .structureNotAllowed(route: index) }
        guard accepts(evidence.standing) else { return .notInDirectory(route: index) }
        guard evidence.level >= configuration.routes[index].levelMin else {
            return .levelTooLow(route: index)
        }
        if let ageMax = configuration.routes[index].ageMax {
            guard let age = evidence.ageSeconds, age <= ageMax else {
                return .proofTooOld(route: index)
            }
        }
        return .allowed(route: index)
    }

    private func accepts(_ standing: Standing) -> Bool {
        guard let rule = configuration.authentication.directory else { return true }
        return switch standing {
        case .unchecked, .known: true
        case .unknown: rule.acceptsUnknown
        case .left: rule.acceptsLeft
        }
    }

    private func refusal(
        of proof: Proof, professional: Span<UInt8>, structure: Span<UInt8>,
        organisation: Span<UInt8>, route: Int
    ) -> Decision? {
        let rule = configuration.certificateAuthentication.rule
        switch proof {
        case .none:
            return .unproven(route: route)
        case .nobody:
            return .nobody(route: route)
        case .person:
            // Whoever is to be limited and neutralized by name must have one.
            return professional.isEmpty ? .nobody(route: route) : nil
        case .organisation:
            if let machines = configuration.routes[route].machines {
                return machines.accepts(name: organisation, structure: structure)
                    ? nil : .organisationRefused(route: route)
            }
            return rule.acceptsOrganisations ? nil : .organisationRefused(route: route)
        case .nonNominative:
            return rule.acceptsNonNominative ? nil : .nonNominativeRefused(route: route)
        }
    }

    /// The rule behind a decision made by this rulebook.
    package func rule(of decision: Decision) -> Rule {
        func route(_ index: Int) -> Route { configuration.routes[index] }
        let authentication = configuration.certificateAuthentication
        switch decision {
        case .neutralized:
            return Rule(name: "neutralized", place: configuration.neutralized?.place)
        case .ambiguousPath:
            return Rule(name: "ambiguous path", place: nil)
        case .unknownRoute:
            return Rule(name: "no route", place: nil)
        case .methodNotAllowed:
            return Rule(name: "no route with this method", place: nil)
        case .unproven(let index), .nobody(let index):
            return Rule(
                name: "route \(route(index).name): require", place: route(index).requirementsPlace)
        case .notInDirectory:
            return Rule(
                name: "authentication.directory",
                place: configuration.authentication.directory?.place)
        case .levelTooLow(let index):
            return Rule(
                name: "route \(route(index).name): level \(route(index).levelMin.rawValue)",
                place: route(index).levelPlace ?? route(index).place)
        case .proofTooOld(let index):
            return Rule(
                name: "route \(route(index).name): max_age",
                place: route(index).agePlace ?? route(index).place)
        case .organisationRefused(let index) where route(index).machines != nil:
            return Rule(
                name: "route \(route(index).name): machines", place: route(index).machines?.place)
        case .organisationRefused(let index):
            return Rule(
                name: "authentication.certificate.organisations: refuse",
                place: authentication.organisationsPlace ?? route(index).requirementsPlace)
        case .nonNominativeRefused(let index):
            return Rule(
                name: "authentication.certificate.non_nominative: refuse",
                place: authentication.nonNominativePlace ?? route(index).requirementsPlace)
        case .professionalNotAllowed(let index):
            return Rule(
                name: "route \(route(index).name): allow.professionals",
                place: route(index).professionals.place)
        case .structureNotAllowed(let index):
            return Rule(
                name: "route \(route(index).name): allow.structures",
                place: route(index).structures.place)
        case .questionNotUnderstood(let index, _):
            return Rule(name: "route \(route(index).name): lookups", place: route(index).place)
        case .interactionNotAllowed(let index, let interaction)
        where route(index).machines?.mayLookUp == false
            && route(index).lookupRules?.interactions.contains(interaction) == true:
            // Whoever is no machine may ask it here.
            return Rule(
                name: "route \(route(index).name): machines", place: route(index).machines?.place)
        case .interactionNotAllowed(let index, let interaction):
            let rules = route(index).lookupRules
            let key = interaction == .operation ? "operations" : "interactions"
            return Rule(
                name: "route \(route(index).name): \(key)",
                place: interaction == .operation ? rules?.operationsPlace : rules?.interactionsPlace
            )
        case .tooVague(let index, _):
            let rules = route(index).lookupRules
            return Rule(name: "route \(route(index).name): vague", place: rules?.vaguePlace)
        case .limitReached(_, let set, let limit), .stepUpNeeded(_, let set, let limit):
            let set = configuration.limitSets[set]
            return Rule(
                name: "limits \(set.name): \(set.limits[limit].description)",
                place: set.limits[limit].place)
        case .answerWithheld(let index, _):
            return Rule(
                name: "route \(route(index).name): unparsed",
                place: route(index).lookupRules?.unparsedPlace)
        case .allowed(let index):
            return Rule(name: "route \(route(index).name)", place: route(index).place)
        }
    }
}
