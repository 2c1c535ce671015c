// AuthorityPage.swift: what the CNIL's notification form asks, in its order, and what CERT Santé asks.
//
// What no gate can know is left to be completed; what is only likely is said to be a proposal.

internal import RecordReading

extension Telling {
    var authorityPage: Page {
        let title = say("Notification à l’autorité", "Notification to the authority")
        let body: [Markup] = [
            .element("h1", [], .text(title)),
            paragraph(
                say(
                    "Chiffres pour le téléservice de notification de la CNIL (articles 33 et 34 du RGPD), établis à partir du registre de la passerelle. Ce qui suit « à compléter » n’est pas connu d’elle ; une proposition est à relire.",
                    "Figures for the CNIL’s notification service (GDPR, articles 33 and 34), taken from the gate’s record. What is “to be completed” the gate does not know; a proposal is to be read again."
                )),
            deadline, whoAndWhen, whoAndWhat, consequences, measures, information, otherDuties,
        ]
        return Page(language: language, title: title, body: body.together)
    }

    private var deadline: Markup {
        guard let discovered = order.discovered, let deadline = order.deadline else {
            return warning(
                say(
                    "Date de découverte inconnue : donnez --discovered. La CNIL est à notifier dans les 72 heures.",
                    "Date of discovery unknown: give --discovered. The CNIL is to be notified within 72 hours."
                ))
        }
        guard order.made <= deadline else {
            return warning(
                say(
                    "Le délai de 72 heures depuis la découverte (\(minute(discovered))) a expiré le \(minute(deadline)) : notifiez sans attendre et donnez les motifs du retard.",
                    "The 72 hours since the discovery (\(minute(discovered))) ended \(minute(deadline)): notify at once, and give reasons for the delay."
                ))
        }
        return warning(
            say(
                "À notifier au plus tard le \(minute(deadline)) : 72 heures après la découverte. Il restait \(language.span(deadline - order.made)) à l’établissement de cette page. Une notification initiale incomplète vaut mieux qu’une tardive.",
                "To be notified by \(minute(deadline)): 72 hours after the discovery. \(language.span(deadline - order.made)) were left when this page was made. An incomplete initial notification is better than a late one."
            ))
    }

    private var whoAndWhen: Markup {
        let accesses = reckoning.accesses
        let isOngoing = reckoning.neutralizations.isEmpty || reckoning.accessesAfter.count > 0
        return section(
            "when", say("1. Notification et dates", "1. Notification and dates"),
            facts(
                say("Notification", "Notification"),
                [
                    (
                        say("Type", "Type"),
                        .text(say("initiale / complémentaire : ", "initial / complementary: "))
                            + blank
                    ),
                    (say("Organisme", "Organisation"), given(order.operatorName)),
                    (
                        say("Délégué à la protection des données", "Data protection officer"),
                        given(order.protectionOfficer)
                    ),
                    (say("Contact", "Contact"), given(order.contact)),
                    (
                        say(
                            "Autres organismes concernés (sous-traitants, structures)",
                            "Other organisations concerned (processors, structures)"),
                        .text(
                            say(
                                "voir « Part de chaque structure » dans le dossier ; sous-traitants : ",
                                "see “Each structure’s part” in the dossier; processors: ")) + blank
                    ),
                    (
                        say("Début de la violation", "Begin of the breach"),
                        accesses.count > 0 ? moment(accesses.first) : blank
                    ),
                    (
                        say("Fin de la violation", "End of the breach"),
                        accesses.count > 0
                            ? moment(accesses.last)
                                + .text(
                                    isOngoing
                                        ? say(" — peut-être encore en cours", " — possibly ongoing")
                                        : "")
                            : blank
                    ),
                    (
                        say("Durée", "Duration"),
                        accesses.count > 0
                            ? .text(language.span(accesses.last - accesses.first)) : blank
                    ),
                    (say("Découverte", "Discovery"), order.discovered.map { moment($0) } ?? blank),
                    (say("Circonstances de la découverte", "How it was discovered"), blank),
                    (say("Motifs d’un retard éventuel", "Reasons for a delay, if any"), blank),
                ]))
    }

