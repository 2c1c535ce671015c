// Letters.swift: a letter to each patient (GDPR, article 34), and what a mail merge needs.
//
// A letter names no professional, who is a victim too, and no identifier of the patient: it may be
// opened by another. Name and address come from the identity server, by the reference.

internal import RecordReading

extension Telling {
    /// Letters of one file: what a browser prints at once.
    static let lettersOfFile = 250
    /// Letters that are written out; for more there is the mail merge.
    static let lettersMax = 5000

    /// Writes the letters of this language, and its template.
    func writeLetters(_ sink: any DossierSink) {
        sink.append(
            "letters/template.\(language.rawValue).html",
            page([letter(.template(language))], say("Modèle de lettre", "Letter template")).html)
        guard patients.count <= Self.lettersMax else { return }
        var file: [Markup] = []
        var number = 0
        for (index, key) in patients.enumerated() {
            guard let patient = reckoning.patients[key] else { continue }
            file.append(letter(Recipient(index, patient, language)))
            guard file.count == Self.lettersOfFile || index == patients.count - 1 else { continue }
            number += 1
            let digits = String(number)
            let name = String(repeating: "0", count: max(0, 3 - digits.utf8.count)) + digits
            sink.append(
                "letters/\(language.rawValue)/\(name).html",
                page(file, say("Lettres aux patients", "Letters to patients")).html)
            file = []
        }
    }

    private func page(_ letters: [Markup], _ title: String) -> Page {
        Page(language: language, title: title, body: letters.together)
    }

    private func letter(_ to: Recipient) -> Markup {
        let pieces: [Markup] = [
            .element(
                "p", [("class", "top")],
                strong(order.operatorName.isEmpty ? "[…]" : order.operatorName)),
            .element(
                "p", [("class", "to")],
                .text(say("{{prénom}} {{nom}}", "{{given name}} {{family name}}")) + .element("br")
                    + .text(say("{{adresse}}", "{{address}}"))),
            paragraph(
                .text(say("Référence : ", "Reference: ")), code(to.reference),
                .text(
                    say(
                        " (à rappeler dans toute correspondance)",
                        " (please give it whenever you write to us)"))),
            .element(
                "h1", [],
                .text(
                    say(
                        "Objet : violation de données personnelles qui vous concerne",
                        "Subject: personal data breach that concerns you"))),
            paragraph(say("Madame, Monsieur,", "Dear Sir or Madam,")),
            paragraph(what(to)),
            .element("h2", [], .text(say("Les données concernées", "The data concerned"))),
            list(to.fields.map { .text($0) }),
            .element("h2", [], .text(say("Ce qui peut en résulter", "What may come of it"))),
            paragraph(
                say(
                    "Des personnes malveillantes pourraient se servir de ces données pour vous écrire ou vous appeler en se faisant passer pour un établissement de santé, l’assurance maladie ou une banque, ou pour usurper votre identité.",
                    "Others might use these data to write to you or call you in the name of a hospital, your health insurance or a bank, or to pretend to be you."
                )),
            .element("h2", [], .text(say("Ce que nous avons fait", "What we have done"))),
            paragraph(done),
            .element("h2", [], .text(say("Ce que vous pouvez faire", "What you can do"))),
            list([
                .text(
                    say(
                        "ne communiquez ni mot de passe, ni code, ni coordonnées bancaires à qui vous écrit ou vous appelle, même s’il connaît votre date de naissance ;",
                        "give no password, code or bank details to anybody who writes or calls, even if they know your date of birth;"
                    )),
                .text(
                    say(
                        "n’ouvrez ni lien ni pièce jointe d’un message inattendu ; rappelez l’organisme au numéro que vous connaissez ;",
                        "open no link or attachment of a message you did not expect; call the organisation back on the number you know;"
                    )),
                .text(
                    say(
                        "surveillez vos remboursements et vos comptes ; en cas d’usurpation, portez plainte et demandez conseil sur cybermalveillance.gouv.fr.",
                        "watch your reimbursements and accounts; if somebody pretends to be you, file a complaint and ask for advice on cybermalveillance.gouv.fr."
                    )),
            ]),
            .element("h2", [], .text(say("À qui vous adresser", "Whom to ask"))),
            paragraph(
                .text(say("Contact : ", "Contact: ")),
                .text(order.contact.isEmpty ? "[…]" : order.contact),
                .element("br"),
                .text(say("Délégué à la protection des données : ", "Data protection officer: ")),
                .text(order.protectionOfficer.isEmpty ? "[…]" : order.protectionOfficer)),
            paragraph(
                say(
                    "Vous pouvez demander à accéder à vos données et adresser une réclamation à la Commission nationale de l’informatique et des libertés (CNIL), 3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07, www.cnil.fr.",
                    "You may ask for access to your data, and complain to the Commission nationale de l’informatique et des libertés (CNIL), 3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07, France, www.cnil.fr."
                )),
            paragraph(
                say(
                    "Nous vous présentons nos excuses et vous prions d’agréer, Madame, Monsieur, l’expression de nos salutations distinguées.",
                    "We apologise for what has happened. Yours faithfully,")),
            paragraph(order.operatorName.isEmpty ? "[…]" : order.operatorName),
        ]
        return .element("article", [("class", "letter")], pieces.together)
    }

