// ProofSections.swift: origins, credentials, refusals, what is unknown, and the proof of it all.

internal import RecordReading

extension Telling {
    private func table(
        _ caption: String, _ head: String, _ ledger: Ledger, shown: Bool = true
    ) -> Markup {
        let ranked = ledger.ranked
        guard !ranked.isEmpty else { return .empty }
        let heads =
            [head, ">" + say("Accès", "Accesses")]
            + (shown ? [">" + say("Identités", "Identities")] : [])
            + [say("Première fois", "First"), say("Dernière fois", "Last")]
        let rows = ranked.prefix(40).map { value, met in
            [code(value), number(met.count)] + (shown ? [number(met.shown)] : []) + ends(met)
        }
        let rest = ranked.count - rows.count
        return Dossier.table(caption, heads, rows)
            + (rest == 0 && ledger.beyond == 0
                ? .empty
                : paragraph(
                    say(
                        "Et \(language.number(rest)) autres valeurs : voir accesses.csv.",
                        "And \(language.number(rest)) other values: see accesses.csv.")))
    }

    var originsSection: Markup {
        section(
            "origins", say("Origines", "Origins"),
            table(
                say("Adresses d’où venaient les accès", "Addresses that accesses came from"),
                say("Adresse", "Address"), reckoning.origins),
            table(
                say(
                    "Chaînes d’adresses que les clients déclarent (non vérifiées)",
                    "Chains of addresses that clients claim (not verified)"),
                say("Chaîne", "Chain"), reckoning.forwards),
            table(
                say(
                    "Adresses d’où venaient des requêtes refusées",
                    "Addresses that refused requests came from"), say("Adresse", "Address"),
                reckoning.refusedOrigins, shown: false),
            paragraph(
                say(
                    "Derrière un proxy e-santé ou un établissement, l’adresse est partagée par de nombreux professionnels. Le port de chaque accès est dans accesses.csv.",
                    "Behind an e-health proxy or a hospital, many professionals share an address. The port of every access is in accesses.csv."
                )))
    }

    var credentialsSection: Markup {
        let tables = Credential.allCases.map { kind in
            table(
                kind.words(language), kind.words(language),
                reckoning.credentials[kind] ?? Ledger())
        }
        return section(
            "credentials", say("Sessions et preuves d’identité", "Sessions and credentials"),
            tables.together)
    }

    var refusalsSection: Markup {
        func rows(_ ledger: Ledger, _ when: String) -> [[Markup]] {
            ledger.ranked.map { why, met in
                [.text(when), .text(words(ofRefusal: why, language)), number(met.count)] + ends(met)
            }
        }
        let rows =
            rows(reckoning.refusalsBefore, say("avant", "before"))
            + rows(reckoning.refusals, say("pendant", "during"))
            + rows(reckoning.refusalsAfter, say("après", "after"))
        let withheld = reckoning.withheld.filter { reckoning.patients[$0] == nil }.count
        return section(
            "refusals", say("Tentatives sans résultat", "Attempts in vain"),
            rows.isEmpty
                ? paragraph(say("Aucune requête refusée.", "No request was refused."))
                : Dossier.table(
                    say(
                        "Requêtes refusées, avant, pendant et après la période",
                        "Refused requests, before, during and after the period"),
                    [
                        say("Période", "Period"), say("Pourquoi", "Why"),
                        ">" + say("Requêtes", "Requests"), say("Première", "First"),
                        say("Dernière", "Last"),
                    ], rows),
            list([
                .text(
                    say(
                        "Recherches qui n’ont trouvé personne : \(language.number(reckoning.misses.count)).",
                        "Searches that found nobody: \(language.number(reckoning.misses.count)).")),
                .text(
                    say(
                        "Réponses retenues entières par un plafond : \(language.number(reckoning.withheldAnswers)) ; \(counted(withheld, .patients)) de ces réponses n’ont été affichés à aucun moment et ne sont pas dans patients.csv.",
                        "Answers that a limit withheld whole: \(language.number(reckoning.withheldAnswers)); \(counted(withheld, .patients)) of these answers were never shown and are not in patients.csv."
                    )),
                .text(
                    say(
                        "Autres réponses sans identité de patient : \(language.number(reckoning.withoutPatients.count)).",
                        "Other answers without any patient’s identity: \(language.number(reckoning.withoutPatients.count))."
                    )),
            ]),
            paragraph(
                .text(say("Une par une : ", "One by one: ")), code("attempts.csv"), .text(".")))
    }

