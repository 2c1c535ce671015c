// Chunked.swift: chunked bodies, whole and in pieces, and written again.

import Wire

extension FuzzTarget {
    static let chunked = FuzzTarget(name: "chunked") { bytes in
        let whole = body(of: bytes, step: max(bytes.count, 1))
        for step in 1...3 {
            precondition(body(of: bytes, step: step) == whole, "pieces make the same body")
        }
        guard let end = whole.end else { return }
        precondition(end <= bytes.count, "ends within its bytes")

        let buffer = Buffer(capacity: 16)
        buffer.appendChunk(whole.data.span)
        buffer.appendLastChunk()
        buffer.withBytes { written in
            let again = body(of: written, step: written.count)
            precondition(again.end == written.count, "what is written is a whole body")
            precondition(again.data == whole.data, "what is written is the same body")
        }
    }

    private struct Body: Equatable {
        var data: [UInt8] = []
        var end: Int?
        var error: ChunkError?
    }

    private static func body(of bytes: Span<UInt8>, step: Int) -> Body {
        var decoder = ChunkedDecoder()
        var body = Body()
        var start = 0
        while start < bytes.count {
            let piece = bytes.extracting(start..<min(start + step, bytes.count))
            var offset = 0
            reading: while true {
                let event: ChunkEvent
                do {
                    event = try decoder.next(piece, from: offset)
                } catch {
                    body.error = error
                    return body
                }
                switch event {
                case .data(let range):
                    precondition(!range.isEmpty && range.lowerBound >= offset, "data moves on")
                    for index in range { body.data.append(piece[index]) }
                    offset = range.upperBound
                case .needMore(let consumed):
                    precondition(consumed == piece.count, "all is consumed")
                    break reading
                case .end(let consumed):
                    body.end = start + consumed
                    return body
                }
            }
            start += piece.count
        }
        return body
    }
}
