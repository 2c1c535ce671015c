// LogStorms.swift: lines of one kind that come in a storm: the first are written, the others are
// counted, and the last is told when the storm is over, since it says how things are now.

/// Lines of the log by their kind, within one second each.
struct LogStorms {
    private struct Storm {
        let second: Int
        var count = 0
        /// The line that came last and was not written.
        var last = ""

        /// What is to be said when it is over; nil when nothing was left out.
        var ending: String? {
            let left = count - LogStorms.linesMax
            return left > 0 ? "\(left) more of this kind, the last: \(last)" : nil
        }
    }

    /// What becomes of a line.
    enum Verdict: Equatable {
        case written
        /// It is the first that is not written: somebody must look when the storm is over.
        case begins
        case counted
    }

    private var storms: [String: Storm] = [:]

    /// Lines of one kind that are written in one second.
    static let linesMax = 10

    /// Takes a line of `kind` that is said in this `second`; and what is to be said before it.
    mutating func take(
        _ line: String, kind: String, in second: Int
    ) -> (verdict: Verdict, before: String?) {
        var storm = storms[kind] ?? Storm(second: second)
        var before: String?
        if storm.second != second {
            before = storm.ending
            storm = Storm(second: second)
        }
        storm.count += 1
        let left = storm.count - Self.linesMax
        if left > 0 { storm.last = line }
        storms[kind] = storm
        return (left <= 0 ? .written : left == 1 ? .begins : .counted, before)
    }

    /// What is to be said of the storms that are over in this `second`; without one, of all.
    mutating func end(in second: Int?) -> [String] {
        let over = storms.filter { $0.value.second != second }
        for kind in over.keys { storms[kind] = nil }
        return over.values.compactMap(\.ending).sorted()
    }

    /// Whether lines were left out that nothing was said of yet.
    var isRaging: Bool { storms.contains { $0.value.count > Self.linesMax } }
}
