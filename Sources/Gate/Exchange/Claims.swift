// Claims.swift: what a client says of its own request and nobody vouches for, kept for the record.

internal import Record
internal import Wire

/// What the line of an exchange says besides what was decided and delivered.
struct RecordNotes {
    var claims = Claims()
    /// How much more the tightest limit that was charged allows.
    var left: UInt64?
    /// `,"list":"…"`: the state of the neutralization list it was decided under.
    var list: [UInt8] = []

    mutating func begin(on worker: WorkerCore) {
        claims.forget()
        left = nil
        worker.left = nil
        list = worker.listRecord
    }
}

/// The client's own id of a request, and the way it says the request came; kept by its exchange,
/// so that no request allocates.
struct Claims {
    /// Bytes of an id that is kept; a longer one is none.
    static let idMax = 128
    /// Bytes kept of the chain of addresses.
    static let chainMax = 200

    private var id: [UInt8] = []
    private var isIDDropped = false
    private var chain: [UInt8] = []

    mutating func forget() {
        id.removeAll(keepingCapacity: true)
        isIDDropped = false
        chain.removeAll(keepingCapacity: true)
    }

    /// Takes the first `X-Request-Id`, and every `X-Forwarded-For` and `Forwarded` in order.
    mutating func take(_ head: borrowing RequestHead, _ bytes: Span<UInt8>) {
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            switch field.known {
            case .requestID: takeID(bytes.extracting(field.value))
            case .forwardedFor, .forwarded: takeChain(bytes.extracting(field.value))
            default: break
            }
        }
    }

    private mutating func takeID(_ value: Span<UInt8>) {
        guard id.isEmpty, !isIDDropped, !value.isEmpty else { return }
        guard value.count <= Self.idMax else {
            isIDDropped = true
            return
        }
        for index in value.indices {
            guard value[index] >= 0x20, value[index] < 0x7F else {
                id.removeAll(keepingCapacity: true)
                isIDDropped = true
                return
            }
            id.append(value[index])
        }
    }

    private mutating func takeChain(_ value: Span<UInt8>) {
        guard !value.isEmpty else { return }
        if !chain.isEmpty { append(", ") }
        for index in value.indices {
            guard chain.count < Self.chainMax else { return }
            let byte = value[index]
            chain.append(byte >= 0x20 && byte < 0x7F ? byte : 0x3F)
        }
    }

    private mutating func append(_ text: StaticString) {
        for offset in 0..<text.utf8CodeUnitCount where chain.count < Self.chainMax {
            // Safe because offset is below the length of the text, which lives for ever.
            chain.append(unsafe text.utf8Start[offset])
        }
    }

    /// Writes `,"request_in":"…","forwarded":"…"`, as far as there is any.
    func write(to writer: borrowing LineWriter) {
        if !id.isEmpty {
            writer.raw(",\"request_in\":\"")
            writer.escaped(id.span)
            writer.raw("\"")
        } else if isIDDropped {
            writer.raw(",\"request_in_dropped\":true")
        }
        if !chain.isEmpty {
            writer.raw(",\"forwarded\":\"")
            writer.escaped(chain.span)
            writer.raw("\"")
        }
    }
}
