// SegmentWalk.swift: finds one segment's entries: by its index, then in what stands behind it.

internal import RecordReading

/// Finds entries of one segment after another.
struct SegmentWalk {
    let query: RecordQuery
    let newestFirst: Bool
    let matches: (borrowing RecordedEntry) -> Bool

    /// Lines that are read together.
    private struct Piece {
        /// The number of the first in its segment, and where all of them are.
        let first: Int
        let range: Range<Int>
        /// Which of them are meant, in order; all when it is nil.
        var wanted: [Int]?
    }

    /// What an index proposes, and where it ends.
    private struct Plan {
        var pieces: [Piece] = []
        var lines = 0
        var bytes = 0
        var unreadable = 0
    }

    /// Pieces that the system is told of before they are read.
    private static let ahead = 256

    /// Gives what is found to `take` until it returns false, and then returns false.
    func entries(
        of segment: borrowing RecordSegment, indexAt path: String,
        _ pass: inout RecordSearch.Pass, _ take: (borrowing FoundEntry) -> Bool
    ) throws(RecordReadingError) -> Bool {
        let hasher = segment.hasher
        let plan = plan(segment, path, &pass)
        pass.record.addUnreadable(plan.unreadable, first: nil)
        if newestFirst {
            var found: [FoundEntry] = []
            try tail(of: segment, after: plan, hasher, &pass) {
                found.append($0)
                return true
            }
            for one in found.reversed() where !take(one) { return false }
            return try read(plan.pieces.reversed(), of: segment, &pass, take)
        }
        guard try read(plan.pieces, of: segment, &pass, take) else { return false }
        return try tail(of: segment, after: plan, hasher, &pass, take)
    }

    // MARK: What the index knows

    /// What to read; an index that turns out to be damaged is made anew, once.
    private func plan(
        _ segment: borrowing RecordSegment, _ path: String, _ pass: inout RecordSearch.Pass
    ) -> Plan {
        for isLast in [false, true] {
            do throws(IndexFlaw) {
                return try plan(SegmentIndex(path, of: segment), segment.hasher)
            } catch {
                if isLast || error == .missing { break }
            }
            do throws(RecordReadingError) {
                try makeIndex(of: segment, at: path) { _ in }
            } catch {
                pass.unindexed.append(error)
                break
            }
        }
        return Plan()
    }

    private func plan(
        _ index: SegmentIndex, _ hasher: TermHasher
    ) throws(IndexFlaw) -> Plan {
        var plan = Plan(
            lines: index.facts.lines, bytes: index.facts.bytes,
            unreadable: index.facts.unreadable)
        let lines = try candidates(index, hasher)
        if lines?.isEmpty == true { return plan }
        let layout = try index.layout()
        guard let lines else {
            // All of it is read, and what cannot be is counted then.
            plan.unreadable = 0
            for group in layout.groups where mayBe(group, layout) {
                plan.pieces.append(
                    Piece(
                        first: group * LineLayout.groupLines,
                        range: layout.range(ofGroup: group, end: plan.bytes)))
            }
            return plan
        }
        for line in lines.map({ Int($0) }) where mayBe(line / LineLayout.groupLines, layout) {
            let block = line / LineLayout.blockLines
            let first = block * LineLayout.blockLines
            if plan.pieces.last?.first == first {
                plan.pieces[plan.pieces.count - 1].wanted?.append(line)
            } else {
                plan.pieces.append(
                    Piece(
                        first: first, range: layout.range(ofBlock: block, end: plan.bytes),
                        wanted: [line]))
            }
        }
        return plan
    }

    private func mayBe(_ group: Int, _ layout: LineLayout) -> Bool {
        layout.mayBe(group, since: query.since, until: query.until)
    }

    /// The lines that may be asked for, in order; nil when the index cannot tell.
    private func candidates(
        _ index: SegmentIndex, _ hasher: TermHasher
    ) throws(IndexFlaw) -> [UInt32]? {
        var found: [UInt32]?
        for alternatives in query.terms(hasher) {
            var lines: [UInt32] = []
            for term in alternatives { lines += try index.lines(of: term) }
            if alternatives.count > 1 { lines = sortedOnce(lines) }
            found = found.map { common($0, lines) } ?? lines
            if found?.isEmpty == true { return [] }
        }
        if !query.request.isEmpty {
            let hash = shortened(hasher.hash(.request, query.request))
            let lines = try index.lines(ofRequest: hash)
            found = found.map { common($0, lines) } ?? lines
        }
        return found
    }

