// RecordReading.swift: the keys of the record: auditors, witnesses, retention, ceilings.

extension Reading {
    private static let recordKeys = [
        "durable", "auditors", "unsealed", "origin", "witnesses", "witness_every", "keep",
        "disk_max", "disk_free_min", "when_full",
    ]

    func record(_ entry: Entry?, state: String) -> RecordRule {
        var rule = RecordRule()
        guard let entry,
            let fields = Fields(
                entry.value, of: "`record`", keys: Self.recordKeys, problems: problems)
        else { return rule }
        rule.place = entry.place
        rule.durability = fields.optional("durable", default: rule.durability) {
            (scalar) throws(Complaint) in try scalar.word(Durability.self)
        }
        if rule.durability != .beforeDelivery {
            problems.warning(
                fields.place(of: "durable"), "answers leave before they are recorded",
                hint: "what a crash loses of the record nobody can tell afterwards: "
                    + "`before-delivery` writes each entry down first")
        }
        readSealing(fields, &rule)
        rule.origin = fields.optional("origin") { (scalar) throws(Complaint) in
            try scalar.recordOrigin()
        }
        rule.witnesses = fields.list("witnesses", countMax: WitnessRule.countMax)
            .compactMap { witness($0, state: state) }
        refuseDuplicates(rule.witnesses.map { ($0.name, $0.place) }, of: "witness")
        rule.witnessEvery = fields.optional("witness_every", default: rule.witnessEvery) {
            (scalar) throws(Complaint) in try scalar.seconds(1...86_400)
        }
        // A day at least: what a slip of the pen purges does not come back.
        rule.keep = fields.optional("keep") { (scalar) throws(Complaint) in
            try scalar.seconds(86_400...36_500 * 86_400)
        }
        rule.diskMax = fields.optional("disk_max") { (scalar) throws(Complaint) in
            try scalar.diskSize(16 << 20...1 << 50)
        }
        rule.diskFreeMin = fields.optional("disk_free_min", default: rule.diskFreeMin) {
            (scalar) throws(Complaint) in try scalar.diskSize(0...1 << 50)
        }
        rule.whenFull = fields.optional("when_full", default: rule.whenFull) {
            (scalar) throws(Complaint) in try scalar.word(RecordRule.WhenFull.self)
        }
        return rule
    }

    private func readSealing(_ fields: Fields, _ rule: inout RecordRule) {
        if let entry = fields["auditors"] {
            refuseEmpty(
                entry, hint: "who will read the record; `unsealed: true` seals it to nobody")
        }
        rule.auditors = fields.texts("auditors", countMax: RecordRule.auditorsMax) {
            (scalar) throws(Complaint) in try file(scalar)
        }.map(\.value)
        rule.isUnsealed = fields.optional("unsealed", default: false) {
            (scalar) throws(Complaint) in try scalar.truth()
        }
        if rule.isUnsealed, fields["auditors"] != nil {
            problems.error(
                fields.place(of: "unsealed"), "`unsealed` and `auditors` contradict each other",
                hint: "remove one of them")
        }
    }

    private func witness(_ value: Value, state: String) -> WitnessRule? {
        let keys = ["name", "url", "syslog", "file", "key", "authorities"]
        guard let fields = Fields(value, of: "a witness", keys: keys, problems: problems),
            let name = fields.required(
                "name", { (scalar) throws(Complaint) in try scalar.name() })
        else { return nil }
        let ways = ["url", "syslog", "file"].compactMap { fields[$0] }
        guard let way = ways.first, ways.count == 1 else {
            problems.error(
                ways.dropFirst().first?.place ?? fields.place,
                ways.isEmpty
                    ? "a witness needs `url`, `syslog` or `file`" : "a witness has one way to it",
                hint: ways.isEmpty ? nil : "make two of it, each with a name")
            return nil
        }
        if way.key != "url", let entry = fields["key"] {
            problems.error(entry.place, "`key` has no use without `url`")
        }
        let target: WitnessRule.Target?
        var isTLS = false
        switch way.key {
        case "url": target = witnessAddress(fields, &isTLS)
        case "syslog":
            target = scalar(way.value, called: "syslog", problems) {
                (scalar) throws(Complaint) in .syslog(try scalar.syslogAddress())
            }
            isTLS = target != nil
        default: target = witnessFile(way, state: state)
        }
        guard let target else { return nil }
        var rule = WitnessRule(name: name, place: value.place, target: target)
        rule.authorities = fields.optional("authorities") { (scalar) throws(Complaint) in
            try file(scalar)
        }
        if isTLS, fields["authorities"] == nil {
            problems.error(
                fields.place, "witness \(quoted(name)) needs `authorities`",
                hint: "who signs its certificate; the system's store is never used")
        } else if !isTLS, let entry = fields["authorities"] {
            problems.error(entry.place, "`authorities` has no use without TLS")
        }
        return rule
    }

