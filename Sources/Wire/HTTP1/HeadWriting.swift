// HeadWriting.swift: what is forwarded, written afresh from what was parsed; nothing is passed through.

extension Buffer {
    /// Appends the fields of a request that go on to the identity server, one `name: value` line
    /// each, in the order they came.
    ///
    /// Left out: fields of one connection, those `Connection` nominated, those the caller writes
    /// itself (Host, Content-Length, Expect), every field by which the gate says who asks, those
    /// that would make another method of the one that was judged, and whatever is in `more`. `bytes` are those the head was parsed from, and not this buffer's.
    package func appendEndToEndFields(
        of head: borrowing RequestHead, in bytes: Span<UInt8>, without more: FieldSet = []
    ) {
        let dropped = FieldSet.hopByHop.union(.rewritten).union(.identity)
            .union([.methodOverride]).union(more)
        appendFields(of: head.section, in: bytes, without: dropped)
    }

    /// Appends the fields of an answer that go on to the client, one `name: value` line each.
    ///
    /// Left out: fields of one connection, those `Connection` nominated, Content-Length (the
    /// caller's) and whatever is in `more`. `bytes` are those the head was parsed from, and not
    /// this buffer's.
    package func appendEndToEndFields(
        of head: borrowing ResponseHead, in bytes: Span<UInt8>, without more: FieldSet = []
    ) {
        let dropped = FieldSet.hopByHop.union(.rewritten).union(more)
        appendFields(of: head.section, in: bytes, without: dropped)
    }

    /// Copies runs of lines that already read as they would be written; writes the others.
    private func appendFields(
        of section: borrowing FieldSection, in bytes: Span<UInt8>, without dropped: FieldSet
    ) {
        var run = 0..<0
        for index in 0..<section.fields.count {
            let field = section.fields[index]
            if dropped.contains(field.known) || field.isNominated { continue }
            if field.isCanonical {
                // The line, CRLF included, which parsing found to be there.
                let line = field.name.lowerBound..<(field.value.upperBound + 2)
                if line.lowerBound == run.upperBound {
                    run = run.lowerBound..<line.upperBound
                } else {
                    append(bytes.extracting(run))
                    run = line
                }
            } else {
                append(bytes.extracting(run))
                run = 0..<0
                append(bytes.extracting(field.name))
                append(": ")
                append(bytes.extracting(field.value))
                append("\r\n")
            }
        }
        append(bytes.extracting(run))
    }

    /// Appends the path and query as they came, whatever form the target had; or `*`.
    ///
    /// A CONNECT has neither: nothing is appended.
    package func appendOriginTarget(of head: borrowing RequestHead, in bytes: Span<UInt8>) {
        if head.target.form == .asterisk {
            append("*")
            return
        }
        append(bytes.extracting(head.target.path))
        if let query = head.target.query {
            append("?")
            append(bytes.extracting(query))
        }
    }

    /// Appends the path with each percent-encoded unreserved character decoded and the other
    /// encodings in upper case, so that equivalent paths become equal (RFC 3986 §6.2.2).
    package func appendNormalizedPath(of head: borrowing RequestHead, in bytes: Span<UInt8>) {
        let path = head.target.path
        guard head.target.pathHasEscapes else {
            append(bytes.extracting(path))
            return
        }
        var index = path.lowerBound
        while index < path.upperBound {
            let byte = bytes[index]
            // INVARIANT: two digits follow, in the path; parsing refused anything else.
            if byte == Ascii.percent, index + 2 < path.upperBound,
                let high = Ascii.hexValue(bytes[index + 1]),
                let low = Ascii.hexValue(bytes[index + 2])
            {
                let decoded = high << 4 | low
                if ByteSet.unreserved.contains(decoded) {
                    append(decoded)
                } else {
                    append(byte)
                    append(hexDigit(high, letters: 0x41))
                    append(hexDigit(low, letters: 0x41))
                }
                index += 3
            } else {
                append(byte)
                index += 1
            }
        }
    }

    /// Appends the data as one chunk; nothing when there is none, since an empty chunk is the last.
    package func appendChunk(_ data: Span<UInt8>) {
        guard !data.isEmpty else { return }
        appendChunkStart(length: data.count)
        append(data)
        appendChunkEnd()
    }

    /// Appends what comes before the data of a chunk of this length, which is not zero.
    package func appendChunkStart(length: Int) {
        precondition(length > 0, "an empty chunk would end the body")
        var shift = (Int.bitWidth - 1 - length.leadingZeroBitCount) & ~3
        while shift >= 0 {
            append(hexDigit(UInt8(truncatingIfNeeded: length >> shift) & 0xF, letters: 0x61))
            shift -= 4
        }
        append("\r\n")
    }

    /// Appends what comes after the data of a chunk.
    package func appendChunkEnd() { append("\r\n") }

    /// Appends the end of a chunked body, without trailers.
    package func appendLastChunk() { append("0\r\n\r\n") }
}

/// The digit of a value from 0 to 15; letters begin at this one.
private func hexDigit(_ value: UInt8, letters: UInt8) -> UInt8 {
    value < 10 ? value + Ascii.zero : value - 10 + letters
}
