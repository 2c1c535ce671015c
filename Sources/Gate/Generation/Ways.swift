// Ways.swift: the ways to prove who one is that a configuration offers, besides certificates, as
// all workers share them.
//
// What would be lost by beginning anew is kept over a reload as long as its settings stay: keys
// that were fetched, the directory in memory.

internal import Directory
internal import Glibc
internal import Policy
internal import SignIn
internal import Tokens

/// What one configuration has of them.
final class Ways: Sendable {
    /// The keys of each issuer, by index.
    let issuers: [IssuerKeys]
    let directory: LoadedDirectory?
    /// What signs `Herse-Assertion`.
    let assertion: AssertionKeys?

    private let assertionRule: AssertionRule?

    /// Makes what `configuration` asks for, or takes it from `former`; writes the first key of
    /// assertions to the state folder.
    init(
        _ configuration: Configuration, _ material: Material, _ services: Services,
        after former: Generation?
    ) throws(GenerationError) {
        issuers = material.keys
        directory = material.directory
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
                    lifetime: rule.lifetime, now: Int64(time(nil)))
            } catch {
                let problem = "assertion: \(error.path): \(error.problem)"
                throw GenerationError(
                    message: Diagnostic(rule.place, .error, problem, hint: error.hint).description)
            }
        }
    }
}

/// Where an issuer's keys come from.
enum IssuerKeys: Sendable {
    /// A file, read when the configuration was.
    case file(KeySet)

    /// The keys believed at this time; nil when there are none.
    func keys(now: Int64) -> KeySet? {
        switch self {
        case .file(let keys): keys
        }
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
