// NeutralizationList.swift: list files, and what is shown of them.

import Neutralization

extension FuzzTarget {
    static let neutralizationList = FuzzTarget(name: "neutralization-list") { bytes in
        let list: NeutralizedSet
        do throws(ListError) {
            list = try parseList(bytes)
        } catch {
            precondition(error.total >= error.problems.count && !error.problems.isEmpty, "says why")
            precondition(error.problems.count <= ListError.problemsMax, "and not too much")
            for problem in error.problems { check(problem, bytes) }
            return
        }
        let state = NeutralizationState(list: list)
        var line = 0
        var again = ""
        // A line that reinstates may override any other.
        var reinstates = false
        list.forEach { entry in
            reinstates = reinstates || entry.isReinstatement
            return true
        }
        list.forEach { entry in
            precondition(entry.line > line, "entries stand in the order of their lines")
            line = entry.line
            let text = entry.subject.description
            precondition(isOneWord(text), "a subject is one printable word")
            precondition((try? Subject(text)) == entry.subject, "a subject reads back")
            let moment = entry.since ?? UnixSeconds(0)
            // 2106 is the end of time there: what begins then never does.
            if !reinstates, moment.value < UInt32.max, entry.until.map({ moment < $0 }) ?? true {
                precondition(
                    state.verdict(on: entry.subject, now: moment) != nil, "and is in force")
            }
            again += written(entry)
            return true
        }
        let copy = Array(again.utf8)
        guard let second = try? parseList(copy.span) else {
            preconditionFailure("what is shown is a list")
        }
        precondition(second.count == list.count, "of as many entries")
        for number in 0..<list.count {
            let (one, other) = (list.entry(number), second.entry(number))
            precondition(
                one.subject == other.subject && one.since == other.since
                    && one.until == other.until && one.reason == other.reason
                    && one.ticket == other.ticket
                    && one.isReinstatement == other.isReinstatement, "that say the same")
        }
        _ = state.nextChange(after: UnixSeconds(0))
    }

    private static func check(_ problem: ListProblem, _ bytes: Span<UInt8>) {
        precondition(problem.column >= 0 && problem.column <= bytes.count + 1, "has a place")
        precondition(isOneLine(problem.description(file: "f")), "and a message a terminal can show")
    }

    private static func isOneWord(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    static func isOneLine(_ text: String) -> Bool {
        text.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }
    }

    /// The line of an entry, in the words of a list file.
    private static func written(_ entry: ListedEntry) -> String {
        let text = entry.subject.description
        let colon = text.firstIndex(of: ":") ?? text.startIndex
        var line = text[..<colon] + " " + text[text.index(after: colon)...]
        if entry.isReinstatement {
            line = "reinstate \(line) since=\(entry.since ?? UnixSeconds(0))"
        } else if let since = entry.since {
            line += " since=\(since)"
        }
        if let until = entry.until { line += " until=\(until)" }
        if let reason = entry.reason { line += " reason=\(reason)" }
        if let ticket = entry.ticket { line += " ticket=\(ticket)" }
        return line + "\n"
    }
}
