// EntryScanner.swift: what an entry's line is found by, without making anything of the rest.
//
// Reads what `RecordedEntry` reads, in the same way: a line that is an entry to one is to both.

internal import Lookup
internal import RecordReading

/// Scans lines; keeps what it found of the last one.
struct EntryScanner {
    private let hasher: TermHasher
    /// Hashes of everything the line is found by; one may be there twice.
    private(set) var terms: [TermHash] = []
    /// Milliseconds since 1970.
    private(set) var time: UInt64 = 0
    /// Sixteen bits of its request's hash; 0 when it has none.
    private(set) var request: UInt16 = 0
    private var scratch: [UInt8] = []

    init(_ hasher: TermHasher) { self.hasher = hasher }

    /// Where the reader is in.
    private enum Field {
        case time, professional, structure, session, certificate, client, token, decision, event
        case delivery, request, persons, identifiers, other

        /// What its text is indexed as.
        var kind: TermKind? {
            switch self {
            case .professional: .professional
            case .structure: .structure
            case .session: .session
            case .certificate: .certificate
            case .client: .client
            case .token: .token
            case .event: .event
            case .time, .decision, .delivery, .request, .persons, .identifiers, .other: nil
            }
        }
    }

    /// Whether the line is an entry: an object with a time.
    mutating func scan(_ line: Span<UInt8>) -> Bool {
        terms.removeAll(keepingCapacity: true)
        request = 0
        var reader = JSONReader()
        var depth = 0
        var field = Field.other
        var hasTime = false
        do throws(Unparsed) {
            while true {
                switch try reader.next(line, isWhole: true) {
                case .key(let range, let hasEscapes):
                    if depth == 1 { field = named(line.extracting(range), hasEscapes) }
                case .string(let range, let hasEscapes):
                    let text = line.extracting(range)
                    if depth == 1, field == .time {
                        guard let moment = Moment(stamp: text) else { return false }
                        time = moment.milliseconds
                        hasTime = true
                    } else if depth == 1, field != .other {
                        take(field, text, hasEscapes)
                    } else if depth == 2, field == .persons {
                        terms.append(hasher.hash(person: hexadecimal(text)))
                    } else if depth == 3, field == .identifiers {
                        take(identifier: text, hasEscapes)
                    }
                case .beginObject, .beginArray: depth += 1
                case .endObject, .endArray: depth -= 1
                case .end: return hasTime
                case .more: return false
                case .number, .boolean, .null: break
                }
            }
        } catch {
            return false
        }
    }

    private mutating func take(_ field: Field, _ text: Span<UInt8>, _ hasEscapes: Bool) {
        guard !hasEscapes else {
            scratch.removeAll(keepingCapacity: true)
            appendUnescaped(text, to: &scratch)
            let plain = scratch
            return take(field, plain.span, false)
        }
        if let kind = field.kind {
            // Empty is what a reader makes of a field that is not there.
            if !text.isEmpty { terms.append(hasher.hash(kind, text)) }
            return
        }
        switch field {
        case .decision:
            if !spells(text, hasEscapes: false, "allow") {
                terms.append(hasher.hash(.decision, text))
            }
        case .delivery:
            if spells(text, hasEscapes: false, "aborted") {
                terms.append(hasher.hash(.delivery, text))
            }
        case .request: request = shortened(hasher.hash(.request, text))
        default: break
        }
    }

    private mutating func take(identifier text: Span<UInt8>, _ hasEscapes: Bool) {
        guard !hasEscapes else {
            scratch.removeAll(keepingCapacity: true)
            appendUnescaped(text, to: &scratch)
            let plain = scratch
            return take(identifier: plain.span, false)
        }
        if let hash = hasher.hash(identifier: text) { terms.append(hash) }
    }

    private mutating func named(_ key: Span<UInt8>, _ hasEscapes: Bool) -> Field {
        guard !hasEscapes else {
            scratch.removeAll(keepingCapacity: true)
            appendUnescaped(key, to: &scratch)
            let plain = scratch
            return named(plain.span, false)
        }
        func says(_ words: StaticString) -> Bool {
            // Safe because no word is empty, and neither is a key as long as one. Most keys differ
            // from the beginning.
            unsafe key[0] == words.utf8Start[0] && spells(key, hasEscapes: false, words)
        }
        switch key.count {
        case 4: return says("time") ? .time : .other
        case 5: return says("event") ? .event : says("token") ? .token : .other
        case 6: return says("client") ? .client : .other
        case 7:
            return says("request")
                ? .request : says("session") ? .session : says("persons") ? .persons : .other
        case 8:
            return says("decision")
                ? .decision : says("delivery") ? .delivery : says("withheld") ? .persons : .other
        case 9: return says("structure") ? .structure : .other
        case 11:
            return says("certificate") ? .certificate : says("identifiers") ? .identifiers : .other
        case 12: return says("professional") ? .professional : .other
        default: return .other
        }
    }
}

/// What is kept of a request's hash: never 0.
func shortened(_ hash: TermHash) -> UInt16 { max(1, UInt16(truncatingIfNeeded: hash)) }