    private func witnessAddress(_ fields: Fields, _ isTLS: inout Bool) -> WitnessRule.Target? {
        let key = fields.required("key") { (scalar) throws(Complaint) in
            try scalar.verifierKey()
        }
        // What is sent is signed, and so is the answer.
        let url = fields.required("url") { (scalar) throws(Complaint) in
            try scalar.webAddress(isSigned: true)
        }
        guard let key, let url else { return nil }
        isTLS = url.isTLS
        return .address(url: url.text, key: key)
    }

    private func witnessFile(_ entry: Entry, state: String) -> WitnessRule.Target? {
        let file = scalar(entry.value, called: "file", problems) {
            (scalar) throws(Complaint) in try path(scalar)
        }
        guard let file else { return nil }
        if file.path.hasPrefix(state + "/") {
            problems.warning(
                entry.value.place, "this witness is kept beside the record",
                hint: "who changes the one changes the other: use a disk of another machine")
        }
        return .file(file)
    }
}

extension Scalar {
    /// `200G`, `10M` or `64k`, as `answer_max` is written; `200GiB` and its like too.
    func diskSize(_ range: ClosedRange<Int>) throws(Complaint) -> Int {
        let digits = text.utf8.prefix(while: isDigit)
        let factor: Int? =
            switch String(text.utf8.dropFirst(digits.count)) {
            case "": 1
            case "k", "KiB": 1 << 10
            case "M", "MiB": 1 << 20
            case "G", "GiB": 1 << 30
            case "T", "TiB": 1 << 40
            default: nil
            }
        guard let number = wholeNumber(String(digits) ?? ""), let factor else {
            throw Complaint(
                "\(quoted(text)) is not a size", hint: "a number of bytes, or `500M`, `200G`, `2T`")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, range.contains(bytes) else {
            let least = range.lowerBound > 0 ? "at least \(range.lowerBound >> 20)M, " : ""
            throw Complaint(
                "\(text) is out of range", hint: "\(least)at most \(range.upperBound >> 40)T")
        }
        return bytes
    }

    /// A name for the record: C2SP asks for a URL without its scheme, blanks and `+`.
    fileprivate func recordOrigin() throws(Complaint) -> String {
        let example = "such as `identities.example.fr/record`"
        guard !text.contains("://") else {
            throw Complaint("\(quoted(text)) has a scheme", hint: example)
        }
        let isPlain = text.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && !"+\"\\".utf8.contains($0)
        }
        guard isPlain, (1...200).contains(text.utf8.count) else {
            throw Complaint(
                "\(quoted(text)) is not a name for the record",
                hint:
                    "\(example): at most 200 printable ASCII characters but blanks, `+`, `\"`, `\\`"
            )
        }
        return text
    }

    /// A verifier key of C2SP's signed-note, as far as its form goes.
    fileprivate func verifierKey() throws(Complaint) -> String {
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
        let isFormed =
            parts.count == 3 && !parts[0].isEmpty && text.utf8.count <= 512
            && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F } && parts[1].utf8.count == 8
            && parts[1].utf8.allSatisfy { isDigit($0) || (0x61...0x66).contains($0) }
            && !parts[2].isEmpty
        guard isFormed else {
            throw Complaint(
                "\(quoted(text)) is not a verifier key",
                hint: "`NAME+HASH+KEY`, as the witness's operator publishes it")
        }
        return text
    }

    /// `tls://HOST[:PORT]`; port 6514.
    fileprivate func syslogAddress() throws(Complaint) -> Address {
        guard text.hasPrefix("tls://") else {
            throw Complaint(
                "\(quoted(text)) is not a tls URL", hint: "such as `tls://siem.example.fr:6514`")
        }
        let address = try hostAndPort(String(text.dropFirst(6)), defaultPort: 6514)
        guard address.port != 0 else { throw Complaint("port 0 cannot be connected to") }
        return address
    }
}
