// Serve.swift: herse serve: the gate, in the foreground.

import ArgumentParser
import Gate

struct ServeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the gate in the foreground.",
        discussion: """
            Loads the configuration, says on standard error when every listener accepts, and \
            tells systemd so (Type=notify). SIGHUP reloads as `herse reload` does, SIGTERM lets \
            running requests end, then stops. Exits 0 after a clean stop, 1 when it could not \
            start.

            Examples:
              herse serve
              herse serve -c ./herse.yaml
            """)

    @OptionGroup var source: ConfigurationOption

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        await serve(configurationPath: source.path) == 0 ? .done : .refused
    }
}
