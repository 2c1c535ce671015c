// WhoSections.swift: accounts, structures and patients of a dossier.

internal import RecordReading

extension Telling {
    var accountsSection: Markup {
        let standings = reckoning.standings
        let rows = standings.prefix(Self.rowsMax).map { standing -> [Markup] in
            let tally = standing.tally
            let signs = standing.signs.map { $0.words(language) }.joined(separator: ", ")
            return [
                code(standing.account), number(tally.patients), number(tally.accesses.count),
            ] + ends(tally.accesses) + [
                .text(reckoning.scope.isEverybody ? (signs.isEmpty ? "–" : signs) : usual(tally)),
                number(tally.refused + tally.misses),
            ]
        }
        let last =
            reckoning.scope.isEverybody ? say("Indices", "Signs") : say("Habitude", "Usual volume")
        return section(
            "accounts", say("Comptes", "Accounts"),
            rows.isEmpty
                ? paragraph(say("Aucun compte.", "No account."))
                : table(
                    say("Comptes qui ont fait des requêtes", "Accounts that made requests"),
                    [
                        say("Compte", "Account"), ">" + say("Patients", "Patients"),
                        ">" + say("Accès", "Accesses"), say("Premier", "First"),
                        say("Dernier", "Last"), last, ">" + say("Sans suite", "In vain"),
                    ], rows),
            more(standings.count, "accounts.csv"), ranking,
            paragraph(
                .text(
                    say(
                        "Tous les chiffres de chaque compte : ",
                        "All figures of every account: ")), code("accounts.csv"), .text(".")))
    }

    /// What a row of the table says of an account's days, beside those before the period.
    private func usual(_ tally: AccountTally) -> String {
        let now = language.number(median(tally.days.values))
        let most = language.number(tally.days.values.max() ?? 0)
        let here = say(
            "\(now) par jour actif (médiane ; au plus \(most))",
            "\(now) an active day (median; \(most) at most)")
        guard !tally.usualDays.isEmpty else {
            return here + say(" ; aucun accès avant la période", "; no access before the period")
        }
        let before = language.number(median(tally.usualDays.values))
        let peak = language.number(tally.usualDays.values.max() ?? 0)
        return here
            + say(
                " ; avant : \(before) (au plus \(peak), \(counted(tally.usualDays.count, .days)))",
                "; before: \(before) (\(peak) at most, \(counted(tally.usualDays.count, .days)))")
    }

    private var ranking: Markup {
        let days = (reckoning.scope.from - reckoning.scope.usualFrom) / 86_400_000
        let before = counted(days, .days)
        guard reckoning.scope.isEverybody else {
            return paragraph(
                say(
                    "L’habitude est celle des \(before) avant la période, en identités affichées par jour où il y en a eu.",
                    "The usual volume is that of the \(before) before the period, in identities shown on days with any."
                ))
        }
        return warning(
            say(
                "L’ordre des comptes est une aide à la lecture, non une preuve : il compte des indices (volume, régularité, heures, adresses, structures, échecs, plafonds). Un voleur discret peut n’en montrer aucun, un service d’urgences en montre plusieurs. Habitude : les \(before) avant la période.",
                "The order of accounts is an aid to reading, not a proof: it counts signs (volume, steadiness, hours, addresses, structures, failures, limits). A careful thief may show none of them, an emergency department shows several. Usual volume: the \(before) before the period."
            ))
    }

