// LookupRulesReading.swift: the keys by which a route judges lookups and their answers.

import Lookup

extension Reading {
    /// Keys of a route that need `lookups`.
    static let lookupKeys = [
        "interactions", "operations", "vague", "vague_weight", "count_max", "weights", "unparsed",
        "unparsed_charge", "answer_max", "break_glass",
    ]

    /// Which lookups have a use for a key that not all have.
    private static let keysOfSome: [(key: String, words: [String])] = [
        ("operations", ["fhir"]), ("vague", ["fhir", "hl7v3"]),
        ("vague_weight", ["fhir", "hl7v3"]),
        ("count_max", ["fhir", "hl7v3"]),
    ]

    func lookupRules(
        _ fields: Fields, _ lookups: Route.Lookups, routeLimits: Int?, _ names: RouteNames
    ) -> LookupRules? {
        guard lookups != .none else {
            refuseWithoutLookups(fields)
            return nil
        }
        for (key, words) in Self.keysOfSome where !words.contains(lookups.word) {
            guard let entry = fields[key] else { continue }
            problems.error(
                entry.place, "`\(key)` has no meaning where `lookups` is \(shown(lookups))",
                hint: "it goes with `lookups: \(words.joined(separator: "` or `"))`")
        }
        let operations = fields.texts("operations", countMax: 64) {
            (scalar) throws(Complaint) in try scalar.operation()
        }
        return LookupRules(
            interactions: interactions(fields, lookups),
            interactionsPlace: fields.place(of: "interactions"),
            operations: Set(operations.map(\.value)),
            operationsPlace: fields.place(of: "operations"), vague: vague(fields),
            vaguePlace: fields.place(of: "vague"),
            countMax: fields.optional("count_max", default: LookupRules.countMaxDefault) {
                (scalar) throws(Complaint) in
                try scalar.number(1...1000)
            }, weights: weights(fields, lookups), unparsed: unparsed(fields),
            unparsedPlace: fields.place(of: "unparsed"),
            answerMax: fields.optional("answer_max", default: 8 << 20) {
                (scalar) throws(Complaint) in try scalar.size(min: 64 << 10, max: 256 << 20)
            }, breakGlass: breakGlass(fields, routeLimits, names))
    }

    private func shown(_ lookups: Route.Lookups) -> String {
        if case .declared = lookups { return lookups.word }
        return quoted(lookups.word)
    }

    private func refuseWithoutLookups(_ fields: Fields) {
        // A value of `lookups` that is wrong has been told; what depends on it is not known.
        if case .scalar(let text, _)? = fields["lookups"]?.value.content, text != "none" { return }
        for key in Self.lookupKeys {
            guard let entry = fields[key] else { continue }
            problems.error(
                entry.place, "`\(key)` has no meaning on a route without lookups",
                hint: "say what is spoken: `lookups: fhir`, `hl7v3`, `insi`, or an extractor")
        }
    }

    private func interactions(_ fields: Fields, _ lookups: Route.Lookups) -> Interactions {
        guard let entry = fields["interactions"] else { return .standard }
        if isEmptyList(entry) {
            problems.error(
                entry.place, "`interactions` is empty",
                hint: "remove it to mean all but the unbounded")
        }
        var interactions: Interactions = []
        let read = fields.texts("interactions", countMax: 64) { (scalar) throws(Complaint) in
            try scalar.interaction(of: lookups)
        }
        for (interaction, place) in read {
            let word = quoted(interaction.rawValue)
            if interactions.contains(interaction) {
                problems.error(place, "duplicate interaction \(word)")
            } else if interaction.isUnbounded {
                problems.warning(
                    place, "one answer to \(word) can hold every patient there is",
                    hint: "keep its route to few `allow.professionals`, and its limits low")
            }
            interactions.insert(Interactions(interaction))
        }
        return interactions
    }

    private func vague(_ fields: Fields) -> LookupRules.Vague {
        let word = fields.optional("vague", default: VagueWord.refuse) {
            (scalar) throws(Complaint) in try scalar.word(VagueWord.self)
        }
        let weight = fields.optional("vague_weight", default: 10) { (scalar) throws(Complaint) in
            try scalar.number(2...1000)
        }
        if word != .weigh, let entry = fields["vague_weight"] {
            problems.error(entry.place, "`vague_weight` goes with `vague: weigh` only")
        }
        switch word {
        case .refuse: return .refuse
        case .weigh: return .weigh(weight)
        case .allow: return .allow
        }
    }

    private func unparsed(_ fields: Fields) -> LookupRules.Unparsed {
        let word = fields.optional("unparsed", default: UnparsedWord.withhold) {
            (scalar) throws(Complaint) in try scalar.word(UnparsedWord.self)
        }
        let charge = fields.optional("unparsed_charge", default: 20) {
            (scalar) throws(Complaint) in try scalar.number(1...10_000)
        }
        if word != .charge, let entry = fields["unparsed_charge"] {
            problems.error(entry.place, "`unparsed_charge` goes with `unparsed: charge` only")
        }
        return word == .charge ? .charge(charge) : .withhold
    }

