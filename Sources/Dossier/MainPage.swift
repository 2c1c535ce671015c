// MainPage.swift: dossier.fr.html and dossier.en.html: the whole, for those who must answer for it.

internal import RecordReading

extension Telling {
    /// The dossier itself.
    var mainPage: Page {
        let title = say("Dossier de violation de données", "Data breach dossier")
        let sections: [Markup] = [
            .element("h1", [], .text(title)), summary, chronology, volumes, accountsSection,
            structuresSection, patientsSection, originsSection, credentialsSection,
            refusalsSection, unknownSection, integritySection, filesSection,
        ]
        return Page(language: language, title: title, body: sections.together)
    }

    private var scopeRows: [(String, Markup)] {
        let scope = reckoning.scope
        return [
            (
                say("Objet", "About"),
                subject.enumerated().map { index, kind in
                    (index > 0 ? Markup.element("br") : .empty) + kind
                }.together
            ),
            (
                say("Période examinée", "Period examined"),
                .text(
                    say(
                        "du \(minute(scope.from)) au \(minute(scope.to))",
                        "from \(minute(scope.from)) to \(minute(scope.to))"))
            ),
            (say("Exploitant", "Operator"), given(order.operatorName)),
            (
                say("Établi le", "Made"),
                moment(order.made) + .text(say(" par ", " by ")) + code(order.version)
            ),
        ]
    }

    private var summary: Markup {
        let accesses = reckoning.accesses
        var rows: [(String, Markup)] = [
            (
                say("Patients dont l’identité a été affichée", "Patients whose identity was shown"),
                strong(extent)
            ),
            (
                say("Accès (réponses délivrées)", "Accesses (answers delivered)"),
                number(accesses.count)
            ),
            (
                say(
                    "Identités affichées (un patient autant de fois qu’affiché)",
                    "Identities shown (a patient as often as shown)"), number(accesses.shown)
            ),
            (
                say("Données affichées", "Data shown"),
                .text(allFields.sentence(language))
            ),
        ]
        if accesses.count > 0 {
            rows += [
                (say("Premier accès", "First access"), moment(accesses.first)),
                (say("Dernier accès", "Last access"), moment(accesses.last)),
                (say("Durée", "Duration"), .text(language.span(accesses.last - accesses.first))),
            ]
        }
        rows += [
            (
                say("Neutralisation", "Neutralization"),
                reckoning.neutralizations.first.map {
                    moment($0.time) + .text(say(", par ", ", by ")) + code($0.by)
                }
                    ?? .text(
                        say("aucune dans le registre après ce début", "none in the record"))
            ),
            (
                say("Comptes, structures, adresses", "Accounts, structures, addresses"),
                .text(
                    [
                        counted(actingAccounts, .accounts),
                        counted(
                            reckoning.structureTallies.values.count { $0.accesses.count > 0 },
                            .structures),
                        counted(reckoning.origins.entries.count, .addresses),
                    ].joined(separator: ", "))
            ),
            (say("Intégrité du registre", "Integrity of the record"), .text(verdictWords)),
        ]
        return [
            facts(say("Ce dossier", "This dossier"), scopeRows),
            warnings,
            facts(say("L’essentiel", "In short"), rows), notice,
        ].together
    }

    private var actingAccounts: Int {
        reckoning.accountTallies.values.count { $0.accesses.count > 0 }
    }

    /// What must be known before anything else is read.
    private var warnings: Markup {
        var texts: [String] = []
        if reckoning.isEmpty {
            texts.append(
                say(
                    "Aucun patient n’a été affiché à ces comptes pendant cette période. Vérifiez les identifiants et la période avant de conclure.",
                    "Nobody was shown to these accounts in this period. Check identifiers and period before you conclude."
                ))
        }
        if order.integrity.verdict == .failed {
            texts.append(
                say(
                    "La vérification du registre a échoué : ce dossier ne prouve rien tant que la cause n’est pas connue (voir « Intégrité »).",
                    "The record did not verify: this dossier proves nothing until the cause is known (see “Integrity”)."
                ))
        }
        if reckoning.accessesAfter.count > 0 {
            let after = counted(reckoning.accessesAfter.count, .accesses)
            texts.append(
                say(
                    "\(after) après la fin de la période, jusqu’au \(minute(reckoning.accessesAfter.last)), ne sont pas dans ce dossier : la période est-elle assez longue ?",
                    "\(after) after the end of the period, until \(minute(reckoning.accessesAfter.last)), are not in this dossier: is the period long enough?"
                ))
        }
        if reckoning.assumed > 0 {
            texts.append(
                say(
                    "Au plus \(counted(reckoning.assumed, .patients)) de plus, inconnus : leurs réponses n’ont pas pu être comprises.",
                    "At most \(counted(reckoning.assumed, .patients)) more, unknown: their answers could not be understood."
                ))
        }
        if let purged = order.purged {
            texts.append(
                say(
                    "Les entrées \(purged.begins) à \(purged.lastEntry), écrites du \(purged.first) au \(purged.last), ont été purgées (\(purged.purgedAt) : \(purged.reason)). Ce dossier ne peut rien dire des patients qu’elles montraient.",
                    "Entries \(purged.begins) to \(purged.lastEntry), written from \(purged.first) to \(purged.last), were purged (\(purged.purgedAt): \(purged.reason)). This dossier can say nothing of the patients they showed."
                ))
        }
        let unread = order.unreadableLines
        if unread > 0 || !order.brokenSegments.isEmpty {
            let segments = order.brokenSegments.count
            texts.append(
                say(
                    "Le registre n’a pas pu être lu en entier (\(counted(unread, .lines)), \(segments) segments) : il peut manquer des accès.",
                    "The record could not be read entirely (\(counted(unread, .lines)), \(segments) segments): accesses may be missing."
                ))
        }
        return texts.map { warning($0) }.together
    }