    var structuresSection: Markup {
        let tallies = reckoning.structureTallies.filter { $0.value.accesses.count > 0 }
            .sorted { left, right in
                left.value.patients != right.value.patients
                    ? left.value.patients > right.value.patients : left.key < right.key
            }
        let rows = tallies.prefix(Self.rowsMax).map { number, tally -> [Markup] in
            let name = reckoning.structures.name(number)
            return [
                structure(number), self.number(tally.patients), self.number(tally.accesses.count),
                self.number(tally.accounts.count),
            ] + ends(tally.accesses) + [code(folder(ofStructure: name))]
        }
        let domains = reckoning.domains
        let known = domains.prefix(Self.rowsMax).map { domain, patients in
            [code(domain), number(patients), code("domains/" + safeName(domain))]
        }
        return section(
            "structures", say("Part de chaque structure", "Each structure’s part"),
            paragraph(
                say(
                    "Chaque dossier ci-dessous ne contient que la part d’une structure : il peut lui être remis tel quel. Un patient vu sous le nom de deux structures est dans les deux parts.",
                    "Each folder below holds one structure’s part and nothing else: it can be handed over as it is. A patient seen under two structures’ names is in both parts."
                )),
            rows.isEmpty
                ? paragraph(say("Aucun accès.", "No access."))
                : table(
                    say(
                        "Structures sous le nom desquelles les accès ont eu lieu",
                        "Structures under whose name accesses were made"),
                    [
                        say("Structure", "Structure"), ">" + say("Patients", "Patients"),
                        ">" + say("Accès", "Accesses"), ">" + say("Comptes", "Accounts"),
                        say("Premier", "First"), say("Dernier", "Last"), say("Dossier", "Folder"),
                    ], rows),
            known.isEmpty
                ? .empty
                : table(
                    say(
                        "Domaines d’identifiants qui connaissent ces patients",
                        "Domains of identifiers that know these patients"),
                    [
                        say("Domaine (OID)", "Domain (OID)"), ">" + say("Patients", "Patients"),
                        say("Dossier", "Folder"),
                    ], known))
    }

    var patientsSection: Markup {
        let unnamed = reckoning.unnamedCount
        let rows = patients.prefix(Self.rowsMax).enumerated().compactMap {
            index, key -> [Markup]? in
            guard let patient = reckoning.patients[key] else { return nil }
            let names =
                patient.identifiers.isEmpty ? ["patient:" + spelled(key)] : patient.identifiers
            let shown = names.enumerated().map { place, name in
                (place > 0 ? Markup.element("br") : .empty) + code(name)
            }.together
            let late = patient.isMaybeUnseen ? say(" (rien n’est parti)", " (nothing left)") : ""
            return [
                .text(Reckoning.reference(index)), shown,
                .text(patient.fields.names.joined(separator: ", ") + late), moment(patient.first),
                moment(patient.last), number(patient.count),
            ]
        }
        return section(
            "patients", say("Patients", "Patients"),
            table(
                say("Données affichées", "Data shown"),
                [
                    say("Donnée", "Data"), say("Nom dans les fichiers", "Name in the files"),
                    ">" + say("Patients", "Patients"),
                ],
                fields.map { field, count in
                    [
                        .text(field.sentence(language)),
                        code(field.names.joined(separator: " ")), number(count),
                    ]
                }),
            unnamed == 0
                ? .empty
                : warning(
                    say(
                        "\(counted(unnamed, .patients)) sur \(language.number(reckoning.patients.count)) ne sont connus que par une empreinte : le registre ne garde pas leur identifiant. Donnez avec --resolve les identifiants possibles, extraits du serveur d’identités, pour les nommer.",
                        "\(counted(unnamed, .patients)) of \(language.number(reckoning.patients.count)) are known by a keyed hash only: the record keeps no identifier of theirs. Give possible identifiers, exported from the identity server, with --resolve to name them."
                    )),
            rows.isEmpty
                ? paragraph(say("Aucun patient.", "No patient."))
                : table(
                    say(
                        "Patients, du premier affiché au dernier", "Patients, the first shown first"
                    ),
                    [
                        say("Référence", "Reference"), say("Identifiant", "Identifier"),
                        say("Données", "Data"), say("Premier accès", "First access"),
                        say("Dernier accès", "Last access"), ">" + say("Fois", "Times"),
                    ], rows),
            more(patients.count, "patients.csv"))
    }
}
