// Serve.swift: the life of the process: open the state, start the threads, say ready, end.

internal import Alerts
internal import CSystem
internal import Glibc
internal import Limits
internal import Neutralization
internal import Policy
internal import Reactor
internal import Record
internal import RecordKeeping
internal import SignedLists
internal import Wire

/// Why the gate did not start: lines for the operator.
private struct StartFailure: Error {
    let lines: [String]
    init(_ lines: [String]) { self.lines = lines }
    init(_ line: String) { lines = [line] }
}

/// Runs the gate until it is told to stop; the exit status of `herse serve`.
@concurrent
package func serve(configurationPath: String) async -> Int32 {
    do throws(StartFailure) {
        let signals = try takeSignals()
        let candidate = await loadCandidate(configurationPath)
        guard let configuration = candidate.configuration, let material = candidate.material else {
            throw StartFailure(candidate.diagnostics.map(\.description))
        }
        return try await run(
            configuration, material, path: configurationPath, signals: signals,
            warnings: candidate.diagnostics.map(\.description))
    } catch {
        for line in error.lines { complain(line) }
        return 1
    }
}

private func run(
    _ configuration: Configuration, _ material: Material, path: String, signals: Int32,
    warnings: [String]
) async throws(StartFailure) -> Int32 {
    for line in warnings { complain(line) }
    raiseDescriptorLimit()
    try makeStateFolder(configuration.state)
    let moment = UnixSeconds(Int64(time(nil)))
    var journal = try openJournal(configuration.state, moment)
    let (restored, settled) = NeutralizationState.restored(
        list: material.list?.entries ?? .empty,
        layers: material.signedLists.compactMap(\.layer), commands: journal.opening.commands,
        at: moment)
    var versions = ListVersions()
    let neutralization = versions.named(restored)
    if journal.opening.tornBytes > 0 {
        complain(
            "neutralization journal: \(journal.opening.tornBytes) bytes of an order cut short by a "
                + "crash were dropped; it had not been acknowledged")
    }
    if !settled.isEmpty {
        do throws(JournalError) {
            try journal.append(settled)
        } catch {
            throw StartFailure(error.message(file: configuration.state + "/neutralization.journal"))
        }
    }
    let limits = try openLimits(configuration.state)
    let grants = try openGrants(configuration.state, limits)
    // Before any port is opened: the admin socket says whether another gate is here.
    let socket = try openSocket(configuration.control)
    let threads = Threads()
    let log = try systemCall { () throws(SystemError) in try GateLog() }
    let (record, segment, keeper) = try openRecord(configuration, material.record, log)
    let services = try systemCall { () throws(SystemError) in
        try Services(log: log, limits: limits, record: record, keeper: keeper)
    }
    services.neutralization.current = neutralization
    var generation: Generation
    do throws(GenerationError) {
        generation = try makeGeneration(number: 1, configuration, material, services)
    } catch {
        throw StartFailure(error.message)
    }
    services.sessions.obey(configuration.authentication)
    services.alerts.use(generation.alerts)
    if await fetchMissingLists(generation, services) { generation = generation.renumbered(1) }
    let workers = try startWorkers(generation, services, threads)
    let inForce = Grants(grants.inForce(at: limits.time), limits)
    for worker in workers { await worker.putInForce(inForce) }
    let ports = try await putInForce(generation, neutralization, workers)
    let loop = try systemCall { () throws(SystemError) in try EventLoop() }
    let start = ControlStart(
        socket: socket, signals: signals, services: services, configurationPath: path,
        workers: workers, generation: generation, neutralization: neutralization,
        list: material.list, ports: ports, journal: journal, grants: grants)
    do throws(SystemError) {
        let plane = try ControlPlane(start, loop: loop)
        try startThread(name: "herse-record") {
            record.run(segment: segment)
            keeper.end()
            threads.oneEnded()
        }
        try startThread(name: "herse-keeper") {
            keeper.run()
            threads.oneEnded()
        }
        try loop.start(plane, name: "herse-control") { threads.oneEnded() }
    } catch {
        throw StartFailure("\(error.call): \(error.message.lowercased())")
    }
    sayReady(generation, ports, log)
    services.alerts.raise(
        Alert(
            .started, .notice, subject: "gate", "the gate has started",
            facts: [AlertFact(.generation, generation.number)]))
    await threads.allEnded(of: workers.count + 3)
    limits.flush()
    await flushAlerts(services)
    log.say("stopped")
    log.flush()
    return 0
}

