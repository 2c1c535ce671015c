// Demo.swift: herse demo.

import ArgumentParser

struct DemoCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "demo")
    func execute(_ console: Console) async throws(Failure) -> Outcome { .done }
}
