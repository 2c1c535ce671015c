// Understanding.swift: an inquiry's request and answer, read as the gate reads them.

import KeyedHash
import Lookup

extension Rulebook {
    /// What an inquiry asks, by the protocol its route speaks.
    func question(
        _ inquiry: Inquiry, route: Int, _ key: SipKey
    ) throws(QuestionError) -> Question {
        Question(.search)
    }

    /// Whom an answer discloses.
    func inspect(
        _ answer: SampleAnswer, to question: Question, of inquiry: Inquiry, route: Int,
        _ key: SipKey
    ) -> Inspected {
        Inspected(finding: .nothing)
    }
}