    private func weights(
        _ fields: Fields, _ lookups: Route.Lookups
    ) -> [(interaction: Interactions, lookups: Int)] {
        guard let entry = fields["weights"] else { return [] }
        guard case .mapping(let entries) = entry.value.content else {
            problems.error(
                entry.value.place, "`weights` must be a mapping, not \(entry.value.kind)",
                hint: "such as `{match: 5}`")
            return []
        }
        return entries.compactMap { entry in
            do throws(Complaint) {
                let word = Scalar(text: entry.key, isQuoted: false, place: entry.place)
                let interaction = try word.interaction(of: lookups)
                guard interaction.isLookup else {
                    throw Complaint(
                        "\(quoted(entry.key)) discloses nobody, so it counts for nothing")
                }
                let weight = scalar(entry.value, called: entry.key, problems) {
                    (scalar) throws(Complaint) in try scalar.number(1...1000)
                }
                return weight.map { (Interactions(interaction), $0) }
            } catch {
                problems.error(entry.place, "`weights`: \(error.message)", hint: error.hint)
                return nil
            }
        }
    }

    private func breakGlass(
        _ fields: Fields, _ routeLimits: Int?, _ names: RouteNames
    ) -> BreakGlass? {
        guard let entry = fields["break_glass"],
            let glass = Fields(
                entry.value, of: "`break_glass`", keys: ["header", "limits"], problems: problems)
        else { return nil }
        let header = glass.required("header") { (scalar) throws(Complaint) in
            try scalar.ownHeader()
        }
        let limits = glass.required("limits") { (scalar) throws(Complaint) -> Int in
            let index = try names.limits.index(of: scalar.text, kind: "limits")
            guard index != routeLimits || !names.limits.built.contains(scalar.text) else {
                throw Complaint(
                    "\(quoted(scalar.text)) are the route's own limits",
                    hint: "whoever breaks the glass is counted by other limits")
            }
            return index
        }
        if fields["limits"] == nil {
            problems.error(
                entry.place, "`break_glass` without `limits`",
                hint: "there is no glass to break: add `limits`")
        }
        guard let header, let limits else { return nil }
        return BreakGlass(header: header, limits: limits, place: entry.place)
    }
}

private enum VagueWord: String, CaseIterable {
    case refuse
    case weigh
    case allow
}

private enum UnparsedWord: String, CaseIterable {
    case withhold
    case charge
}

extension Scalar {
    /// A protocol, `none`, or the name of an extractor.
    func lookups(_ extractors: Names) throws(Complaint) -> Route.Lookups {
        switch text {
        case "fhir": return .fhir
        case "hl7v3": return .hl7v3
        case "insi": return .insi
        case "none": return .none
        default: break
        }
        if let index = extractors.built.firstIndex(of: text) { return .declared(index) }
        if extractors.written.contains(text) || !extractors.areAllKnown { return .declared(0) }
        throw Complaint(
            "unknown value \(quoted(text))",
            hint: hint(for: text, among: Route.Lookups.words + extractors.written))
    }

    fileprivate func interaction(of lookups: Route.Lookups) throws(Complaint) -> Interaction {
        let known = lookups.interactions.map(\.rawValue)
        guard let interaction = Interaction(rawValue: text) else {
            throw Complaint(
                "unknown interaction \(quoted(text))", hint: hint(for: text, among: known))
        }
        guard known.contains(text) else {
            throw Complaint(
                "\(quoted(text)) cannot be asked where `lookups` is \(lookups.word)",
                hint: "known there: \(known.joined(separator: ", "))")
        }
        return interaction
    }

    /// An operation's name as FHIR writes it, without its `$`.
    fileprivate func operation() throws(Complaint) -> String {
        let bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "$") {
            throw Complaint("\(quoted(text)) begins with `$`", hint: "write the name alone")
        }
        let isNamed = bytes.allSatisfy { isLetter($0) || isDigit($0) || ".-_".utf8.contains($0) }
        guard isNamed, (1...64).contains(bytes.count) else {
            throw Complaint(
                "\(quoted(text)) is not an operation's name", hint: "such as `lastn`")
        }
        return text
    }

    /// The name of a header that neither HTTP nor the gate has a use for, in lower case.
    fileprivate func ownHeader() throws(Complaint) -> String {
        let bytes = Array(text.utf8)
        // token of RFC 9110 §5.6.2.
        let isToken = bytes.allSatisfy {
            isLetter($0) || isDigit($0) || "!#$%&'*+-.^_`|~".utf8.contains($0)
        }
        guard isToken, (1...64).contains(bytes.count) else {
            throw Complaint(
                "\(quoted(text)) is not a header's name", hint: "such as `X-Emergency-Reason`")
        }
        let name = text.lowercased()
        let isTaken =
            Self.takenHeaders.contains(name)
            || Self.takenHeaderPrefixes.contains { name.hasPrefix($0) }
        guard !isTaken else {
            throw Complaint(
                "\(quoted(text)) has another meaning",
                hint: "choose a name of its own, such as `X-Emergency-Reason`")
        }
        return name
    }

    /// Headers that HTTP, FHIR or SOAP give a meaning to.
    private static let takenHeaders: Set<String> = [
        "age", "allow", "authorization", "cache-control", "client-cert", "client-cert-chain",
        "connection", "cookie", "cookie2", "date", "dpop", "expect", "expires", "forwarded", "from",
        "host", "http2-settings", "keep-alive", "last-modified", "link", "location",
        "max-forwards", "mime-version", "origin", "pragma", "prefer", "priority", "range",
        "ratelimit", "ratelimit-policy", "referer", "retry-after", "server", "set-cookie",
        "soapaction", "te", "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via",
        "warning", "www-authenticate", "x-request-id",
    ]
    private static let takenHeaderPrefixes = [
        "accept", "content-", "etag", "herse-", "if-", "proxy-", "sec-", "x-forwarded-",
    ]
}