    private func read(
        _ pieces: [Piece], of segment: borrowing RecordSegment,
        _ pass: inout RecordSearch.Pass, _ take: (borrowing FoundEntry) -> Bool
    ) throws(RecordReadingError) -> Bool {
        var announced = 0
        for (index, piece) in pieces.enumerated() {
            while announced < min(pieces.count, index + Self.ahead) {
                segment.file.announce(pieces[announced].range)
                announced += 1
            }
            guard newestFirst else {
                guard try read(piece, of: segment, &pass, take) else { return false }
                continue
            }
            var found: [FoundEntry] = []
            _ = try read(piece, of: segment, &pass) {
                found.append($0)
                return true
            }
            for one in found.reversed() where !take(one) { return false }
        }
        return true
    }

    private func read(
        _ piece: Piece, of segment: borrowing RecordSegment,
        _ pass: inout RecordSearch.Pass, _ take: (borrowing FoundEntry) -> Bool
    ) throws(RecordReadingError) -> Bool {
        var line = piece.first
        var next = 0
        var read = 0
        var goesOn = true
        // No entries, or none any more though the index knew them for some.
        var unreadable = (count: 0, first: UInt64?.none)
        try segment.file.lines(piece.range) { text, at throws(RecordReadingError) in
            defer { line += 1 }
            if let wanted = piece.wanted {
                guard next < wanted.count else { return false }
                guard wanted[next] == line else { return true }
                next += 1
            }
            read += 1
            let given: Bool? =
                at.isTooLong
                ? nil : segment.plain(text, line) { give($0, line, at.place, segment, take) }
            if given == nil, piece.wanted != nil || !isOfTheRecordItself(text) {
                unreadable.count += 1
                unreadable.first = unreadable.first ?? segment.number(of: line)
            }
            goesOn = given ?? true
            return goesOn
        }
        pass.record.addUnreadable(unreadable.count, first: unreadable.first)
        pass.read += read
        return goesOn
    }

    // MARK: What it does not

    /// Reads what stands behind the index, or everything where there is none.
    @discardableResult
    private func tail(
        of segment: borrowing RecordSegment, after plan: Plan, _ hasher: TermHasher,
        _ pass: inout RecordSearch.Pass, _ take: (borrowing FoundEntry) -> Bool
    ) throws(RecordReadingError) -> Bool {
        var scanner = EntryScanner(hasher)
        let wanted = query.terms(hasher)
        var line = plan.lines
        var goesOn = true
        var unreadable = (count: 0, first: UInt64?.none)
        var read = 0
        let range = min(plan.bytes, segment.end)..<segment.end
        try segment.file.lines(range) { text, at throws(RecordReadingError) in
            defer { line += 1 }
            guard !isOfTheRecordItself(text) else { return true }
            // What nothing ends is only on its way.
            guard at.isEnded || segment.hasUnendedLines else { return false }
            segment.plain(text, line) { plain in
                guard let plain, !at.isTooLong, scanner.scan(plain) else {
                    if at.isEnded {
                        unreadable.count += 1
                        unreadable.first = unreadable.first ?? segment.number(of: line)
                    }
                    return
                }
                read += 1
                let terms = scanner.terms
                guard wanted.allSatisfy({ $0.contains(where: terms.contains) }) else { return }
                goesOn = give(plain, line, at.place, segment, take) ?? true
            }
            return goesOn
        }
        pass.record.addUnreadable(unreadable.count, first: unreadable.first)
        pass.read += read
        return goesOn
    }

    /// Gives an entry if it is asked for; false when no more is wanted, nil when it is none.
    private func give(
        _ plain: Span<UInt8>?, _ line: Int, _ offset: Int,
        _ segment: borrowing RecordSegment, _ take: (borrowing FoundEntry) -> Bool
    ) -> Bool? {
        guard let plain, var entry = RecordedEntry(line: plain) else { return nil }
        entry.sequence = segment.number(of: line)
        entry.segment = segment.segment.number
        entry.offset = offset
        guard matches(entry) else { return true }
        return take(FoundEntry(entry: entry, line: plain.indices.map { plain[$0] }))
    }
}

/// Numbers in order, each once.
private func sortedOnce(_ numbers: [UInt32]) -> [UInt32] {
    var once: [UInt32] = []
    for number in numbers.sorted() where once.last != number { once.append(number) }
    return once
}

/// What two ordered lists have in common.
private func common(_ left: [UInt32], _ right: [UInt32]) -> [UInt32] {
    var both: [UInt32] = []
    var (i, j) = (0, 0)
    while i < left.count, j < right.count {
        if left[i] == right[j] {
            both.append(left[i])
            i += 1
            j += 1
        } else if left[i] < right[j] {
            i += 1
        } else {
            j += 1
        }
    }
    return both
}
