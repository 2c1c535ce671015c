// Inquiry.swift: what one request asks and whom its answer discloses, while both are held.
//
// On routes where identities are looked up a request leaves only when it is understood, and an
// answer only when its disclosures are settled: until then their bodies are here.

internal import Lookup
internal import Wire

/// The held half of an exchange; kept by its worker for the next.
final class Inquiry {
    private let worker: WorkerCore
    private(set) var route: PreparedRoute?
    var question = Question(.unknown)
    /// What of the body decides; nil when the head said all.
    var awaited: QuestionReader.Awaited?
    /// Lookups it is charged for, weights included.
    var weight = 0
    /// Which page of what was found is asked for: 1 unless a link to a later one is followed.
    var page = 1
    /// The reason of a request that breaks the glass; empty for all others.
    private(set) var emergency: [UInt8] = []

    /// Whether a creation asks whether there is such a patient already.
    private(set) var isConditionalCreate = false

    // Copies of the head's parts, needed once the body is whole.
    private(set) var method = Wire.Method.get
    private(set) var path: [UInt8] = []
    private(set) var query: [UInt8] = []
    private(set) var contentType: [UInt8] = []

    private var requestBody: Buffer?
    private var answerBody: Buffer?
    private let inspector = AnswerInspector()
    /// What patients are called in the answer; nil where the record may not name them.
    let notebook: PersonNotebook?
    private var coding: [UInt8] = []
    private var answerType: [UInt8] = []
    private var status = 0
    private(set) var answerHasNoBody = false
    /// Why the answer cannot be held any longer.
    private(set) var overflow: Refusal?
    /// Bytes of buffers that count against the worker's share.
    private var held = 0

    private(set) var finding = Finding.nothing
    private var assumedKeys: [UInt64] = []
    private var assumedStarts: [Int] = []
    /// Kind of token that stands for somebody unknown.
    private static let assumedKind: UInt8 = 9
    /// Persons charged for an answer that was not understood.
    private(set) var assumed = 0
    /// Whether a limit refused what was found.
    var isWithheld = false

    init(worker: WorkerCore) {
        self.worker = worker
        notebook = worker.desk.isSealed ? PersonNotebook() : nil
    }

    /// Takes the parts of a head that are needed later.
    func begin(_ head: borrowing RequestHead, _ bytes: Span<UInt8>, on route: PreparedRoute) {
        self.route = route
        question = Question(.unknown)
        awaited = nil
        weight = 0
        page = 1
        isConditionalCreate = false
        method = head.method
        replace(&path, with: bytes.extracting(head.path))
        let queryRange = head.target.query ?? 0..<0
        replace(&query, with: bytes.extracting(queryRange))
        contentType.removeAll(keepingCapacity: true)
        emergency.removeAll(keepingCapacity: true)
        for index in 0..<head.fields.count {
            let field = head.fields[index]
            if field.known == .contentType {
                replace(&contentType, with: bytes.extracting(field.value))
            } else if field.known == .ifNoneExist {
                isConditionalCreate = true
            } else if let name = route.emergencyHeader,
                isName(name, bytes.extracting(field.name))
            {
                replace(&emergency, with: bytes.extracting(field.value))
            }
        }
        answerHasNoBody = false
        overflow = nil
        finding = .nothing
        assumed = 0
        isWithheld = false
    }

    /// Lets go of everything held.
    func end() {
        if let buffer = requestBody { worker.buffers.give(buffer) }
        if let buffer = answerBody { worker.buffers.give(buffer) }
        requestBody = nil
        answerBody = nil
        notebook?.removeAll()
        worker.heldCount -= held
        held = 0
        route = nil
    }

    // MARK: The request's body

    /// Bytes of a request held until it is understood, 16 MiB, whatever more a route lets pass.
    static let requestMax = 16 << 20

    func takeRequest(_ bytes: Span<UInt8>) {
        guard overflow == nil else { return }
        let buffer = requestBody ?? worker.buffers.take()
        requestBody = buffer
        guard buffer.count + bytes.count <= Self.requestMax else {
            overflow = .bodyTooLarge
            return
        }
        hold(bytes, in: buffer)
    }

