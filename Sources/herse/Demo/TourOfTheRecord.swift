// TourOfTheRecord.swift: what the tour shows of the record: proven, asked, and made a dossier of.

extension TourSteps {
    /// A verb of `herse record` as the auditor calls it, key in hand.
    func audited(_ verb: String) -> String {
        herseHere("record \(verb)") + " --auditor-key \(scene.auditorKey)"
    }

    private var whom: String { "Patient/\(scene.patient)" }
    private var gateKey: String { scene.folder + "/gate.pub" }

    func record(_ guide: Guide) async {
        await verify(guide)
        await whoSawWhom(guide)
        await prove(guide)
        await report(guide)
    }

    private func verify(_ guide: Guide) async {
        await guide.step(
            "Was the record touched?",
            "Every answer above was on disk, in the record, before it left. Entries are a hash tree "
                + "whose root the gate signs. Its public key belongs written down where the gate "
                + "cannot change it:")
        await guide.run(
            herseHere("record keys") + " > \(gateKey) && cat \(gateKey)",
            expect: .contains("SEALED TO", "(auditor.pub.pem)"))
        await guide.run(
            audited("verify --key \(gateKey)"),
            expect: Expectation(text: "an intact record, all of it opened, and exit 0") {
                $0 == 0 && $1.contains("of which") && $1.hasSuffix("\nintact\n")
            })
    }

    private func whoSawWhom(_ guide: Guide) async {
        await guide.step(
            "Who saw this patient?",
            "Entries are sealed to the auditor: without that key nobody reads them, root neither.")
        await guide.run(
            herseHere("record who-saw \(whom)"),
            expect: .contains("is sealed to", "--auditor-key", status: 1))
        await guide.say(
            "\(scene.auditorKey) opens them. It was made beside the cards, for this demonstration "
                + "only: in real life this private key would be kept offline, on another computer, "
                + "and so would a copy of the record that is read with it.")
        await guide.run(
            audited("who-saw \(whom)"), expect: .contains("PROFESSIONAL", sarah.id))
        await guide.say("And whom did the account see, whose card was stolen?")
        await guide.run(
            audited("seen-by \(sarah.id)"),
            expect: .contains("PATIENT", "1.2.250.1.213.1.4", "REQUESTS"))
        await guide.say("Who read the record, and for what, is an entry as well:")
        await guide.run(
            audited("search --event record-read --since 1h"),
            expect: .contains("record-read who-saw by", "record-read seen-by by"))
    }

    private func prove(_ guide: Guide) async {
        await guide.step(
            "One entry, proven to somebody else",
            "A court or a partner gets this entry and nothing else of the record; they check it "
                + "with the gate's public key alone.")
        let found = await guide.run(
            audited("search --professional \(sarah.id) --patient \(whom)"),
            expect: .contains("ENTRY", "allow read", "200"))
        guard let entry = firstEntry(found) else {
            await guide.fail("expected the number of an entry")
            return
        }
        let proof = "\(scene.folder)/entry-\(entry).proof"
        await guide.run(
            audited("prove \(entry) --reveal -o \(proof)"),
            expect: .contains("the proof of entry \(entry)"))
        await guide.run(
            "\(scene.herse) record check-proof \(proof) --key \(gateKey)", folds: 12,
            expect: .contains("proven: entry \(entry) of", #""professional":"\#(sarah.id)""#))
    }

    private func report(_ guide: Guide) async {
        await guide.step(
            "The dossier",
            "Had it been a thief who looked patients up: one command makes what the authority, the "
                + "partner structures and every patient must be given.")
        let dossier = scene.folder + "/dossier"
        await guide.run(
            herseHere(
                "report breach --professional \(sarah.id) --from \(scene.begin) -o \(dossier)")
                + " --auditor-key \(scene.auditorKey)",
            expect: Expectation(text: "a dossier that names its patients, and exit 0") {
                $0 == 0 && $1.contains("patients shown in") && $1.contains("SHA256SUMS")
                    && !$1.contains("known by a keyed hash only")
            })
        await guide.run(
            "ls \(dossier)",
            expect: .contains("dossier.fr.html", "letters", "patients.csv", "SHA256SUMS"))
    }

    /// The number of the first entry of a table that `record search` printed.
    private func firstEntry(_ table: String) -> UInt64? {
        let lines = table.split(separator: "\n")
        guard let head = lines.firstIndex(where: { $0.hasPrefix("TIME ") }),
            head + 1 < lines.count
        else { return nil }
        return lines[head + 1].split(separator: " ").dropFirst().first.flatMap { UInt64($0) }
    }
}