    /// The deadline.
    private var notice: Markup {
        guard let discovered = order.discovered, let deadline = order.deadline else {
            return paragraph(
                .text(
                    say(
                        "Date de découverte : ", "Date of discovery: ")), blank,
                .text(
                    say(
                        ". La notification à la CNIL est due dans les 72 heures qui suivent (article 33 du RGPD).",
                        ". The authority (CNIL) is to be notified within 72 hours of it (GDPR, article 33)."
                    )))
        }
        return warning(
            say(
                "Découverte le \(minute(discovered)) : notification à la CNIL au plus tard le \(minute(deadline)) (72 heures, article 33 du RGPD). Voir authority.fr.html.",
                "Discovered \(minute(discovered)): the authority (CNIL) is to be notified by \(minute(deadline)) (72 hours, GDPR article 33). See authority.en.html."
            ))
    }

    private var chronology: Markup {
        let reckoning = reckoning
        var moments: [(UInt64, Markup, UInt64?)] = []
        func add(_ time: UInt64, _ text: String, _ entry: UInt64? = nil) {
            moments.append((time, .text(text), entry))
        }
        func add(_ met: Frequency, _ first: String, _ last: String) {
            guard met.count > 0 else { return }
            add(met.first, first)
            if met.count > 1 { add(met.last, last) }
        }
        add(
            reckoning.accesses, say("premier accès à des patients", "first access to patients"),
            say("dernier accès à des patients", "last access to patients"))
        add(
            all(reckoning.refusalsBefore),
            say("première requête refusée avant la période", "first refusal before the period"),
            say("dernière requête refusée avant la période", "last refusal before the period"))
        add(
            all(reckoning.refusals), say("première requête refusée", "first refused request"),
            say("dernière requête refusée dans la période", "last refused request of the period"))
        add(
            all(reckoning.refusalsAfter),
            say("première requête refusée après la période", "first refusal after the period"),
            say("dernière requête refusée après la période", "last refusal after the period"))
        for (kind, met) in reckoning.timeline.signInKinds.ranked {
            let word = event(kind)
            add(
                met, say("premier événement « \(word) »", "first “\(word)”"),
                say(
                    "dernier événement « \(word) » (\(language.number(met.count)) en tout)",
                    "last “\(word)” (\(language.number(met.count)) in all)"))
        }
        for order in reckoning.orders.prefix(Self.rowsMax) {
            let what: Markup =
                .text(act(order.act) + say(" : ", ": ")) + named(order.subjects)
                + .text(say(" ; par ", "; by ")) + code(order.by)
                + .text(order.ticket.isEmpty ? "" : say(" ; ticket ", "; ticket "))
                + (order.ticket.isEmpty ? .empty : code(order.ticket))
                + .text(order.outcome.isEmpty ? "" : " (" + order.outcome + ")")
            moments.append((order.time, what, order.sequence))
        }
        if let discovered = order.discovered {
            add(discovered, say("découverte de la violation", "discovery of the breach"))
        }
        let rows = moments.sorted { $0.0 < $1.0 }.map { time, what, entry in
            [moment(time), what, .text(entry.map { String($0) } ?? "")]
        }
        return section(
            "timeline", say("Chronologie", "Timeline"),
            rows.isEmpty
                ? paragraph(say("Rien n’a été enregistré.", "Nothing was recorded."))
                : table(
                    say("Moments", "Moments"),
                    [say("Quand", "When"), say("Quoi", "What"), ">" + say("Entrée", "Entry")], rows),
            paragraph(
                .text(
                    say(
                        "Connexions et ordres un par un : ", "Sign-ins and orders one by one: ")),
                code("events.csv"), .text(".")))
    }

    private func all(_ ledger: Ledger) -> Frequency {
        ledger.entries.values.reduce(into: Frequency()) { sum, met in
            sum.count += met.count
            sum.first = min(sum.first, met.first)
            sum.last = max(sum.last, met.last)
        }
    }

    private func named(_ subjects: [String]) -> Markup {
        subjects.prefix(5).enumerated().map { index, subject in
            (index > 0 ? Markup.text(", ") : .empty) + code(subject)
        }.together + .text(subjects.count > 5 ? ", …" : "")
    }

    private func act(_ act: String) -> String {
        switch act {
        case "neutralize": say("neutralisation", "neutralized")
        case "reinstate": say("rétablissement", "reinstated")
        case _ where act.hasPrefix("grant"): say("dérogation à un plafond", "limit raised")
        default: act
        }
    }

    private func event(_ kind: String) -> String {
        let known: [String: (String, String)] = [
            "signed-in": ("connexion", "sign-in"), "signed-out": ("déconnexion", "sign-out"),
            "provider-logout": ("fin de session par le fournisseur", "provider’s logout"),
            "refused": ("connexion refusée", "sign-in refused"),
            "delayed": ("connexion retardée", "sign-in delayed"),
            "halfway": ("mot de passe accepté", "password accepted"),
            "enrolled": ("second facteur enregistré", "second factor enrolled"),
        ]
        return known[kind].map { say($0.0, $0.1) } ?? kind
    }
}
