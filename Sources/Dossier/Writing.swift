// Writing.swift: a dossier's files, once everything is counted.

extension Reckoning {
    /// Writes every file that is made of figures; the lists of accesses and attempts are written
    /// while entries come in.
    package func write(_ order: DossierOrder, to sink: any DossierSink) {
        let patients = patientsInOrder
        listPatients(patients, sink)
        listAccounts(sink)
        listEvents(sink)
        listLetters(patients, sink)
        for language in order.languages {
            let telling = Telling(
                language: language, reckoning: self, order: order, patients: patients)
            let end = ".\(language.rawValue).html"
            sink.append("dossier" + end, telling.mainPage.html)
            sink.append("authority" + end, telling.authorityPage.html)
            for number in structureTallies.keys.sorted() {
                guard let page = telling.page(ofStructure: number) else { continue }
                sink.append(folder(ofStructure: structures.name(number)) + "/part" + end, page.html)
            }
            telling.writeLetters(sink)
        }
    }
}
