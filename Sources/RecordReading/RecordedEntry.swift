// RecordedEntry.swift: one entry of the record as its readers see it.

internal import Lookup

/// One patient of an entry.
package struct RecordedPerson: Hashable, Sendable {
    /// The keyed hash under which this gate knows the patient.
    package var key: UInt64
    /// `system|value` of each identifier the answer named the patient by, the best first; only
    /// sealed records hold them.
    package var identifiers: [String]
    /// What was shown of this patient.
    package var fields: [String]

    package init(key: UInt64, identifiers: [String] = [], fields: [String] = []) {
        self.key = key
        self.identifiers = identifiers
        self.fields = fields
    }

    /// The best identifier, or the keyed hash where the record holds none.
    package var name: String { identifiers.first ?? "patient:" + spelled(key) }
}

/// One entry of the record; texts are empty and numbers 0 where a line does not say.
package struct RecordedEntry: Equatable, Sendable {
    /// Its place in the record, the first being 0.
    package var sequence: UInt64 = 0
    /// The segment that holds it, and where its line begins in there.
    package var segment = 0
    package var offset = 0
    /// Milliseconds since 1970.
    package var time: UInt64 = 0
    /// What the kernel said of its clock: `synchronized`, `unsynchronized` or `unknown`.
    package var clock = ""

    /// What happened when it is no exchange: `signed-in`, `administration`, `record-read` and so on.
    package var event = ""
    package var request = ""
    /// The id the client gave its request.
    package var requestIn = ""
    package var peer = ""
    /// The chain of addresses the client claims.
    package var forwarded = ""
    package var tls = ""
    package var cipher = ""

    package var professional = ""
    package var structure = ""
    package var method = ""
    package var level = ""
    package var issuer = ""
    package var account = ""
    package var client = ""
    package var token = ""
    package var session = ""
    package var providerSession = ""
    package var certificate = ""

    package var route = ""
    package var action = ""
    package var decision = ""
    package var delivery = ""
    /// One word for a refusal.
    package var why = ""
    /// `FILE:LINE` of the rule that decided.
    package var rule = ""
    /// Version of the neutralization list that was in force.
    package var list = ""
    package var interaction = ""
    package var transaction = ""
    package var vague = ""
    package var finding = ""
    package var unparsed = ""

    package var status = 0
    package var bytes: UInt64?
    package var microseconds: UInt64 = 0
    package var generation: UInt64 = 0
    /// Lookups it was charged for, weights included.
    package var lookups = 0
    /// Lookups it made, before any weight; nil in lines that do not say.
    package var asked: Int?
    /// Patients it was charged for without anybody knowing who they are.
    package var assumed = 0
    package var page: Int?
    /// How much more the tightest limit allowed after it.
    package var left: UInt64?

    /// Whom it showed.
    package var persons: [RecordedPerson] = []
    /// Whom it would have shown, had a limit not refused it.
    package var withheld: [RecordedPerson] = []
    /// What was shown of them.
    package var fields: [String] = []
    /// The reason given for breaking the glass, which may be empty.
    package var breakGlass: String?
    package var isShadow = false

    /// What an administrator did, who it was, how it ended and on which ticket; of
    /// `administration` only.
    package var act = ""
    package var by = ""
    package var outcome = ""
    package var ticket = ""
    /// What the record was read for; of `record-read` only.
    package var what = ""
    /// Whom an administrator's act is about, as they were named; at most a hundred.
    package var subjects: [String] = []
    /// How many an event is about, where it says so.
    package var count = 0

    /// Bytes of a line that is read: 100,000 patients and more.
    package static let lengthMax = 16 << 20

    package init() {}

    /// Reads the JSON object of an entry; nil for what is none, or has no time.
    package init?(line: Span<UInt8>) {
        var reader = JSONReader()
        // The reader's own depth runs ahead of a key whose value is a list.
        var depth = 0
        var key = ""
        var hasTime = false
        var identifiers: [[String]] = []
        var masks: [UInt16] = []
        do throws(Unparsed) {
            while true {
                switch try reader.next(line, isWhole: true) {
                case .key(let range, _) where depth == 1:
                    key = text(line.extracting(range))
                case .string(let range, _):
                    let bytes = line.extracting(range)
                    if depth == 1, key == "time" {
                        guard let moment = Moment(stamp: bytes) else { return nil }
                        time = moment.milliseconds
                        hasTime = true
                    } else if depth == 1 {
                        take(key, text(bytes))
                    } else if depth == 3, key == "identifiers", !identifiers.isEmpty {
                        identifiers[identifiers.count - 1].append(text(bytes))
                    } else if depth == 2 {
                        takeElement(of: key, bytes)
                    }
                case .number(let range) where depth == 2 && key == "masks":
                    masks.append(UInt16(clamping: decimal(line.extracting(range))))
                case .number(let range) where depth == 1:
                    take(key, number: decimal(line.extracting(range)))
                case .boolean(let value) where depth == 1 && key == "shadow": isShadow = value
                case .beginObject, .beginArray:
                    depth += 1
                    if depth == 3, key == "identifiers" { identifiers.append([]) }
                case .endObject, .endArray: depth -= 1
                case .end:
                    guard hasTime else { return nil }
                    name(identifiers, masks)
                    return
                case .more: return nil
                default: break
                }
            }
        } catch {
            return nil
        }
    }

    /// `identifiers` and `masks` run parallel to whichever list of patients the line has.
    private mutating func name(_ identifiers: [[String]], _ masks: [UInt16]) {
        func named(_ persons: [RecordedPerson]) -> [RecordedPerson] {
            persons.enumerated().map { index, person in
                RecordedPerson(
                    key: person.key,
                    identifiers: index < identifiers.count ? identifiers[index] : [],
                    fields: index < masks.count ? fieldNames(masks[index]) : fields)
            }
        }
        persons = named(persons)
        withheld = named(withheld)
    }

    private mutating func takeElement(of key: String, _ bytes: Span<UInt8>) {
        switch key {
        case "persons": persons.append(RecordedPerson(key: hexadecimal(bytes)))
        case "withheld": withheld.append(RecordedPerson(key: hexadecimal(bytes)))
        case "fields": fields.append(text(bytes))
        case "subjects": subjects.append(text(bytes))
        default: break
        }
    }

    private mutating func take(_ key: String, _ value: String) {
        if let path = Self.texts[key] {
            self[keyPath: path] = value
        } else if key == "break_glass" {
            breakGlass = value
        }
    }

    private static let texts: [String: any WritableKeyPath<RecordedEntry, String> & Sendable] = [
        "clock": \.clock, "event": \.event, "request": \.request, "request_in": \.requestIn,
        "peer": \.peer, "forwarded": \.forwarded, "tls": \.tls, "cipher": \.cipher,
        "professional": \.professional, "structure": \.structure, "method": \.method,
        "level": \.level, "issuer": \.issuer, "account": \.account, "client": \.client,
        "token": \.token, "session": \.session, "provider_session": \.providerSession,
        "certificate": \.certificate, "route": \.route, "action": \.action,
        "decision": \.decision, "delivery": \.delivery, "why": \.why, "rule": \.rule,
        "list": \.list, "interaction": \.interaction, "transaction": \.transaction,
        "act": \.act, "by": \.by, "what": \.what, "vague": \.vague, "finding": \.finding,
        "unparsed": \.unparsed, "outcome": \.outcome, "ticket": \.ticket,
    ]

    private mutating func take(_ key: String, number: UInt64) {
        switch key {
        case "sequence": sequence = number
        case "status": status = Int(clamping: number)
        case "bytes": bytes = number
        case "microseconds": microseconds = number
        case "generation": generation = number
        case "lookups": lookups = Int(clamping: number)
        case "asked": asked = Int(clamping: number)
        case "assumed": assumed = Int(clamping: number)
        case "page": page = Int(clamping: number)
        case "left": left = number
        case "count": count = Int(clamping: number)
        default: break
        }
    }
}

