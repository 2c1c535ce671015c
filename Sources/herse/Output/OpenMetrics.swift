// OpenMetrics.swift: measurements as text, in the format of the OpenMetrics specification 1.0.
//
// Only gauges, counters and histograms, which Prometheus' older text format has too: what reads
// that, such as node_exporter's textfile collector, reads this.

import Foundation

/// Families of measurements, one after the other.
struct OpenMetrics {
    /// What a family measures.
    enum Kind: String {
        case gauge
        case counter
        case histogram
    }

    /// Units of the specification that stand at the end of a name.
    enum Unit: String {
        case seconds
        case bytes
    }

    private var lines: [String] = []

    /// The whole, with its end mark.
    var text: String { (lines + ["# EOF"]).joined(separator: "\n") }

    /// A family; one that has no measurement is left out.
    mutating func add(
        _ kind: Kind, _ name: String, _ help: String, unit: Unit? = nil,
        _ samples: [(labels: [(String, String)], value: Double?)]
    ) {
        let present = samples.filter { $0.value != nil }
        guard !present.isEmpty else { return }
        begin(kind, name, help, unit)
        for sample in present {
            let suffix = kind == .counter ? "_total" : ""
            add(name + suffix, sample.labels, sample.value ?? 0)
        }
    }

    /// A family of one measurement without labels.
    mutating func add(
        _ kind: Kind, _ name: String, _ help: String, unit: Unit? = nil, _ value: Double?
    ) {
        add(kind, name, help, unit: unit, [(labels: [], value: value)])
    }

    /// A histogram: how many were below each bound, how many there were, and their sum.
    mutating func add(
        histogram name: String, _ help: String, unit: Unit,
        below: [(bound: Double, count: UInt64)], count: UInt64, sum: Double
    ) {
        begin(.histogram, name, help, unit)
        for one in below {
            add(name + "_bucket", [("le", Self.number(one.bound))], Double(one.count))
        }
        add(name + "_bucket", [("le", "+Inf")], Double(count))
        add(name + "_sum", [], sum)
        add(name + "_count", [], Double(count))
    }

    private mutating func begin(_ kind: Kind, _ name: String, _ help: String, _ unit: Unit?) {
        lines.append("# HELP \(name) \(Self.escaped(help))")
        lines.append("# TYPE \(name) \(kind.rawValue)")
        if let unit {
            precondition(name.hasSuffix("_" + unit.rawValue), "a name ends in its unit")
            lines.append("# UNIT \(name) \(unit.rawValue)")
        }
    }

    private mutating func add(_ name: String, _ labels: [(String, String)], _ value: Double) {
        var line = name
        if !labels.isEmpty {
            let shown = labels.map { "\($0.0)=\"\(Self.escaped($0.1))\"" }
            line += "{" + shown.joined(separator: ",") + "}"
        }
        lines.append(line + " " + Self.number(value))
    }

    /// Whole numbers without a fraction, others as short as they can be read back.
    static func number(_ value: Double) -> String {
        if let whole = Int64(exactly: value) { return String(whole) }
        return "\(value)"
    }

    /// `printable` first: what came over the network must not end a line.
    private static func escaped(_ text: String) -> String {
        printable(text).replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    }
}