/// Counts the threads that have ended.
private final class Threads: Sendable {
    private let stream: AsyncStream<Void>
    private let ended: AsyncStream<Void>.Continuation

    init() { (stream, ended) = AsyncStream.makeStream() }

    func oneEnded() { ended.yield() }

    func allEnded(of count: Int) async {
        var left = count
        for await _ in stream {
            left -= 1
            if left == 0 { return }
        }
    }
}

// MARK: Opening what the gate stands on

private func takeSignals() throws(StartFailure) -> Int32 {
    let descriptor = herse_catch_signals()
    guard descriptor >= 0 else { throw StartFailure("signals: \(systemText(errno))") }
    return descriptor
}

/// Descriptors are what connections are made of: the soft limit is raised to the hard one.
private func raiseDescriptorLimit() {
    var limit = rlimit()
    // Safe because the structure is a local.
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}

/// Makes the state folder, 0700, and the record's in it; refuses one that others can read.
private func makeStateFolder(_ path: String) throws(StartFailure) {
    for folder in [path, path + "/record"] {
        if unsafe mkdir(folder, 0o700) != 0, errno != EEXIST {
            throw StartFailure("\(folder): cannot be made: \(systemText(errno))")
        }
        var status = stat()
        // Safe because the structure is a local.
        guard unsafe stat(folder, &status) == 0 else {
            throw StartFailure("\(folder): cannot be read: \(systemText(errno))")
        }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StartFailure(
                "\(folder): is not a folder (hint: see `state` in the configuration)")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw StartFailure("\(folder): others may read it (hint: chmod 700 \(folder))")
        }
        guard unsafe access(folder, R_OK | W_OK | X_OK) == 0 else {
            throw StartFailure(
                "\(folder): \(systemText(errno)) (hint: it must belong to the gate's user)")
        }
    }
}

private func openJournal(
    _ state: String, _ now: UnixSeconds
) throws(StartFailure) -> Journal<DiskJournalFile> {
    do throws(JournalError) {
        return try Journal.open(stateFolder: state, now: now)
    } catch {
        let file = state + "/neutralization.journal"
        throw StartFailure("\(error.message(file: file)) (hint: \(error.hint))")
    }
}

private func openLimits(_ state: String) throws(StartFailure) -> LimitTable {
    do throws(LimitTableError) {
        return try LimitTable.open(stateFolder: state, reading: clockReading())
    } catch {
        throw StartFailure("\(error.message) (hint: \(error.hint))")
    }
}

private func openGrants(
    _ state: String, _ limits: LimitTable
) throws(StartFailure) -> GrantJournal {
    do throws(GrantJournalError) {
        return try GrantJournal.open(stateFolder: state, now: limits.time)
    } catch {
        throw StartFailure("\(error.message) (hint: \(error.hint))")
    }
}

private func openSocket(_ path: String) throws(StartFailure) -> ControlSocket {
    do throws(ControlSocketError) {
        return try ControlSocket(path: path)
    } catch {
        throw StartFailure(error.message)
    }
}

private func openRecord(
    _ configuration: Configuration, _ material: RecordMaterial, _ log: GateLog
) throws(StartFailure) -> (RecordLog, Segment, RecordKeeper) {
    let folder = configuration.state + "/record"
    let durability: Record.Durability =
        switch configuration.durability {
        case .beforeDelivery: .beforeDelivery
        case .grouped: .grouped
        case .none: .none
        }
    let (record, segment, terms): (RecordLog, Segment, RecordTerms)
    do throws(RecordError) {
        terms = RecordTerms(
            signer: try recordSigner(
                file: configuration.state + "/record.key", origin: configuration.record.origin),
            auditors: material.auditors)
        record = try RecordLog(
            directory: folder, durability: durability, workers: workerCount(configuration),
            isSealed: !terms.auditors.isEmpty, say: { log.say("record: \($0)", kind: "record") })
        segment = try Segment.last(in: folder, terms) { log.say("record: \($0)") }
    } catch {
        throw StartFailure(error.message)
    }
    let keeper = try systemCall { () throws(SystemError) in
        try RecordKeeper(
            record, state: configuration.state, signer: terms.signer, say: { log.say($0) })
    }
    keeper.use(material.keeping)
    return (record, segment, keeper)
}

/// One a core the process may use, or what is configured.
private func workerCount(_ configuration: Configuration) -> Int {
    switch configuration.workers {
    case .count(let count): count
    case .auto: max(1, Int(herse_usable_cores()))
    }
}

