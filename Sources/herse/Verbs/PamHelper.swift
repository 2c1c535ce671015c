// PamHelper.swift: herse pam-helper: the process that asks PAM; started by the gate, by nobody else.

import Accounts
import ArgumentParser

struct PamHelperCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "pam-helper",
        abstract: "Ask PAM for the gate; started by it.",
        discussion: """
            Answers the questions of the gate that started it, on descriptor 3, and ends with it.
            """,
        shouldDisplay: false)

    func execute(_ console: Console) async throws(Failure) -> Outcome {
        guard runPasswordHelper() else {
            throw Failure(
                "pam-helper: descriptor 3 is no socket to a gate",
                hint: "this is the gate's own helper: it starts it when a password is to be checked"
            )
        }
        return .done
    }
}
