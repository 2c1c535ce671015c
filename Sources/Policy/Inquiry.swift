// Inquiry.swift: a request put to a configuration without a gate, and all that comes of it.
//
// Policy tests and `explain` ask this; it goes the gate's way with the gate's functions: admission,
// classification, limits on what is asked, inspection of the answer, limits on who is in it.

package import Lookup

/// A request, who makes it, and what the identity server would answer.
package struct Inquiry: Sendable {
    package var isNeutralized = false
    package var method: String
    /// Path and query, as they would be sent.
    package var target: String
    package var contentType = ""
    package var body: [UInt8] = []
    /// Whether it carries the route's break-glass header with a reason.
    package var breaksGlass = false
    /// Index in `Configuration.listeners`.
    package var listener = 0
    package var proof: Proof {
        get { evidence.proof }
        set { evidence = Evidence(newValue) }
    }
    /// What was shown, and how good it is; the certificate of a card unless it says otherwise.
    package var evidence: Evidence
    /// A machine's CN.
    package var organisation: [UInt8] = []
    /// National identifier, empty for none.
    package var professional: String
    package var holder = LimitedHolder()
    /// What was used before, within every window.
    package var used = Usage()
    package var answer: SampleAnswer?

    package init(method: String, target: String, proof: Proof, professional: String) {
        self.method = method
        self.target = target
        evidence = Evidence(proof)
        self.professional = professional
    }

    /// The path without its query.
    package var path: String { String(target.prefix { $0 != "?" }) }

    /// The query without its `?`.
    package var query: String { String(target.dropFirst(path.count + 1)) }
}

/// What an identity server answers.
package struct SampleAnswer: Equatable, Sendable {
    package var status: Int
    package var contentType: String
    package var body: [UInt8]

    package init(status: Int = 200, contentType: String, body: [UInt8]) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }
}

/// What was found in an answer.
package struct Inspected: Equatable, Sendable {
    package var finding: Finding
    /// One key for each distinct person, under the inquiry's own key.
    package var persons: [UInt64] = []
    package var fields: IdentityFields = []
}

/// All that came of an inquiry; what it did not get to is nil.
package struct Hearing: Sendable {
    package var decision: Decision
    package var question: Question?
    /// Index in `Configuration.limitSets` of what counts.
    package var set: Int?
    package var charge = Usage()
    package var inspected: Inspected?
}

extension IdentityFields {
    /// Their names, in the order of the record.
    package var words: [String] {
        Self.names.enumerated().filter {
            contains(IdentityFields(rawValue: 1 << UInt16($0.offset)))
        }
        .map(\.element.description)
    }
}
