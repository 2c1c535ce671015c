// ReportingProofs.swift: how the ways to prove who one is are, for `herse status` and `sessions`.

internal import Alerts
internal import Directory
internal import Identity
internal import Issuers
internal import Neutralization
internal import Policy
internal import Revocation
internal import SignIn
internal import Tokens
internal import Wire

extension ControlPlane {
    /// Everybody who is signed in with a browser, or one professional's sessions.
    func signedIn(_ professional: String?) -> [SessionReport] {
        let moment = now.value
        let issuers = generation.configuration.authentication.issuers
        func seconds(_ difference: Int64) -> UInt64 { UInt64(clamping: max(0, difference)) }
        let sessions = services.sessions.all().filter {
            professional == nil || $0.professional.description == professional
        }
        return sessions.sorted { $0.beganAt < $1.beganAt }.map { session in
            var report = SessionReport(
                method: session.method.rawValue, peer: session.peer,
                ageSeconds: seconds(moment - session.beganAt))
            report.kind = .session
            report.professional = session.professional.description
            report.structure = session.structure
            report.level = session.level.rawValue
            report.issuer = issuers.first { $0.issuer == session.issuer }?.name
            report.account = session.account
            report.session = session.publicID
            report.idleSeconds = seconds(moment - session.lastSeen)
            report.endsInSeconds = seconds(session.absoluteEnd - moment)
            if let certificate = session.proof.certificate {
                report.certificate = "sha256:\(Fingerprint(certificate.span).hex)"
            }
            return report
        }
    }

    func issuerStatus(_ generation: Generation) -> [IssuerStatus] {
        let rules = generation.configuration.authentication.issuers
        return generation.ways.issuers.enumerated().map { index, desk in
            if let fixed = desk.fixed {
                return IssuerStatus(name: rules[index].name, state: "fresh", keys: fixed.count)
            }
            guard let report = desk.issuer?.report(now: now.value) else {
                return IssuerStatus(name: rules[index].name, state: "unknown", keys: 0)
            }
            return IssuerStatus(
                name: report.name, state: report.state.rawValue, keys: report.keys,
                ageSeconds: report.age, remainingSeconds: report.remaining,
                problem: report.problem)
        }
    }

    /// What an operator has to know of issuers, one sentence each.
    func issuerShortcomings(_ issuers: [IssuerStatus]) -> [Shortcoming] {
        issuers.compactMap { issuer in
            let why = issuer.problem.map { ": \($0)" } ?? ""
            let name = "issuer `\(issuer.name)`"
            switch issuer.state {
            case "unknown":
                let text = "\(name): no keys, its tokens are refused\(why)"
                return Shortcoming(.issuerStale, name, text)
            case "stale":
                let text = "\(name): keys are not fetched any more\(why)"
                return Shortcoming(.issuerStale, name, text)
            default: return nil
            }
        }
    }

    /// The revocation lists of addresses.
    func fetchedListReports(_ generation: Generation) -> [ListReport] {
        let moment = now.value
        var reports: [ListReport] = []
        for (index, desk) in generation.ways.revocation.enumerated() {
            for source in desk?.sources ?? [] {
                let report = source.report(now: moment)
                let list = generation.listeners[index].settings.anchors.lists.first {
                    $0.file == source.settings.url
                }
                let entries = list?.entryCount ?? 0
                let isOver = report.nextUpdate.map { $0 <= moment } ?? false
                let state =
                    switch report.state {
                    case .missing: "unknown"
                    case .stale: "stale"
                    case .fresh: isOver ? "stale" : entries == 0 ? "empty" : "fresh"
                    }
                reports.append(
                    ListReport(
                        kind: "revocation", name: source.settings.url, state: state,
                        entries: entries, ageSeconds: report.age,
                        nextUpdate: report.nextUpdate.map { UnixSeconds($0).description }))
            }
        }
        return reports
    }

    func directoryStatus(_ generation: Generation) -> DirectoryStatus? {
        generation.ways.directory.map { loaded in
            DirectoryStatus(
                people: loaded.directory.listedCount, left: loaded.directory.leftCount,
                ageSeconds: now.value - loaded.changed)
        }
    }

    func signInStatus(_ generation: Generation) -> SignInStatus? {
        guard generation.ways.signIn != nil else { return nil }
        let (signIn, recognition) = (
            services.lanes.signIn.report, services.lanes.recognition.report
        )
        return SignInStatus(
            sessions: services.sessions.count, waiting: signIn.waiting + recognition.waiting,
            refused: signIn.refused + recognition.refused)
    }
}
