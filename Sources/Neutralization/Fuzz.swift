// Fuzz.swift: the one door for a fuzz target to what only the inside of this module can make.

/// Feeds `bytes` to the reader of the journal, as they stand and as the content of lines whose
/// frame is whole; nothing may trap, and what is understood must be written again as it was.
///
/// Without the second reading no fuzzer would come past the checksum.
package func fuzzJournal(_ bytes: Span<UInt8>) {
    let whole = (0..<bytes.count).map { bytes[$0] }
    open(whole)
    open(Array(journalHeader.utf8) + whole)

    var framed = Array(journalHeader.utf8)
    var number: UInt64 = 0
    for line in whole.split(separator: 0x0A) where line.count <= 5000 {
        let content = Array("\(number + 1) ".utf8) + line
        let length = String(content.count)
        let covered =
            Array((String(repeating: "0", count: max(0, 4 - length.utf8.count)) + length).utf8)
            + [0x20] + content
        let checksum = String(crc32c(covered.span), radix: 16)
        let padding = String(repeating: "0", count: 8 - checksum.utf8.count)
        let framedLine = Array((padding + checksum + " ").utf8) + covered
        guard let command = try? readJournalLine(framedLine.span, number: number + 1) else {
            continue
        }
        guard command.isKeepable else { continue }
        let written = journalLine(command, number: number + 1)
        precondition(written.count <= journalLineMax, "the longest order has room")
        let again = try? readJournalLine(
            written.span.extracting(0..<written.count - 1), number: number + 1)
        precondition(again == command, "an order reads back")
        framed += written
        number += 1
    }
    open(framed)
}

/// Opens a journal of these bytes, adds an order, and opens it again.
private func open(_ bytes: [UInt8]) {
    let now = UnixSeconds(1_800_000_000)
    guard var journal = try? Journal.open(MemoryFile(bytes: bytes), now: now),
        let subject = try? Subject("fuzz")
    else { return }
    let order = Command(.neutralize(until: nil), subject, at: now, reason: "", by: "")
    guard (try? journal.append(order)) != nil else {
        preconditionFailure("a journal that opened takes an order")
    }
    let kept = journal.opening.commands.filter {
        $0.subject != subject && !$0.isForgettable(at: now)
    }
    let file = journal.reopening()
    guard let reopened = try? Journal.open(file, now: now) else {
        preconditionFailure("a journal opens again")
    }
    let found = reopened.opening.commands.filter { !$0.isForgettable(at: now) }
    precondition(found == kept + [order], "what was there is there")
}

/// A disk that never fails.
struct MemoryFile: JournalFile {
    var bytes: [UInt8]
    var staged: [UInt8] = []

    mutating func read() -> [UInt8] { bytes }
    mutating func write(_ new: [UInt8], at offset: Int) {
        bytes.removeSubrange(min(offset, bytes.count)...)
        bytes += new
    }
    mutating func sync() {}
    mutating func truncate(to length: Int) { bytes.removeSubrange(min(length, bytes.count)...) }
    mutating func stage(_ new: [UInt8]) { staged = new }
    mutating func adoptStaged() { bytes = staged }
}
