// DirectoryReader.swift: the lines of one file, block by block, each byte looked at once.

/// Reads one file into a builder.
struct DirectoryReader {
    /// Bytes of a line; an extract's takes some 500.
    static let lineMax = 64 << 10
    /// Bytes of a file; the national extract has about one GiB.
    static let fileMax = 8 << 30

    /// Whether it is the newest edition, so that who is in it is there today.
    let isCurrent: Bool
    /// Which of the files it is.
    let file: Int
    private var header: DirectoryHeader?
    private(set) var line = 0
    /// Where each column of the line that is read stands.
    private var found = [Range<Int>](repeating: 0..<0, count: DirectoryHeader.Column.allCases.count)
    private var scratch: [UInt8] = []
    /// Within a line that is longer than any may be.
    private var isSkipping = false

    init(file: Int, isCurrent: Bool) {
        self.file = file
        self.isCurrent = isCurrent
    }

    /// Reads the whole lines of a block, of the last block also a line without end; answers how
    /// many bytes are done with.
    mutating func read(
        _ bytes: Span<UInt8>, isLast: Bool, into builder: inout DirectoryBuilder,
        _ note: (Int, DirectoryFault) -> Void
    ) throws(DirectoryFault) -> Int {
        var start = 0
        while start < bytes.count {
            guard let end = try readLine(bytes, start, isLast: isLast, &builder, note) else {
                break
            }
            start = end
        }
        if isLast, line == 0 { throw .empty }
        return start
    }

    /// Reads one line; answers where the next begins, nil when this one goes on in the next block.
    private mutating func readLine(
        _ bytes: Span<UInt8>, _ start: Int, isLast: Bool, _ builder: inout DirectoryBuilder,
        _ note: (Int, DirectoryFault) -> Void
    ) throws(DirectoryFault) -> Int? {
        guard let header else { return try readHeader(bytes, start, isLast: isLast) }
        let separator = header.separator
        for index in found.indices { found[index] = 0..<0 }
        var (column, from, end) = (0, start, start)
        while end < bytes.count, bytes[end] != 0x0A {
            if bytes[end] == separator {
                keep(header, column, bytes, from..<end)
                column += 1
                from = end + 1
            }
            end += 1
        }
        let hasEnd = end < bytes.count
        guard end - start <= Self.lineMax, !isSkipping else {
            // The rest of it is passed over as it comes.
            if !isSkipping {
                line += 1
                note(line, .lineTooLong)
            }
            isSkipping = !hasEnd
            return hasEnd ? end + 1 : end
        }
        guard hasEnd || isLast else { return nil }
        line += 1
        let last = end > start && bytes[end - 1] == 0x0D ? end - 1 : end
        if last > from {
            keep(header, column, bytes, from..<last)
            column += 1
        } else if column < header.count, last > start {
            // An empty last column, where the header does not end in a separator.
            column += 1
        }
        guard last > start else { return hasEnd ? end + 1 : end }
        if column != header.count {
            guard hasEnd || column > header.count else { throw .cutShort }
            note(line, .columns(found: column, of: header.count))
        }
        try take(bytes, header, isWhole: column == header.count, &builder, note)
        return hasEnd ? end + 1 : end
    }

    @inline(__always)
    private mutating func keep(
        _ header: DirectoryHeader, _ column: Int, _ bytes: Span<UInt8>, _ range: Range<Int>
    ) {
        guard column < header.columns.count, let name = header.columns[column] else { return }
        found[name.rawValue] = plain(bytes, range)
    }

    /// A column without the blanks and the quotes around it.
    private func plain(_ bytes: Span<UInt8>, _ range: Range<Int>) -> Range<Int> {
        var (from, to) = (range.lowerBound, range.upperBound)
        func isAround(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x22 || byte == 0x09 }
        while from < to, isAround(bytes[from]) { from += 1 }
        while to > from, isAround(bytes[to - 1]) { to -= 1 }
        return from..<to
    }

    private mutating func readHeader(
        _ bytes: Span<UInt8>, _ start: Int, isLast: Bool
    ) throws(DirectoryFault) -> Int? {
        var end = start
        while end < bytes.count, bytes[end] != 0x0A { end += 1 }
        let hasEnd = end < bytes.count
        guard hasEnd || isLast || end - start > Self.lineMax else { return nil }
        guard end - start <= Self.lineMax else { throw .unknownFormat }
        let hasMark =
            end - start >= 3 && bytes[start] == 0xEF && bytes[start + 1] == 0xBB
            && bytes[start + 2] == 0xBF
        var last = end
        if last > start, bytes[last - 1] == 0x0D { last -= 1 }
        let from = hasMark ? start + 3 : start
        guard from < last, let read = DirectoryHeader(bytes.extracting(from..<last)) else {
            throw from < last ? .unknownFormat : .empty
        }
        header = read
        line = 1
        return hasEnd ? end + 1 : end
    }

    private mutating func take(
        _ bytes: Span<UInt8>, _ header: DirectoryHeader, isWhole: Bool,
        _ builder: inout DirectoryBuilder, _ note: (Int, DirectoryFault) -> Void
    ) throws(DirectoryFault) {
        if header.isCorrespondence {
            let isPair = try builder.addPair(
                adeli: bytes.extracting(found[DirectoryHeader.Column.adeli.rawValue]),
                rpps: bytes.extracting(found[DirectoryHeader.Column.rpps.rawValue]), file: file,
                line: line)
            if !isPair { note(line, .notACorrespondence) }
            return
        }
        let id = bytes.extracting(found[DirectoryHeader.Column.national.rawValue])
        guard let person = try builder.person(id) else {
            note(line, .notAProfessional)
            return
        }
        builder.hasExtract = true
        builder.people[person].flags |=
            isCurrent ? DirectoryBuilder.isListed : DirectoryBuilder.wasListed
        // Where columns are missing or too many, nobody knows which is which behind the key.
        guard isWhole, isCurrent else { return }
        takeStructures(bytes, person, &builder)
        takeProfession(bytes, person, &builder)
    }

    private mutating func takeStructures(
        _ bytes: Span<UInt8>, _ person: Int, _ builder: inout DirectoryBuilder
    ) {
        let own = found[DirectoryHeader.Column.structure.rawValue]
        builder.add(structure: bytes.extracting(own), to: person)
        // A hospital's certificates bear the FINESS of its legal entity.
        let others: [(DirectoryHeader.Column, UInt8, Int)] = [
            (.finess, UInt8(ascii: "1"), 9), (.legalFiness, UInt8(ascii: "1"), 9),
            (.siret, UInt8(ascii: "3"), 14),
        ]
        for (name, prefix, length) in others {
            let range = found[name.rawValue]
            guard range.count == length else { continue }
            scratch.removeAll(keepingCapacity: true)
            scratch.append(prefix)
            for index in range { scratch.append(bytes[index]) }
            builder.add(structure: scratch.span, to: person)
        }
    }

    private mutating func takeProfession(
        _ bytes: Span<UInt8>, _ person: Int, _ builder: inout DirectoryBuilder
    ) {
        let code = found[DirectoryHeader.Column.profession.rawValue]
        let category = found[DirectoryHeader.Column.category.rawValue]
        guard (1...4).contains(code.count) else { return }
        scratch.removeAll(keepingCapacity: true)
        for index in code { scratch.append(bytes[index]) }
        // A student of medicine bears the code of physicians.
        if category.count == 1, upper(bytes[category.lowerBound]) == UInt8(ascii: "E") {
            scratch += [UInt8(ascii: "/"), UInt8(ascii: "E")]
        }
        builder.add(profession: scratch.span, to: person)
    }
}
