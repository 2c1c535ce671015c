// MailWords.swift: what mails say, in English and French.

/// The words of one language.
struct MailWords {
    private let isFrench: Bool

    init(_ language: MailLanguage) { isFrench = language == .french }

    func severity(_ severity: AlertSeverity) -> String {
        guard isFrench else { return severity.rawValue }
        switch severity {
        case .emergency: return "urgence"
        case .alert: return "alerte"
        case .critical: return "critique"
        case .error: return "erreur"
        case .warning: return "avertissement"
        case .notice: return "avis"
        case .informational: return "information"
        case .debug: return "débogage"
        }
    }

    /// A kind in a few words.
    func title(_ kind: AlertKind) -> String { isFrench ? french(kind) : english(kind) }

    private func english(_ kind: AlertKind) -> String {
        switch kind {
        case .probing: "Somebody neutralized keeps trying"
        case .neutralized: "Somebody was neutralized"
        case .reinstated: "Somebody was reinstated"
        case .massOrder: "Many were neutralized at once"
        case .listStale: "A list is stale"
        case .listRefused: "A list was refused"
        case .journalFailed: "Orders cannot be made durable"
        case .recordFailed: "The record cannot be written"
        case .recordContradicted: "The record was changed"
        case .witnessBehind: "A witness does not see the record"
        case .recordRoom: "The record has little room left"
        case .serverUnreachable: "An identity server cannot be reached"
        case .issuerStale: "An issuer's keys cannot be fetched"
        case .signal: "An identity provider signals something"
        case .signalsStale: "Security events do not get through"
        case .certificateEnds: "A certificate ends"
        case .reloadRefused: "A reload was refused"
        case .rolledBack: "A reload was undone"
        case .started: "The gate has started"
        case .stopping: "The gate is stopping"
        case .alertFailed: "Alerts do not get through"
        case .degraded: "The gate is degraded"
        case .test: "This is a test"
        }
    }

    private func french(_ kind: AlertKind) -> String {
        switch kind {
        case .probing: "Tentatives répétées après neutralisation"
        case .neutralized: "Neutralisation prononcée"
        case .reinstated: "Rétablissement prononcé"
        case .massOrder: "Neutralisation en masse"
        case .listStale: "Liste périmée"
        case .listRefused: "Liste refusée"
        case .journalFailed: "Journal des neutralisations en échec"
        case .recordFailed: "Traces impossibles à écrire"
        case .recordContradicted: "Traces modifiées"
        case .witnessBehind: "Témoin des traces en retard"
        case .recordRoom: "Bientôt plus de place pour les traces"
        case .serverUnreachable: "Serveur d'identités injoignable"
        case .issuerStale: "Clés d'un émetteur impossibles à obtenir"
        case .signal: "Signal d'un fournisseur d'identité"
        case .signalsStale: "Signaux de sécurité non transmis"
        case .certificateEnds: "Certificat en fin de validité"
        case .reloadRefused: "Rechargement refusé"
        case .rolledBack: "Rechargement annulé"
        case .started: "Démarrage de la herse"
        case .stopping: "Arrêt de la herse"
        case .alertFailed: "Alertes non transmises"
        case .degraded: "Fonctionnement dégradé"
        case .test: "Ceci est un essai"
        }
    }

    /// What a fact or a line is called.
    func label(_ name: String) -> String {
        guard isFrench else { return name.prefix(1).uppercased() + name.dropFirst() }
        switch name {
        case "severity": return "Gravité"
        case "kind": return "Nature"
        case "time": return "Heure"
        case "host": return "Machine"
        case "incident": return "Incident"
        case "subject": return "Sujet"
        case "count": return "Nombre"
        case "since": return "Depuis"
        case "dropped": return "Alertes perdues"
        case FactName.by.rawValue: return "Par"
        case FactName.connections.rawValue: return "Connexions"
        case FactName.generation.rawValue: return "Génération"
        case FactName.sessions.rawValue: return "Sessions"
        case FactName.subjects.rawValue: return "Sujets"
        case FactName.ticket.rawValue: return "Ticket"
        case FactName.until.rawValue: return "Jusqu'à"
        default: return name
        }
    }

    var closing: String {
        isFrench
            ? "Message automatique de la herse ; les réponses ne sont pas lues."
            : "Sent by the gate itself; nobody reads replies."
    }
}
