// TourSteps.swift: the tour itself: what is shown, in which words, by which commands.

import Foundation
import Gate

/// The steps of the tour.
struct TourSteps: Sendable {
    let scene: DemoScene
    let sarah: DemoProfessional
    private let paul: DemoProfessional

    init(_ scene: DemoScene) {
        self.scene = scene
        sarah = scene.professionals[0]
        paul = scene.professionals[1]
    }

    func herseHere(_ verb: String) -> String {
        "\(scene.herse) \(verb) -c \(scene.configuration)"
    }
    private func curl(_ who: DemoProfessional, _ rest: String) -> String {
        "curl -K \(who.curlOptions) \(rest)"
    }
    private var patient: String { "\(scene.base)/Patient/\(scene.patient)" }

    /// Before the first step.
    var opening: String {
        """

        Herse is running in \(scene.folder)
          gate             \(scene.base)/  (TLS, a professional's card is required)
          identity server  3,000 patients who do not exist, in clear on the loopback
          cards            sarah, doctor \(sarah.id); paul, nurse \(paul.id);
                           lea, hospital secretary \(scene.professionals[2].id)
          auditor          \(scene.auditorKey)
                           opens the record, which is sealed to its public half. In real life
                           this private key would be made elsewhere and kept offline: whoever
                           takes the gate could read nothing.
        Every command below works as it stands in another terminal.
        """
    }

    /// After the last step, when all stays up.
    func closing(keepsFolder: Bool) -> String {
        """

        All of it stays up. Go on by hand, for instance:
          \(curl(scene.professionals[2], "'\(scene.base)/Patient?family=\(scene.family)'"))
          \(herseHere("limits show \(scene.professionals[2].id)"))
          $EDITOR \(scene.configuration)
          \(herseHere("check")) && \(herseHere("reload"))
          \(herseHere("neutralize network:127.0.0.1 --reason exercise --preview"))
          \(herseHere("status"))
          \(audited("search --professional \(paul.id) --since 1h"))
        Ctrl-C ends it\(keepsFolder ? "" : " and removes \(scene.folder)").
        """
    }

    /// Leads through all steps; whether each went as told.
    func run(_ guide: Guide) async -> Bool {
        guard await hasCurl(guide) else { return false }
        await lookUp(guide)
        await proof(guide)
        await limits(guide)
        await change(guide)
        await neutralize(guide)
        await reinstate(guide)
        await record(guide)
        await guide.step("How is the gate?", "Health, lists, identity servers, workers.")
        await guide.run(herseHere("status"), expect: .contains("healthy", "professionals"))
        return await guide.allWentWell
    }

    private func hasCurl(_ guide: Guide) async -> Bool {
        guard let child = try? ChildProcess("/bin/sh", ["-c", "command -v curl"]),
            await child.end(within: .seconds(5)) == 0
        else {
            await guide.fail("curl is missing: install it (apt-get install curl), then start again")
            return false
        }
        return true
    }