    private var whoAndWhat: Markup {
        let accesses = reckoning.accesses
        let signs = reckoning.standings.count { $0.tally.accesses.count > 0 }
        return section(
            "what", say("2. Nature, personnes et données", "2. Nature, persons and data"),
            facts(
                say("Nature de la violation", "Nature of the breach"),
                [
                    (
                        say("Perte de", "Loss of"),
                        .text(
                            say(
                                "confidentialité (consultation non autorisée) ; intégrité et disponibilité : ",
                                "confidentiality (unauthorised consultation); integrity and availability: "
                            )) + blank
                    ),
                    (
                        say("Nature de l’incident", "Kind of incident"),
                        .text(
                            say(
                                "proposition : acte externe malveillant, usage de \(counted(signs, .accounts)) de professionnels de santé (usurpation d’identité)",
                                "proposal: malicious external act, use of \(counted(signs, .accounts)) of health professionals (impersonation)"
                            ))
                    ),
                    (
                        say("Moyens de preuve employés", "Proofs used"),
                        .text(
                            (reckoning.credentials[.method]?.ranked ?? []).map {
                                "\($0.value) (\(language.number($0.met.count)))"
                            }.joined(separator: ", "))
                    ),
                ]),
            facts(
                say("Personnes et enregistrements", "Persons and records"),
                [
                    (
                        say("Catégories de personnes", "Categories of persons"),
                        .text(
                            say(
                                "patients ; mineurs et personnes vulnérables parmi eux : ",
                                "patients; minors and vulnerable persons among them: ")) + blank
                    ),
                    (say("Nombre de personnes", "Number of persons"), strong(extent)),
                    (
                        say("Catégories d’enregistrements", "Categories of records"),
                        .text(
                            say(
                                "identités de patients d’un serveur d’identités ; autres : ",
                                "patients’ identities of an identity server; others: "
                            )) + blank
                    ),
                    (
                        say("Nombre d’enregistrements", "Number of records"),
                        .text(
                            say(
                                "\(language.number(accesses.shown)) identités affichées en \(counted(accesses.count, .accesses))",
                                "\(language.number(accesses.shown)) identities shown in \(counted(accesses.count, .accesses))"
                            ))
                    ),
                ]),
            Dossier.table(
                say("Catégories de données", "Categories of data"),
                [say("Donnée", "Data"), ">" + say("Personnes", "Persons")],
                fields.map { [.text($0.0.sentence(language)), number($0.1)] }),
            paragraph(
                say(
                    "L’INS, formé du numéro de sécurité sociale, est une donnée dont la divulgation aggrave le risque : signalez-la si elle figure ci-dessus.",
                    "The INS, made of the social security number, makes the risk graver: point it out if it is in the list above."
                )))
    }

    private var consequences: Markup {
        section(
            "consequences", say("3. Conséquences probables", "3. Likely consequences"),
            paragraph(say("Proposition, à relire :", "Proposal, to be read again:")),
            list([
                .text(
                    say(
                        "perte de confidentialité de données d’état civil et de coordonnées, dont une partie ne se change pas ;",
                        "loss of confidentiality of civil status and contact details, some of which cannot be changed;"
                    )),
                .text(
                    say(
                        "hameçonnage ciblé par courriel, SMS ou téléphone, au nom d’un établissement ou de l’assurance maladie ;",
                        "targeted phishing by e-mail, text message or telephone, in the name of a hospital or the health insurance;"
                    )),
                .text(
                    say(
                        "usurpation d’identité, surtout si le numéro de sécurité sociale a été affiché ;",
                        "identity theft, above all where the social security number was shown;")),
                .text(
                    say(
                        "révélation du fait d’être suivi par un établissement donné.",
                        "disclosure of the fact of being cared for by a given hospital.")),
            ]),
            facts(
                say("Estimation", "Estimate"),
                [
                    (
                        say(
                            "Gravité (négligeable, limitée, importante, maximale)",
                            "Severity (negligible, limited, significant, maximal)"), blank
                    )
                ]))
    }

