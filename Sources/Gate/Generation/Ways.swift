// Ways.swift: the ways to prove who one is that a configuration offers, besides certificates, as
// all workers share them.
//
// What would be lost by beginning anew is kept over a reload as long as its settings stay: keys
// that were fetched, the directory in memory.

internal import Directory
internal import Glibc
internal import Issuers
internal import Policy
internal import SignIn
internal import Tokens

/// What one configuration has of them.
final class Ways: Sendable {
    /// By index in the configuration.
    let issuers: [IssuerDesk]
    /// By listener.
    let revocation: [RevocationDesk?]
    let directory: LoadedDirectory?
    /// What signs `Herse-Assertion`.
    let assertion: AssertionKeys?

    let accounts: AccountDesk?
    /// Where people sign in with a browser.
    let signIn: SignInDesk?
    /// Events from elsewhere, and to there.
    let signals: SignalDesks
    private let assertionRule: AssertionRule?

    /// Makes what `configuration` asks for, or takes it from `former`; writes the first key of
    /// assertions to the state folder.
    init(
        _ configuration: Configuration, _ material: Material, _ services: Services,
        after former: Generation?
    ) throws(GenerationError) {
        let now = Int64(time(nil))
        let known = former?.ways.issuers.compactMap(\.issuer) ?? []
        issuers = configuration.authentication.issuers.indices.map { index in
            let rule = configuration.authentication.issuers[index]
            let isAsked =
                rule.introspection != .never || material.keys[index] == nil
                || configuration.authentication.signIn?.providers.contains { $0.issuer == index }
                    == true
            guard isAsked else { return IssuerDesk(fixed: material.keys[index], issuer: nil) }
            let settings = IssuerSettings(rule, folder: configuration.state + "/issuers")
            // What was fetched stays, unless another place is to be asked now.
            let issuer =
                known.first { $0.settings == settings } ?? Issuer(settings, now: now)
            return IssuerDesk(fixed: material.keys[index], issuer: issuer)
        }
        let names = former?.configuration.listeners.map(\.name) ?? []
        revocation = configuration.listeners.enumerated().map { index, listener in
            let before = names.firstIndex(of: listener.name).flatMap {
                former?.ways.revocation[$0]
            }
            return RevocationDesk.made(
                listener, material.listeners[index], state: configuration.state, after: before,
                now: now)
        }
        directory = material.directory
        accounts = configuration.authentication.accounts.map {
            AccountDesk($0, state: configuration.state, after: former?.ways.accounts)
        }
        signIn = makeDesk(
            configuration.authentication, material, issuers: issuers, accounts: accounts,
            services, contact: configuration.contact)
        let rule = configuration.authentication.assertion
        assertionRule = rule
        assertion = try rule.map { (rule) throws(GenerationError) in
            let before = former?.ways.assertionRule
            if let kept = former?.ways.assertion, before?.rotate == rule.rotate,
                before?.lifetime == rule.lifetime
            {
                return kept
            }
            do throws(AssertionKeyError) {
                return try AssertionKeys(
                    folder: configuration.state + "/assertion", rotate: rule.rotate,
                    lifetime: rule.lifetime, now: now)
            } catch {
                let problem = "assertion: \(error.path): \(error.problem)"
                throw GenerationError(
                    message: Diagnostic(rule.place, .error, problem, hint: error.hint).description)
            }
        }
        signals = try SignalDesks(
            configuration, material, issuers: issuers, assertion: assertion, services,
            after: former?.ways.signals ?? SignalDesks(), now: now)
    }
}

extension Standing {
    /// What the directory says.
    init(_ standing: DirectoryStanding) {
        self =
            switch standing {
            case .unchecked: .unchecked
            case .known: .known
            case .unknown: .unknown
            case .left: .left
            }
    }
}