    private func lookUp(_ guide: Guide) async {
        await guide.step(
            "A doctor looks a patient up",
            "Sarah's card proves who she is; the gate forwards the request and tells the identity "
                + "server who asks. The answer is a FHIR Patient.")
        await guide.run(
            """
            curl --silent --show-error --cacert \(scene.root) \\
                --cert \(sarah.certificate) --key \(sarah.key) \\
                \(patient)
            """, folds: 12, expect: .contains(#""resourceType":"Patient""#))
        await guide.say(
            "The same options stand in a file for each card, to be used as `curl -K FILE`. A "
                + "search, five patients a page:")
        let page = await guide.run(
            curl(sarah, "'\(scene.base)/Patient?family=\(scene.family)&_count=5'"),
            expect: .contains(#""type":"searchset""#, #""relation":"next""#))
        guard let next = nextLink(page) else {
            await guide.fail("expected a link to the next page")
            return
        }
        await guide.say("The next page, by the link in the answer:")
        await guide.run(curl(sarah, "'\(next)'"), expect: .contains(#""type":"searchset""#))
    }

    private func proof(_ guide: Guide) async {
        await guide.step(
            "Nothing passes unproven", "Without a card the TLS handshake itself fails:")
        await guide.run(
            "curl --silent --show-error --cacert \(scene.root) \(patient)",
            expect: .fails("curl to fail"))
    }

    private func limits(_ guide: Guide) async {
        await guide.step(
            "A limit is reached",
            "Paul, or whoever has his card, asks for 25 patients in a row. The policy allows 20 "
                + "requests a minute: five are stopped.")
        await guide.run(
            curl(
                paul,
                "--output /dev/null --write-out '%{http_code} ' '\(scene.base)/Patient/p0000[10-34]'"
            ), expect: .contains("200 429", "429 429 429"))
        await guide.say("The answer says which limit, and when to come back:")
        await guide.run(
            curl(paul, "--include \(patient)"),
            expect: .contains("429", "Retry-After", "RateLimit", "OperationOutcome"))
        await guide.run(
            herseHere("limits show \(paul.id)"), expect: .contains("standard", "requests"))
        await guide.run(
            herseHere("explain GET /fhir/Patient/\(scene.patient) --as \(paul.id) --after 20"),
            expect: .contains("refused with 429", scene.configuration))
    }

    private func change(_ guide: Guide) async {
        await guide.step(
            "The policy is changed, badly, then well",
            "A reload is all or nothing: a mistake is named by file, line and column, and the "
                + "policy in force stays.")
        await guide.run(
            "sed -i 's/limit: 20, per: 1m/limit: forty, per: 1m/' \(scene.configuration)",
            expect: .contains(status: 0))
        await guide.run(
            herseHere("reload"), expect: .contains("herse.yaml:", "error", status: 1))
        await guide.run(
            "sed -i 's/limit: forty, per: 1m/limit: 40, per: 1m/' \(scene.configuration)",
            expect: .contains(status: 0))
        await guide.run(herseHere("check"), expect: .contains("valid"))
        await guide.run(herseHere("reload"), expect: .contains("in force"))
        await guide.say("What Paul has used still counts, now against 40: he goes on.")
        await guide.run(
            curl(paul, "\(patient)"), expect: .contains(#""resourceType":"Patient""#))
    }

    private func neutralize(_ guide: Guide) async {
        await guide.step(
            "Sarah's card is stolen",
            "The thief has a connection open: a search begun and not finished. (curl reads the "
                + "rest of it from the keyboard, which says nothing.)")
        let command = curl(
            sarah,
            "--no-progress-meter --request POST --upload-file . --header 'Content-Type: application/x-www-form-urlencoded' "
                + "--header 'Expect:' \(scene.base)/Patient/_search")
        guard let thief = await guide.start(command) else { return }
        defer { thief.kill(SIGKILL) }
        guard await isBusy(sarah) else {
            await guide.fail("expected the connection to be open; \(thief.text)")
            return
        }
        await guide.run(herseHere("sessions"), expect: .contains(sarah.id, "busy"))
        await guide.say("Cut it, and see what becomes of the open connection:")
        await guide.run(
            herseHere("neutralize account:\(sarah.id) --reason 'stolen card' --ticket DEMO-1"),
            expect: .contains("neutralized account:\(sarah.id)", "1 connection, 1 exchange cut"))
        await guide.await(thief, expect: .fails("curl to lose its connection"), within: .seconds(2))
        await guide.say("A new connection with the same card gets an incident number, no reason:")
        await guide.run(
            curl(sarah, "--include \(patient)"),
            expect: Expectation(text: "403 without the reason") { status, output in
                status == 0 && output.contains("403") && !output.contains("stolen")
            })
        await guide.run(
            herseHere("neutralized account:\(sarah.id)"),
            expect: .contains(sarah.id, "stolen card", "DEMO-1"))
    }

    private func reinstate(_ guide: Guide) async {
        await guide.step(
            "Sarah has a new card", "The order is undone, and that is on record too.")
        await guide.run(
            herseHere("reinstate account:\(sarah.id) --reason 'card replaced' --ticket DEMO-1"),
            expect: .contains("reinstated account:\(sarah.id)"))
        await guide.run(
            curl(sarah, "\(patient)"), expect: .contains(#""resourceType":"Patient""#))
    }

    /// Whether a request of this professional is running, within ten seconds.
    private func isBusy(_ who: DemoProfessional) async -> Bool {
        for _ in 0..<500 {
            if case .sessions(let sessions)? = try? ControlClient.ask(
                .sessions(professional: who.id), socket: scene.socket),
                sessions.contains(where: { $0.busy == true })
            {
                return true
            }
            try? await Task.sleep(for: .milliseconds(20))
        }
        return false
    }

    private func nextLink(_ page: String) -> String? {
        struct Bundle: Decodable {
            struct Link: Decodable {
                let relation: String
                let url: String
            }
            let link: [Link]
        }
        let bundle = try? JSONDecoder().decode(Bundle.self, from: Data(page.utf8))
        return bundle?.link.first { $0.relation == "next" }?.url
    }
}