    private var measures: Markup {
        let orders = reckoning.orders.prefix(50).map { order -> [Markup] in
            [
                moment(order.time),
                .text(
                    order.act == "neutralize"
                        ? say("neutralisation : ", "neutralized: ") : order.act + say(" : ", ": "))
                    + order.subjects.prefix(10).map { code($0) + .text(" ") }.together,
                code(order.by), .text(order.ticket), .text(String(order.sequence)),
            ]
        }
        let refused = reckoning.refusals.entries.values.reduce(0) { $0 + $1.count }
        let after = reckoning.refusalsAfter.entries.values.reduce(0) { $0 + $1.count }
        return section(
            "measures", say("4. Mesures", "4. Measures"),
            paragraph(
                strong(say("Avant la violation : ", "Before the breach: ")),
                .text(
                    say(
                        "preuve d’identité de chaque professionnel exigée par une passerelle ; registre durable de chaque divulgation ; pendant la période, refus : \(counted(refused, .requests)), dont pour un plafond, la réponse étant retenue : \(language.number(reckoning.withheldAnswers)). À compléter : ",
                        "a gate asks every professional for a proof of identity; a durable record of every disclosure; \(counted(refused, .requests)) refused in the period, \(language.number(reckoning.withheldAnswers)) of them answers withheld by a limit. To be completed: "
                    )), blank),
            orders.isEmpty
                ? warning(
                    say(
                        "Aucune neutralisation n’est dans le registre : les comptes sont-ils coupés ?",
                        "No neutralization is on record: are the accounts cut off?"))
                : Dossier.table(
                    say("Mesures prises, telles qu’enregistrées", "Measures taken, as recorded"),
                    [
                        say("Quand", "When"), say("Mesure", "Measure"), say("Par", "By"),
                        say("Ticket", "Ticket"), ">" + say("Entrée", "Entry"),
                    ], orders),
            paragraph(
                say(
                    "Requêtes refusées après la période : \(language.number(after)).",
                    "Requests refused after the period: \(language.number(after)).")),
            paragraph(
                strong(say("Mesures prévues : ", "Measures planned: ")), blank))
    }

    private var information: Markup {
        section(
            "information", say("5. Information des personnes", "5. Information of the persons"),
            facts(
                say("Information (article 34 du RGPD)", "Information (GDPR, article 34)"),
                [
                    (say("Personnes informées ?", "Persons informed?"), blank),
                    (say("Date, ou date prévue", "Date, or date planned"), blank),
                    (
                        say("Moyen", "Means"),
                        .text(
                            say(
                                "proposition : courrier individuel, modèle joint (letters/)",
                                "proposal: individual letter, template attached (letters/)"))
                    ),
                    (say("Nombre de personnes informées", "Number of persons informed"), blank),
                    (
                        say(
                            "Personnes d’autres pays de l’Union",
                            "Persons in other countries of the Union"), blank
                    ),
                ]))
    }

    private var otherDuties: Markup {
        section(
            "others", say("6. Autres déclarations", "6. Other declarations"),
            list([
                .text(
                    say(
                        "CERT Santé et ARS, sans délai (article L. 1111-8-2 du code de la santé publique) : signalement.social-sante.gouv.fr. Mêmes dates et mêmes chiffres ; incident qui touche la confidentialité, plusieurs structures : \(counted(reckoning.structureTallies.values.count { $0.accesses.count > 0 }, .structures)).",
                        "CERT Santé and ARS, without delay (article L. 1111-8-2, code de la santé publique): signalement.social-sante.gouv.fr. The same dates and figures; an incident of confidentiality that touches \(counted(reckoning.structureTallies.values.count { $0.accesses.count > 0 }, .structures))."
                    )),
                .text(
                    say(
                        "Structures partenaires : remettez à chacune sa part (structures/). Elles sont souvent responsables de traitement elles-mêmes et doivent alors notifier à leur tour.",
                        "Partner structures: hand each its part (structures/). They are often controllers themselves and must then notify too."
                    )),
                .text(
                    say(
                        "Plainte : remettez ce dossier avec SHA256SUMS et une copie du registre ; ne modifiez aucun fichier.",
                        "Criminal complaint: hand in this dossier with SHA256SUMS and a copy of the record; change no file."
                    )),
            ]))
    }
}