/// The names of the fields in a mask, whose bits are those of `IdentityFields`.
private func fieldNames(_ mask: UInt16) -> [String] {
    IdentityFields.names.enumerated().compactMap { bit, name in
        mask >> UInt16(bit) & 1 == 1 ? String(describing: name) : nil
    }
}

/// A keyed hash as the record spells it, in sixteen hexadecimal digits.
package func spelled(_ key: UInt64) -> String {
    let digits = String(key, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
}

private func text(_ bytes: Span<UInt8>) -> String {
    var plain: [UInt8] = []
    appendUnescaped(bytes, to: &plain)
    return String(decoding: plain, as: UTF8.self)
}

/// The value of sixteen hexadecimal digits; of anything else, some value that stays the same.
package func hexadecimal(_ digits: Span<UInt8>) -> UInt64 {
    var value: UInt64 = 0
    for index in digits.indices {
        let byte = digits[index]
        let digit =
            byte >= 0x30 && byte <= 0x39
            ? byte - 0x30 : byte | 0x20 >= 0x61 ? (byte | 0x20) - 0x57 : 0
        value = value << 4 | UInt64(digit & 15)
    }
    return value
}

/// The digits up to the first byte that is none, or up to 18 of them.
private func decimal(_ digits: Span<UInt8>) -> UInt64 {
    var value: UInt64 = 0
    for index in digits.indices where index < 18 {
        guard (0x30...0x39).contains(digits[index]) else { break }
        value = value * 10 + UInt64(digits[index] - 0x30)
    }
    return value
}