    func withRequestBody<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard let requestBody else {
            let nothing: [UInt8] = []
            return try body(nothing.span)
        }
        return try requestBody.withBytes(body)
    }

    // MARK: The answer's body

    func answerBegan(_ head: borrowing ResponseHead, _ bytes: Span<UInt8>) {
        guard let route else { return }
        status = Int(head.status)
        answerHasNoBody = head.framing == .none
        coding.removeAll(keepingCapacity: true)
        answerType.removeAll(keepingCapacity: true)
        for index in 0..<head.section.fields.count {
            let field = head.section.fields[index]
            if field.known == .contentEncoding {
                // Two codings, or the field twice, are none that is decoded.
                if !coding.isEmpty { coding.append(UInt8(ascii: ",")) }
                append(bytes.extracting(field.value), to: &coding)
            } else if field.known == .contentType, answerType.isEmpty {
                append(bytes.extracting(field.value), to: &answerType)
            }
        }
        notebook?.removeAll()
        // INVARIANT: nothing is left of the answer inspected before, whatever becomes of this one.
        inspector.begin(
            AnswerExpectation(
                dialect: route.reader.dialect ?? .fhir, status: status, contentType: answerType,
                interaction: question.interaction),
            notebook == nil ? route.reader.hasher : route.reader.hasher.noting(in: notebook))
    }

    var isEncoded: Bool { !coding.isEmpty && !isIdentity(coding) }

    func takeAnswer(_ bytes: Span<UInt8>) {
        guard overflow == nil, let route else { return }
        let buffer = answerBody ?? worker.buffers.take()
        answerBody = buffer
        guard buffer.count + bytes.count <= route.answerMax else {
            overflow = .answerTooLarge(route: route.index)
            return
        }
        hold(bytes, in: buffer)
    }

    private func hold(_ bytes: Span<UInt8>, in buffer: Buffer) {
        let before = buffer.capacity
        guard worker.heldCount + bytes.count <= WorkerCore.heldMax else {
            overflow = .overloaded
            return
        }
        buffer.append(bytes)
        let grown = buffer.capacity - before
        held += grown
        worker.heldCount += grown
    }

    /// Looks at what has come since the last look, so that a large answer never holds its worker
    /// up at once.
    func inspectSome() {
        guard route?.reader.dialect != nil, !isEncoded, overflow == nil else { return }
        answerBody?.withBytes { inspector.inspect($0, isWhole: false) }
    }

    /// The answer is whole: what it discloses.
    func inspectAll() {
        guard let route else { return }
        if isEncoded { decode(max: route.answerMax) }
        if case .unparsed = finding { return }
        if let definition = route.extractor {
            extract(definition, of: route)
            return
        }
        withAnswer { inspector.inspect($0, isWhole: true) }
        finding = inspector.finding
    }

    private func decode(max: Int) {
        guard let encoded = answerBody else { return }
        let coding = self.coding
        do throws(Unparsed) {
            let plain = try encoded.withBytes { bytes throws(Unparsed) in
                try decoded(bytes, coding: coding.span, max: max)
            }
            encoded.removeAll()
            hold(plain.span, in: encoded)
            if overflow != nil { finding = .unparsed(.coding) }
        } catch {
            finding = .unparsed(error)
        }
    }

    private func extract(_ definition: ExtractorDefinition, of route: PreparedRoute) {
        guard let extractor = worker.extractor(definition, of: route) else {
            // INVARIANT: the configuration was not taken if an expression does not compile.
            finding = .unparsed(.unexpected)
            return
        }
        withAnswer { inspector.inspect($0, as: extractor) }
        finding = inspector.finding
    }

    func withAnswer(_ body: (Span<UInt8>) -> Void) {
        guard let answerBody, !answerHasNoBody else {
            let nothing: [UInt8] = []
            return body(nothing.span)
        }
        answerBody.withBytes(body)
    }

    // MARK: Whom it discloses

    /// Takes so many persons for those of an answer that was not understood; nobody knows who they
    /// are, so they are new ones each time.
    func assume(_ count: Int, for request: RequestID) {
        guard let route else { return }
        assumed = count
        assumedKeys.removeAll(keepingCapacity: true)
        assumedStarts.removeAll(keepingCapacity: true)
        var name = Array(request.text.utf8)
        let end = name.count
        name += [0, 0]
        for number in 0..<count {
            name[end] = UInt8(truncatingIfNeeded: number)
            name[end + 1] = UInt8(truncatingIfNeeded: number >> 8)
            assumedStarts.append(number)
            assumedKeys.append(route.reader.hasher.token(Self.assumedKind, name.span))
        }
        assumedStarts.append(count)
    }

    /// Distinct persons the answer discloses, or is taken to.
    var personCount: Int { assumed > 0 ? assumed : inspector.personCount }
    var personKeys: [UInt64] { assumed > 0 ? assumedKeys : inspector.personKeys }
    var personStarts: [Int] { assumed > 0 ? assumedStarts : inspector.personStarts }
    func fields(of person: Int) -> IdentityFields { inspector.fields(of: person) }
    var fields: IdentityFields { inspector.fields }
    /// Page links and queries it gives, which only who is given them may go on with.
    var links: [UInt64] { inspector.pages }

    /// Index of the set of limits it counts against: another one when the glass is broken.
    func limits(of identity: ProvenIdentity) -> Int? {
        emergency.isEmpty ? route?.limits(of: identity) : route?.emergencyLimits
    }
}

private func replace(_ array: inout [UInt8], with bytes: Span<UInt8>) {
    array.removeAll(keepingCapacity: true)
    append(bytes, to: &array)
}

private func append(_ bytes: Span<UInt8>, to array: inout [UInt8]) {
    // Safe because the span's bytes are only read, within this call.
    unsafe bytes.withUnsafeBufferPointer { unsafe array.append(contentsOf: $0) }
}

/// Whether a field's name is this one, which is in lower case.
private func isName(_ name: [UInt8], _ bytes: Span<UInt8>) -> Bool {
    guard bytes.count == name.count else { return false }
    for index in bytes.indices {
        let byte = bytes[index]
        let folded = byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
        guard folded == name[index] else { return false }
    }
    return true
}

/// Whether a content coding is none: `identity`.
private func isIdentity(_ coding: [UInt8]) -> Bool { isName(Array("identity".utf8), coding.span) }