private func startWorkers(
    _ generation: Generation, _ services: Services, _ threads: Threads
) throws(StartFailure) -> [Worker] {
    let count = workerCount(generation.configuration)
    return try systemCall { () throws(SystemError) in
        var workers: [Worker] = []
        for number in 0..<count {
            let loop = try EventLoop()
            let worker = try Worker(
                number: number, loop: loop, services, generation: generation)
            try loop.start(worker, name: "herse-\(number)") { threads.oneEnded() }
            workers.append(worker)
        }
        return workers
    }
}

/// Binds every listener in every worker, then lets all accept; returns the ports bound.
private func putInForce(
    _ generation: Generation, _ state: NeutralizationState, _ workers: [Worker]
) async throws(StartFailure) -> [String: UInt16] {
    guard let tickets = TicketKeys() else {
        throw StartFailure("the system has no randomness")
    }
    var bound: [Int: UInt16] = [:]
    for worker in workers {
        do throws(StagingError) {
            bound = try await worker.stage(generation, tickets: tickets, ports: bound)
        } catch {
            throw StartFailure(describe(error, generation))
        }
    }
    for worker in workers { await worker.commit(state) }
    var ports: [String: UInt16] = [:]
    for (index, listener) in generation.configuration.listeners.enumerated() {
        ports[portKey(listener)] = bound[index]
    }
    return ports
}

private func sayReady(_ generation: Generation, _ ports: [String: UInt16], _ log: GateLog) {
    let listeners = generation.configuration.listeners.map { listener in
        let port = ports[portKey(listener)] ?? listener.address.port
        return "\(listener.name) on \(addressText(listener.address, port: port))"
    }
    log.say("ready: generation \(generation.number), \(listeners.joined(separator: ", "))")
    tellServiceManager("READY=1\nSTATUS=generation \(generation.number)\n")
}

/// sd_notify: tells the service manager that started the gate, if one did.
private func tellServiceManager(_ state: String) {
    guard let value = unsafe getenv("NOTIFY_SOCKET") else { return }
    // Safe because the environment is not changed after the start.
    let path = unsafe String(cString: value)
    guard var address = unixAddress(path) else { return }
    // An abstract socket is written with an @ for its leading zero byte.
    let isAbstract = path.hasPrefix("@")
    if isAbstract { address.sun_path.0 = 0 }
    let descriptor = Glibc.socket(
        AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(state.utf8)
    let length = MemoryLayout<sa_family_t>.size + path.utf8.count + (isAbstract ? 0 : 1)
    unsafe withSocketAddress(&address) { pointer, _ in
        // Safe because bytes outlives the call and length lies within the structure.
        _ = unsafe sendto(
            descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), pointer, socklen_t(length))
    }
}

/// The machine's clocks, for the limits.
private func clockReading() -> ClockReading {
    ClockReading(
        boot: bootID(), sinceBootMilliseconds: herse_clock(CLOCK_BOOTTIME) / 1_000_000,
        wallMilliseconds: herse_clock(CLOCK_REALTIME) / 1_000_000)
}

private func bootID() -> BootID {
    let descriptor = unsafe herse_open("/proc/sys/kernel/random/boot_id", O_RDONLY, 0)
    guard descriptor >= 0 else { return BootID(high: 0, low: 0) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64)
    // Safe because read writes at most the array.
    let count = unsafe read(descriptor, &bytes, bytes.count)
    var words: [UInt64] = [0, 0]
    var digits = 0
    for byte in bytes.prefix(max(0, count)) {
        guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, digits < 32 else {
            continue
        }
        words[digits / 16] = words[digits / 16] << 4 | UInt64(digit)
        digits += 1
    }
    return BootID(high: words[0], low: words[1])
}

private func systemCall<Value>(
    _ body: () throws(SystemError) -> Value
) throws(StartFailure) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw StartFailure("\(error.call): \(error.message.lowercased())")
    }
}

private func systemText(_ code: Int32) -> String {
    // Safe because strerror's text is copied at once.
    unsafe String(cString: strerror(code)).lowercased()
}

/// Before the log runs: one line on standard error.
private func complain(_ line: String) {
    var line = line + "\n"
    line.withUTF8 { bytes in
        // Safe because write reads bytes.count bytes at most.
        _ = unsafe write(2, bytes.baseAddress, bytes.count)
    }
}
