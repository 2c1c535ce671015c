// Demo.swift: herse demo: everything on this machine, to be looked at and played with.

import ArgumentParser
import Glibc

struct DemoCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Start a throw-away gate with patients, and a guided tour.",
        discussion: """
            Makes throw-away certificates and the cards of three professionals in a temporary \
            folder, starts an identity server of patients who do not exist and the gate in front \
            of it, then shows what the gate does: every command is printed before it runs and \
            works the same in another terminal. Afterwards all stays up until Ctrl-C, then \
            everything is removed. With --tour it ends after the tour and exits 0 only if every \
            step went as told.

            Examples:
              herse demo
              herse demo --tour
              herse demo --keep
            """)

    @Flag(help: "End after the tour, without waiting between its steps.")
    var tour = false

    @Flag(help: "Leave the folder with configuration, certificates and state behind.")
    var keep = false

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        let stage = DemoStage(keepsFolder: keep)
        // Whatever ends this, the gate it started ends too.
        try onInterrupt { isExpected in
            stage.tearDown(console)
            // At once: other threads are still at work, with libraries that `exit` would tear down.
            _exit(isExpected ? 0 : 130)
        }
        defer { stage.tearDown(console) }
        let scene = try await stage.setUp(console)
        let pauses = !tour && isatty(0) == 1
        let steps = TourSteps(scene)
        let talking = Console(
            print: { if !stage.isDown { console.print($0) } },
            talk: { if !stage.isDown { console.talk($0) } })
        let guide = Guide(console: talking, pauses: pauses)
        console.print(steps.opening)
        let wentWell = await steps.run(guide)
        if tour {
            console.print(
                wentWell ? "\nEverything went as told." : "\nNot everything went as told.")
            return wentWell ? .done : .refused
        }
        // Before the words that invite to it.
        interruptIsExpected()
        console.print(steps.closing(keepsFolder: keep))
        await forever()
        return .done
    }
}

/// Until the process is interrupted.
func forever() async {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    for await _ in stream {}
    continuation.finish()
}
