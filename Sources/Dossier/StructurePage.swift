// StructurePage.swift: what one partner structure is told: its part, and nobody else's.

internal import RecordReading

extension Telling {
    /// The page of one structure.
    func page(ofStructure number: Int32) -> Page? {
        guard let tally = reckoning.structureTallies[number], tally.accesses.count > 0 else {
            return nil
        }
        let name = reckoning.structures.name(number)
        let title = say("Violation de données : part de ", "Data breach: part of ")
        let shown =
            name.isEmpty ? say("accès sans structure", "accesses without a structure") : name
        let accounts = tally.accounts.sorted { $0.key < $1.key }.map { account, met -> [Markup] in
            [code(reckoning.accounts.name(account)), self.number(met.shown)] + ends(met)
        }
        let body: [Markup] = [
            .element("h1", [], .text(title) + code(shown)),
            paragraph(
                say(
                    "Des identités de patients ont été affichées à des comptes de professionnels, sous le nom de votre structure, alors que ces comptes étaient peut-être aux mains de tiers. Cette page et les deux fichiers qui l’accompagnent ne contiennent que votre part.",
                    "Patients’ identities were shown to professionals’ accounts under your structure’s name while these accounts were possibly in others’ hands. This page and the two files with it hold your part only."
                )),
            facts(
                say("Votre part", "Your part"),
                [
                    (say("Patients", "Patients"), strong(counted(tally.patients, .patients))),
                    (
                        say("Patients inconnus, au plus", "Unknown patients, at most"),
                        self.number(tally.assumed)
                    ),
                    (say("Accès", "Accesses"), self.number(tally.accesses.count)),
                    (
                        say("Identités affichées", "Identities shown"),
                        self.number(tally.accesses.shown)
                    ),
                    (say("Premier accès", "First access"), moment(tally.accesses.first)),
                    (say("Dernier accès", "Last access"), moment(tally.accesses.last)),
                    (
                        say("Données affichées", "Data shown"),
                        .text(tally.fields.sentence(language))
                    ),
                    (say("Requêtes refusées", "Requests refused"), self.number(tally.refused)),
                    (say("Exploitant", "Operator"), given(order.operatorName)),
                    (say("Contact", "Contact"), given(order.contact)),
                    (
                        say("Délégué à la protection des données", "Data protection officer"),
                        given(order.protectionOfficer)
                    ),
                    (say("Intégrité du registre", "Integrity of the record"), .text(verdictWords)),
                ]),
            volume(of: tally),
            Dossier.table(
                say("Comptes", "Accounts"),
                [
                    say("Compte", "Account"), ">" + say("Identités", "Identities"),
                    say("Premier", "First"), say("Dernier", "Last"),
                ], accounts),
            section(
                "duties", say("Ce que vous devez faire", "What you must do"),
                list([
                    .text(
                        say(
                            "si vous êtes responsable de traitement, notifier la CNIL dans les 72 heures après en avoir pris connaissance (article 33 du RGPD) ;",
                            "if you are a controller, notify the authority (CNIL) within 72 hours of learning of it (GDPR, article 33);"
                        )),
                    .text(
                        say(
                            "convenir avec l’exploitant de qui informe les patients (article 34), pour qu’ils ne reçoivent qu’une lettre ;",
                            "agree with the operator on who informs the patients (article 34), so that they get one letter only;"
                        )),
                    .text(
                        say(
                            "vérifier avec les professionnels nommés leurs cartes, sessions et postes.",
                            "check cards, sessions and workstations with the professionals named.")),
                ])),
            facts(
                say("Fichiers", "Files"),
                [
                    (
                        "patients.csv",
                        .text(say("les patients de votre part", "the patients of your part"))
                    ),
                    (
                        "accesses.csv",
                        .text(
                            say(
                                "les accès, une ligne par patient affiché",
                                "the accesses, a row for each patient shown"))
                    ),
                ]),
        ]
        return Page(language: language, title: title + shown, body: body.together)
    }

    private func volume(of tally: StructureTally) -> Markup {
        let (bars, width) = dayBars(tally.days)
        guard !bars.isEmpty else { return .empty }
        let unit =
            width == 1 ? say("jour", "day") : say("période de \(width) jours", "\(width) days")
        return Plot(
            title: say("Identités affichées par \(unit).", "Identities shown by \(unit)."),
            across: say("\(unit) (heure de Paris)", "\(unit) (Paris time)"),
            upwards: say("identités", "identities"),
            legend: (
                outlined: say("identités affichées", "identities shown"),
                filled: say(
                    "patients affichés pour la première fois", "patients shown for the first time")
            ), bars: bars, language: language
        ).markup
    }
}