    var unknownSection: Markup {
        let unparsed = reckoning.unparsedShown.map { access -> [Markup] in
            let entry = access.entry
            return [
                moment(entry.time), code(account(of: entry)), code(entry.route),
                .text(entry.unparsed), number(entry.assumed), .text(String(entry.sequence)),
            ]
        }
        let aborted = reckoning.abortedShown.filter { !$0.entry.persons.isEmpty }
            .map { access -> [Markup] in
                let entry = access.entry
                return [
                    moment(entry.time), code(account(of: entry)), number(entry.persons.count),
                    .text(access.bytes.map { language.number($0) } ?? "–"),
                    .text(String(entry.sequence)),
                ]
            }
        return section(
            "unknown", say("Ce qui reste incertain", "What stays uncertain"),
            paragraph(
                say(
                    "Réponses délivrées dont les patients n’ont pas pu être compris : \(language.number(reckoning.unparsed.count)), comptées pour au plus \(counted(reckoning.assumed, .patients)) inconnus.",
                    "Answers delivered whose patients could not be understood: \(language.number(reckoning.unparsed.count)), counted for at most \(counted(reckoning.assumed, .patients)) unknown."
                )),
            unparsed.isEmpty
                ? .empty
                : Dossier.table(
                    say("Réponses non comprises", "Answers not understood"),
                    [
                        say("Quand", "When"), say("Compte", "Account"), say("Route", "Route"),
                        say("Pourquoi", "Why"), ">" + say("Au plus", "At most"),
                        ">" + say("Entrée", "Entry"),
                    ], unparsed),
            paragraph(
                say(
                    "Livraisons interrompues : \(language.number(reckoning.aborted.count)), dont \(language.number(reckoning.leftNothing)) avant le premier octet. Leurs patients sont comptés comme affichés. Des octets remis au réseau ont pu ne pas être reçus.",
                    "Deliveries cut short: \(language.number(reckoning.aborted.count)), \(language.number(reckoning.leftNothing)) of them before the first byte. Their patients count as shown. Bytes handed to the network may not have been received."
                )),
            aborted.isEmpty
                ? .empty
                : Dossier.table(
                    say("Livraisons interrompues", "Deliveries cut short"),
                    [
                        say("Quand", "When"), say("Compte", "Account"),
                        ">" + say("Patients", "Patients"),
                        ">" + say("Octets remis", "Bytes handed over"),
                        ">" + say("Entrée", "Entry"),
                    ], aborted))
    }

    /// The verdict on the record in one line.
    var verdictWords: String {
        switch order.integrity.verdict {
        case .verified where order.purged != nil:
            say(
                "vérifié à l’établissement de ce dossier : rien n’a été changé, mais des entrées ont été purgées (preuve signée)",
                "verified when this dossier was made: nothing was changed, but entries were purged (signed proof)"
            )
        case .verified:
            say(
                "vérifié à l’établissement de ce dossier : rien n’a été changé ni retiré",
                "verified when this dossier was made: nothing was changed or removed")
        case .partly:
            say(
                "vérifié en partie : voir « Intégrité et preuve »",
                "verified in part: see “Integrity and proof”")
        case .failed: say("VÉRIFICATION ÉCHOUÉE", "VERIFICATION FAILED")
        case .untried:
            say(
                "non vérifié par cette commande : voir herse record verify",
                "not verified by this command: see herse record verify")
        }
    }

