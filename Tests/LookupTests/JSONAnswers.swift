// JSONAnswers.swift: FHIR answers to be inspected, and inspecting them in pieces.

import Foundation
import KeyedHash

@testable import Lookup

/// What inspection says of an answer; equal whatever way it came.
struct Inspected: Equatable {
    var finding = Finding.nothing
    /// Every person's keys.
    var persons: Set<[UInt64]> = []
    var fields: [IdentityFields] = []
    var pages: [UInt64] = []

    /// How many persons there are.
    var count: Int { persons.count }

    static let hasher = PersonHasher(
        key: SipKey(low: 3, high: 4), server: "mpi", canonicalSystem: "urn:oid:1.2.3.4")

    /// `cuts` are lengths of the body so far, before all of it.
    init(
        _ body: [UInt8], cuts: [Int] = [], status: Int = 200,
        type: String = "application/fhir+json", interaction: Interaction = .search,
        dialect: Dialect = .fhir, by inspector: AnswerInspector = AnswerInspector()
    ) {
        inspector.begin(
            AnswerExpectation(
                dialect: dialect, status: status, contentType: Array(type.utf8),
                interaction: interaction), Self.hasher)
        for cut in cuts { inspector.inspect(body.span.extracting(0..<cut), isWhole: false) }
        inspector.inspect(body.span, isWhole: true)
        finding = inspector.finding
        let found = inspector.findings.persons
        persons = Set(
            (0..<found.count).map { Array(found.allKeys[found.starts[$0]..<found.starts[$0 + 1]]) })
        fields = (0..<found.count).map { found.fields(of: $0) }
        pages = inspector.findings.pages
    }

    init(_ text: String, status: Int = 200, interaction: Interaction = .search) {
        self.init(Array(text.utf8), status: status, interaction: interaction)
    }
}

/// Answers written for the tests: nobody in them ever lived.
enum JSONAnswers {
    static func patient(_ number: Int, more: String = "") -> String {
        """
        {"resourceType":"Patient","id":"p\(number)",\(more)"identifier":[{"use":"official",\
        "system":"urn:oid:1.2.250.1.213.1.4.8","value":"\(1_850_775_000_000 + number)42"},\
        {"system":"urn:oid:1.2.250.1.71.9","value":"IPP\(number)"}],"name":[{"family":"DÛPONT",\
        "given":["Zoé","Anne"]}],"birthDate":"1985-07-0\(number % 9 + 1)"}
        """
    }

    static func bundle(_ resources: [String], more: String = "", type: String = "searchset")
        -> String
    {
        let entries = resources.map { #"{"resource":\#($0),"search":{"mode":"match"}}"# }
        return """
            {"resourceType":"Bundle","type":"\(type)",\(more)"entry":[\
            \(entries.joined(separator: ","))]}
            """
    }

    static let outcome = #"{"resourceType":"OperationOutcome","issue":[{"severity":"error"}]}"#

    /// A document like another, its type told last in every object.
    static func typeLast(_ text: String) -> String {
        func turned(_ value: Any) -> String {
            if let object = value as? [String: Any] {
                let keys = object.keys.filter { $0 != "resourceType" }.sorted(by: >)
                let all = keys + (object["resourceType"] == nil ? [] : ["resourceType"])
                return "{"
                    + all.map { "\"\($0)\":\(turned(object[$0] ?? ""))" }.joined(separator: ",")
                    + "}"
            }
            if let array = value as? [Any] {
                return "[" + array.map(turned).joined(separator: ",") + "]"
            }
            let data = try? JSONSerialization.data(
                withJSONObject: value, options: .fragmentsAllowed)
            return String(decoding: data ?? Data(), as: UTF8.self)
        }
        guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)) else {
            return text
        }
        return turned(value)
    }

    /// The same, with line breaks and indents.
    static func indented(_ text: String) -> String {
        guard let value = try? JSONSerialization.jsonObject(with: Data(text.utf8)),
            let data = try? JSONSerialization.data(
                withJSONObject: value, options: [.prettyPrinted, .sortedKeys])
        else { return text }
        return String(decoding: data, as: UTF8.self)
    }
}
