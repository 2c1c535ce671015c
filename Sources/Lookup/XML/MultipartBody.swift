// MultipartBody.swift: the parts of a multipart body, RFC 2046 §5.1.

/// One part, as places in the body it is a part of.
struct BodyPart {
    /// Value of its Content-Type; empty when there is none.
    var type = 0..<0
    /// Value of its Content-Transfer-Encoding.
    var encoding = 0..<0
    var content = 0..<0
}

/// Takes a whole multipart body apart.
enum MultipartBody {
    static let partsMax = 64
    /// Bytes the headers of one part may take.
    static let headersLengthMax = 8192

    /// The parts of a body whose Content-Type is given.
    static func parts(
        _ body: Span<UInt8>, contentType: Span<UInt8>
    ) throws(Unparsed) -> [BodyPart] {
        guard let boundary = mediaParameter(contentType, "boundary"),
            (1...70).contains(boundary.count)
        else { throw .malformed }
        var parts: [BodyPart] = []
        guard var place = delimiter(body, boundary.span, from: 0) else {
            // A body that begins like a part and never says so has lost its beginning or its end.
            throw body.isEmpty ? .truncated : .malformed
        }
        while !place.isLast {
            guard parts.count < partsMax else { throw .tooDeep }
            var part = try headers(body, from: place.end)
            guard let next = delimiter(body, boundary.span, from: part.content.lowerBound) else {
                throw .truncated
            }
            part.content = part.content.lowerBound..<max(next.start, part.content.lowerBound)
            parts.append(part)
            place = next
        }
        guard !parts.isEmpty else { throw .malformed }
        return parts
    }

    /// The next line that is the boundary: where what stands before ends, and what follows begins.
    private static func delimiter(
        _ body: Span<UInt8>, _ boundary: Span<UInt8>, from start: Int
    ) -> (start: Int, end: Int, isLast: Bool)? {
        var line = start
        while line < body.count {
            if let found = boundaryLine(body, boundary, at: line) {
                var before = line
                if before > start, body[before - 1] == 0x0A { before -= 1 }
                if before > start, body[before - 1] == 0x0D { before -= 1 }
                return (before, found.end, found.isLast)
            }
            while line < body.count, body[line] != 0x0A { line += 1 }
            line += 1
        }
        return nil
    }

    private static func boundaryLine(
        _ body: Span<UInt8>, _ boundary: Span<UInt8>, at line: Int
    ) -> (end: Int, isLast: Bool)? {
        let dash = UInt8(ascii: "-")
        var offset = line + 2 + boundary.count
        guard offset <= body.count, body[line] == dash, body[line + 1] == dash else { return nil }
        for index in boundary.indices where body[line + 2 + index] != boundary[index] {
            return nil
        }
        var isLast = false
        if offset + 1 < body.count, body[offset] == dash, body[offset + 1] == dash {
            isLast = true
            offset += 2
        }
        while offset < body.count, body[offset] == 0x20 || body[offset] == 0x09 { offset += 1 }
        if offset < body.count, body[offset] == 0x0D { offset += 1 }
        if isLast, offset == body.count { return (offset, true) }
        guard offset < body.count, body[offset] == 0x0A else { return nil }
        return (offset + 1, isLast)
    }

    private static func headers(_ body: Span<UInt8>, from start: Int) throws(Unparsed) -> BodyPart {
        var part = BodyPart()
        var line = start
        while true {
            var end = line
            while end < body.count, body[end] != 0x0A {
                end += 1
                guard end - start <= headersLengthMax else { throw .malformed }
            }
            guard end < body.count else { throw .truncated }
            let next = end + 1
            if end > line, body[end - 1] == 0x0D { end -= 1 }
            if end == line {
                part.content = next..<next
                return part
            }
            try note(body, line..<end, in: &part)
            line = next
        }
    }

    private static func note(
        _ body: Span<UInt8>, _ line: Range<Int>, in part: inout BodyPart
    ) throws(Unparsed) {
        if body[line.lowerBound] == 0x20 || body[line.lowerBound] == 0x09 {
            // A folded line: what is read of the field it goes on with, stands in its first line,
            // but for parameters, which may follow.
            if part.type.upperBound > 0, isFold(body, part.type.upperBound, line.lowerBound) {
                part.type = part.type.lowerBound..<line.upperBound
            }
            return
        }
        var colon = line.lowerBound
        while colon < line.upperBound, body[colon] != UInt8(ascii: ":") { colon += 1 }
        guard colon < line.upperBound else { throw .malformed }
        let name = body.extracting(line.lowerBound..<colon)
        let value = (colon + 1)..<line.upperBound
        if spellsFolded(name, "content-type") {
            part.type = value
        } else if spellsFolded(name, "content-transfer-encoding") {
            part.encoding = value
        }
    }

    /// Whether there is but a line's end between two places.
    private static func isFold(_ body: Span<UInt8>, _ end: Int, _ start: Int) -> Bool {
        guard end <= start, start - end <= 2 else { return false }
        for index in end..<start where body[index] != 0x0D && body[index] != 0x0A { return false }
        return true
    }
}