    var integritySection: Markup {
        let integrity = order.integrity
        var rows: [(String, Markup)] = [
            (say("Résultat", "Result"), strong(verdictWords))
        ]
        if !integrity.origin.isEmpty {
            rows.append((say("Registre", "Record"), code(integrity.origin)))
        }
        if let size = integrity.size {
            rows.append((say("Taille de l’arbre", "Size of the tree"), number(size)))
        }
        if !integrity.root.isEmpty {
            rows.append((say("Racine (SHA-256)", "Root (SHA-256)"), code(integrity.root)))
        }
        rows += [
            (say("Entrées lues", "Entries read"), number(reckoning.entries)),
            (
                say("Horloge de la machine", "The machine’s clock"),
                .text(
                    reckoning.clocks.ranked.map {
                        "\($0.value): \(language.number($0.met.count))"
                    }.joined(separator: ", ").nonEmpty
                        ?? say("non précisée", "not told"))
            ),
        ]
        let ranges = reckoning.numbers.ranges
        let shown = ranges.prefix(200).map(EntryRanges.shown).joined(separator: ", ")
        let isCut = ranges.count > 200 || reckoning.numbers.isCut
        return section(
            "integrity", say("Intégrité et preuve", "Integrity and proof"),
            facts(say("Le registre", "The record"), rows),
            list(integrity.problems.prefix(50).map { .text($0) }),
            integrity.checkpoint.isEmpty
                ? .empty
                : paragraph(
                    say(
                        "Dernier point de contrôle signé par la passerelle :",
                        "Newest checkpoint, signed by the gate:"))
                    + .element("pre", [], .text(integrity.checkpoint)),
            paragraph(
                strong(
                    say(
                        "Entrées des \(counted(reckoning.numbers.count, .accesses)) : ",
                        "Entries of the \(counted(reckoning.numbers.count, .accesses)): ")),
                code(shown.isEmpty ? "–" : shown),
                .text(
                    isCut
                        ? say(" … (suite dans accesses.csv)", " … (the rest in accesses.csv)") : "")
            ),
            paragraph(
                .text(
                    say(
                        "Chaque entrée peut être prouvée seule : ",
                        "Each entry can be proven by itself: ")), code("herse record prove"),
                .text(
                    say(
                        ". Les sommes SHA-256 de tous les fichiers de ce dossier sont dans ",
                        ". The SHA-256 sums of all files of this dossier are in ")),
                code("SHA256SUMS"),
                .text(
                    say(
                        " ; elles se vérifient par ", "; they are checked by ")),
                code("sha256sum -c SHA256SUMS"), .text(".")))
    }

    var filesSection: Markup {
        let files: [(String, String)] = [
            (
                "authority.\(language.rawValue).html",
                say(
                    "les chiffres du formulaire de notification à la CNIL",
                    "the figures that the authority’s notification form asks")
            ),
            (
                "patients.csv",
                say(
                    "chaque patient affiché, avec ses données, dates, comptes et structures",
                    "every patient shown, with data, dates, accounts and structures")
            ),
            (
                "accesses.csv",
                say(
                    "chaque accès, une ligne par patient affiché",
                    "every access, a row for each patient shown")
            ),
            (
                "attempts.csv",
                say(
                    "chaque requête refusée ou sans résultat",
                    "every request that was refused or found nobody")
            ),
            (
                "accounts.csv",
                say("chaque compte avec tous ses chiffres", "every account with all its figures")
            ),
            (
                "events.csv",
                say("connexions et ordres d’administrateurs", "sign-ins and administrators’ orders")
            ),
            ("structures/", say("la part de chaque structure", "each structure’s part")),
            (
                "letters/",
                say(
                    "une lettre par patient, et de quoi les publiposter",
                    "a letter to each patient, and what a mail merge needs")
            ),
        ]
        return section(
            "files", say("Les fichiers et comment les lire", "The files and how to read them"),
            facts(say("Fichiers", "Files"), files.map { ($0.0, .text($0.1)) }),
            list([
                .text(
                    say(
                        "Les CSV suivent la RFC 4180 : UTF-8, virgules. Une cellule qu’un tableur prendrait pour une formule commence par une apostrophe.",
                        "CSV files are of RFC 4180: UTF-8, commas. A cell that a spreadsheet would take for a formula begins with an apostrophe."
                    )),
                .text(
                    say(
                        "Une identité est comptée affichée quand sa réponse a été enregistrée avant de partir. Un patient connu sous deux identifiants sans lien compte deux fois.",
                        "An identity counts as shown when its answer was recorded before it left. A patient known by two identifiers without a link counts twice."
                    )),
                .text(
                    Paris.isKnown
                        ? say(
                            "Les heures sont celles de Paris (Europe/Paris), suivies de l’heure UTC.",
                            "Times are those of Paris (Europe/Paris), followed by UTC.")
                        : say("Les heures sont UTC.", "Times are UTC.")),
                .text(
                    say(
                        "Ce dossier contient des données personnelles de santé : ne le transmettez que par un moyen chiffré, à qui doit le recevoir.",
                        "This dossier holds personal data from health care: pass it on by encrypted means only, to those who must have it."
                    )),
            ]))
    }
}

extension String {
    fileprivate var nonEmpty: String? {
        let isNothing = isEmpty || self == ": "
        return isNothing ? nil : self
    }
}
