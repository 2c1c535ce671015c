// RevocationDesk.swift: what a listener knows of revocation from others: lists that are fetched,
// responders that are asked, and the response that is stapled to its own certificate.

internal import Outbound
internal import Policy
internal import Revocation
internal import Synchronization
internal import Wire

/// One listener's; kept over a reload while nothing of its settings or authorities changes.
final class RevocationDesk: Sendable {
    let sources: [CRLSource]
    /// Who is asked about clients' certificates.
    let responder: OCSPClient?
    /// Whether a certificate passes that nobody can answer about.
    let acceptsUnavailable: Bool
    let stapling: Stapling?
    private let terms: Terms

    /// What makes one desk another.
    private struct Terms: Equatable {
        var sources: [CRLSettings]
        var responder: OCSPSettings?
        var staple: OCSPSettings?
        /// DER of those who may sign lists, and of our own certificates.
        var certificates: [[UInt8]]
    }

    /// Our own certificate's responder, and what it said.
    final class Stapling: Sendable {
        let client: OCSPClient
        let question: OCSPQuestion
        let staple = Staple()
        /// Seconds since 1970 at which the next response is asked for.
        let renewAt = Mutex<Int64>(.min)

        init(client: OCSPClient, question: OCSPQuestion) {
            self.client = client
            self.question = question
        }
    }

    private init(_ terms: Terms, _ rule: OCSPRule?, _ material: ListenerMaterial, now: Int64) {
        self.terms = terms
        let authorities = material.fileSettings.anchors.authorities
        sources = terms.sources.map { settings in
            CRLSource(settings, now: now) { der in
                guard let list = RevocationList(der: der, from: settings.url) else {
                    return "is no revocation list"
                }
                return authorities.contains { list.isOf($0) }
                    ? nil : "is not signed by any client authority"
            }
        }
        responder = terms.responder.map { OCSPClient($0) }
        acceptsUnavailable = rule?.acceptsUnavailable ?? false
        let chain = material.fileSettings.credentials.first?.chain ?? []
        if let settings = terms.staple, chain.count > 1,
            let question = OCSPQuestion(certificate: chain[0].der, issuer: chain[1].der)
        {
            stapling = Stapling(client: OCSPClient(settings), question: question)
        } else {
            stapling = nil
        }
    }

    /// The desk of a listener, or `former` if it is still the same; nil when it asks nobody.
    static func made(
        _ listener: Listener, _ material: ListenerMaterial, state: String,
        after former: RevocationDesk?, now: Int64
    ) -> RevocationDesk? {
        let tls = listener.tls
        guard tls.ocsp != nil || !tls.revocationSources.isEmpty else { return nil }
        func settings(_ url: String, _ rule: OCSPRule) -> OCSPSettings {
            var settings = OCSPSettings(url: url)
            settings.tls.authorities = rule.authorities?.path
            settings.cache = rule.cache
            return settings
        }
        let anchors = material.fileSettings.anchors
        let terms = Terms(
            sources: tls.revocationSources.map { source in
                var settings = CRLSettings(url: source.url)
                settings.tls.authorities = source.authorities?.path
                settings.refresh = source.refresh
                settings.stale = source.stale
                settings.stateFolder = state + "/revocation"
                return settings
            },
            responder: tls.ocsp.flatMap { rule in rule.url.map { settings($0, rule) } },
            staple: tls.ocsp.flatMap { rule in rule.stapleURL.map { settings($0, rule) } },
            certificates: anchors.authorities.map(\.der)
                + (material.fileSettings.credentials.first?.chain.map(\.der) ?? []))
        if let former, former.terms == terms,
            former.acceptsUnavailable == (tls.ocsp?.acceptsUnavailable ?? false)
        {
            return former
        }
        return RevocationDesk(terms, tls.ocsp, material, now: now)
    }

    /// The lists at hand that were fetched.
    var lists: [RevocationList] {
        sources.compactMap { source in
            source.list.flatMap { RevocationList(der: $0, from: source.settings.url) }
        }
    }

    /// Asks for a fresh response to staple, if its time has come; blocks.
    ///
    /// Returns what went wrong.
    func renewStaple(now: Int64) -> String? {
        guard let stapling, stapling.renewAt.withLock({ $0 <= now }) else { return nil }
        // Asked again in a minute, should it fail.
        stapling.renewAt.withLock { $0 = now + 60 }
        do throws(OCSPProblem) {
            let response = try stapling.client.staple(stapling.question, now: now)
            stapling.staple.replace(response.response, until: response.until)
            stapling.renewAt.withLock { $0 = max(response.renewAt, now + 60) }
            return nil
        } catch {
            return error.description
        }
    }
}