    private func what(_ to: Recipient) -> String {
        say(
            "Nous vous informons, conformément à l’article 34 du règlement général sur la protection des données (RGPD), que votre identité a été consultée sans autorisation dans un serveur d’identités de patients, au moyen de comptes de professionnels de santé utilisés par des tiers. Elle a été affichée \(to.times), \(to.dates).",
            "As article 34 of the General Data Protection Regulation (GDPR) asks, we inform you that your identity was looked up without authorisation in a server of patients’ identities, by means of health professionals’ accounts used by others. It was shown \(to.times), \(to.dates)."
        )
    }

    private var done: String {
        let cut = reckoning.neutralizations.first.map { order in
            say(
                "Les accès en cause ont été neutralisés à partir du \(minute(order.time)). ",
                "The accesses in question were cut off from \(minute(order.time)) on. ")
        }
        return (cut ?? "")
            + say(
                "La CNIL et les autorités sanitaires sont informées. Ces accès ont été enregistrés, ce qui nous permet de vous écrire personnellement.",
                "The CNIL and the health authorities are informed. These accesses were recorded, which is why we can write to you in person."
            )
    }
}

/// What a letter says of one patient.
struct Recipient {
    let reference: String
    let times: String
    let dates: String
    let fields: [String]

    /// The names of columns of the mail merge.
    static func template(_ language: Language) -> Recipient {
        func column(_ name: String) -> String { "{{\(name)_\(language.rawValue)}}" }
        return Recipient(
            reference: "{{reference}}", times: column("times"), dates: column("dates"),
            fields: [column("fields")])
    }

    private init(reference: String, times: String, dates: String, fields: [String]) {
        self.reference = reference
        self.times = times
        self.dates = dates
        self.fields = fields
    }

    init(_ index: Int, _ patient: PatientTally, _ language: Language) {
        reference = Reckoning.reference(index)
        let count = patient.count
        times =
            count == 1
            ? language.of("une fois", "once")
            : language.of("\(language.number(count)) fois", "\(language.number(count)) times")
        let first = language.day(patient.first)
        let last = language.day(patient.last)
        dates =
            first == last
            ? language.of("le \(first)", "on \(first)")
            : language.of("entre le \(first) et le \(last)", "between \(first) and \(last)")
        let words = patient.fields.words(language)
        fields = words.isEmpty ? [patient.fields.sentence(language)] : words
    }
}

extension Reckoning {
    /// `letters/merge.csv`: a row for each patient, with the columns of both templates.
    func listLetters(_ order: [UInt64], _ sink: any DossierSink) {
        sink.append(
            "letters/merge.csv",
            csvRow([
                "reference", "identifiers", "times_fr", "dates_fr", "fields_fr", "times_en",
                "dates_en", "fields_en",
            ]))
        for (index, key) in order.enumerated() {
            guard let patient = patients[key] else { continue }
            var cells = [
                Self.reference(index), patient.identifiers.joined(separator: " "),
            ]
            for language in Language.allCases {
                let to = Recipient(index, patient, language)
                cells += [to.times, to.dates, to.fields.joined(separator: ", ")]
            }
            sink.append("letters/merge.csv", csvRow(cells))
        }
    }
}
