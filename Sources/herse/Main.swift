// Main.swift: where the process begins.
//
// Not an asynchronous `main`: that ends the first thread in `sigsuspend` with every signal let
// through, and a SIGTERM meant for the gate's own descriptor would kill it undrained.

import ArgumentParser
import Dispatch
import Glibc

@main
enum Main {
    static func main() {
        let ending = DispatchSemaphore(value: 0)
        do {
            // Threads inherit what this one blocks, so it must block before there are any.
            if try Herse.parseAsRoot() is ServeCommand { blockSignals() }
        } catch {
            Herse.exit(withError: error)
        }
        Task.detached {
            await runCommand()
            ending.signal()
        }
        ending.wait()
    }
}

/// Parses again, since a parsed command cannot change threads, and ends the process.
private func runCommand() async {
    do {
        var command = try Herse.parseAsRoot()
        if var command = command as? any AsyncParsableCommand {
            try await command.run()
        } else {
            try command.run()
        }
        Herse.exit()
    } catch {
        Herse.exit(withError: error)
    }
}

/// The signals the gate reads from a descriptor.
private func blockSignals() {
    var set = sigset_t()
    // Safe because the set is a local, emptied before it is filled.
    unsafe sigemptyset(&set)
    for number in [SIGHUP, SIGTERM, SIGINT] { unsafe sigaddset(&set, number) }
    unsafe pthread_sigmask(SIG_BLOCK, &set, nil)
}
