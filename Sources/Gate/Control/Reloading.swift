// Reloading.swift: the next generation: loaded beside the one in force, then put in force whole.

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

extension ControlPlane {
    /// The longest wait for a confirmation: 30 days.
    private static let confirmSecondsMax = 30 * 86_400

    /// Loads everything again.
    ///
    /// Nothing changes unless all of it is good; returns when the new generation is in force in
    /// every worker and everybody it cuts off is cut.
    func reload(confirmWithinSeconds: Int?) async -> ControlAnswer {
        let answer = await oneReloadAtATime { await loadAndApply(confirmWithinSeconds) }
        tell(of: answer)
        return answer
    }

    private func loadAndApply(_ confirmWithinSeconds: Int?) async -> ControlAnswer {
        if isStopping { return .refused(["the gate is stopping"]) }
        let begun = milliseconds
        let path = configurationPath
        // Loading takes as long as it takes: orders are obeyed meanwhile.
        let candidate = await loadCandidate(path, after: generation)
        guard let configuration = candidate.configuration, let material = candidate.material else {
            return .refused(candidate.diagnostics.map(\.description))
        }
        let warnings = candidate.diagnostics.map(\.description)
        return await exclusively {
            // Meanwhile it may have been told to stop.
            if isStopping { return .refused(["the gate is stopping"]) }
            if let problem = cannotChange(to: configuration) { return .refused([problem]) }
            let former = Former(
                generation: generation, list: list,
                until: confirmWithinSeconds.map {
                    milliseconds + UInt64(clamping: min($0, Self.confirmSecondsMax)) * 1000
                })
            var next: Generation
            do throws(GenerationError) {
                next = try makeGeneration(
                    number: generation.number + 1, configuration, material, services,
                    after: generation)
            } catch {
                return .refused([error.message])
            }
            // The lists of addresses that are new: without them nobody would be believed.
            if await fetchMissingLists(next, services) { next = next.renumbered(next.number) }
            switch await putInForce(next, list: material.list) {
            case .failure(let problem): return .refused([problem.text])
            case .success(let cut):
                self.former = former
                log.say("generation \(next.number) in force")
                return .reloaded(
                    ReloadReport(
                        generation: next.number, milliseconds: Double(milliseconds - begun),
                        warnings: warnings, cut: cut, confirmWithinSeconds: confirmWithinSeconds))
            }
        }
    }

    /// Keeps the generation in force: it no longer goes back by itself.
    func confirm() -> ControlAnswer {
        guard let former, former.until != nil else {
            return .refused(["nothing waits for a confirmation"])
        }
        self.former = Former(generation: former.generation, list: former.list, until: nil)
        return .reloaded(
            ReloadReport(
                generation: generation.number, milliseconds: 0, warnings: [], cut: CutCount(),
                confirmWithinSeconds: nil))
    }

    /// Puts the generation before the last reload in force again.
    ///
    /// The neutralization list is not rolled back: whoever was cut off stays so.
    func rollback() async -> ControlAnswer {
        let begun = milliseconds
        return await exclusively {
            guard let former else { return .refused(["there is no reload to undo"]) }
            let next = former.generation.renumbered(generation.number + 1)
            switch await putInForce(next, list: list) {
            case .failure(let problem): return .refused([problem.text])
            case .success(let cut):
                self.former = nil
                log.say("generation \(next.number) in force: the one before the last reload")
                return .reloaded(
                    ReloadReport(
                        generation: next.number, milliseconds: Double(milliseconds - begun),
                        warnings: [], cut: cut, confirmWithinSeconds: nil))
            }
        }
    }

    func confirmationLapsed() async {
        guard let until = former?.until, until <= milliseconds else { return }
        log.say("reload was not confirmed in time: going back")
        // Tried again in a while, should it fail: not at every turn.
        former = former.map {
            Former(generation: $0.generation, list: $0.list, until: milliseconds + 10_000)
        }
        if case .refused(let problems) = await rollback() {
            for problem in problems { log.say(problem) }
            return
        }
        services.alerts.raise(
            Alert(
                .rolledBack, .warning, subject: "configuration",
                "a reload was not confirmed in time, generation \(generation.number) is the one "
                    + "before it", facts: [AlertFact(.generation, generation.number)]))
    }

    /// What a reload cannot change; the operator is told to restart.
    private func cannotChange(to next: Configuration) -> String? {
        let old = generation.configuration
        let fixed = [
            ("state", old.state == next.state), ("control", old.control == next.control),
            ("workers", old.workers == next.workers),
            ("record.durable", old.durability == next.durability),
            ("record.origin", old.record.origin == next.record.origin),
            ("record.auditors", old.record.auditors.isEmpty == next.record.auditors.isEmpty),
        ]
        guard let key = fixed.first(where: { !$0.1 })?.0 else { return nil }
        return "\(next.files.first ?? configurationPath):1:1: error: `\(key)` cannot change by "
            + "reload (restart the gate to change it)"
    }

    struct Problem: Error { let text: String }

    /// Two phases: every worker makes what it needs; only when all could is it put in force.
    func putInForce(
        _ next: Generation, list newList: LoadedList?
    ) async -> Result<CutCount, Problem> {
        guard let tickets = TicketKeys() else {
            return .failure(Problem(text: "the system has no randomness"))
        }
        var bound: [Int: UInt16] = [:]
        for (index, listener) in next.configuration.listeners.enumerated() {
            if let port = ports[portKey(listener)] { bound[index] = port }
        }
        for (number, worker) in workers.enumerated() {
            do throws(StagingError) {
                bound = try await worker.stage(next, tickets: tickets, ports: bound)
            } catch {
                for worker in workers[..<number] { await worker.discardStaged() }
                return .failure(Problem(text: describe(error, next)))
            }
        }
        let (replaced, settled) = neutralization.replacing(
            list: newList?.entries ?? .empty, layers: next.signedLists.compactMap(\.layer), at: now)
        if !settled.isEmpty {
            do throws(JournalError) {
                try journal.append(settled)
            } catch {
                for worker in workers { await worker.discardStaged() }
                return .failure(Problem(text: error.message(file: "neutralization.journal")))
            }
        }
        let state = versions.named(replaced)
        await take(state)
        list = newList
        if generation.record.auditors != next.record.auditors {
            record.use(services.keeper.terms(for: next.record.auditors))
        }
        services.keeper.use(next.record.keeping)
        generation = next
        services.alerts.use(next.alerts)
        for (index, listener) in next.configuration.listeners.enumerated() {
            if let port = bound[index] { ports[portKey(listener)] = port }
        }
        nextListChange = await nextChange(of: state, after: now)
        _ = await everywhere { await $0.commit(state) }
        services.sessions.obey(next.configuration.authentication)
        var cut = await everywhere { await $0.sweep() }.reduce(CutCount(), +)
        cut.sessions = endNeutralizedSessions()
        services.probing.cut("somebody on a list", from: Array(cut.origins), now: now.value)
        return .success(cut)
    }

    func listChangedByItself() async {
        // Before the sweep: what changes while it runs is the next change, not one that is past.
        let moment = now
        // What came in force may be that nothing proven earlier counts.
        if neutralization.provenSince(now: moment) != nil { await voidTickets() }
        let cut = await everywhere { await $0.sweep() }.reduce(CutCount(), +)
        _ = endNeutralizedSessions()
        let next = await nextChange(of: neutralization, after: moment)
        // An order given meanwhile may end before.
        nextListChange = [next, nextListChange].compactMap { $0 }.min()
        log.say(
            "an entry of the neutralization list came in force or ended: \(cut.connections) cut")
    }
}

/// Reads the whole list: not on the control plane's own thread.
@concurrent
func nextChange(of state: NeutralizationState, after now: UnixSeconds) async -> UnixSeconds? {
    state.nextChange(after: now)
}

/// A configuration as it was found on disk, loaded as far as it could be.
struct Candidate: Sendable {
    let configuration: Configuration?
    let material: Material?
    let diagnostics: [Diagnostic]
}

/// Loads everything a gate needs, off the control plane's thread.
@concurrent
func loadCandidate(_ path: String, after former: Generation? = nil) async -> Candidate {
    let loaded = ConfigurationLoader().load(path: path)
    guard let configuration = loaded.configuration else {
        return Candidate(configuration: nil, material: nil, diagnostics: loaded.diagnostics)
    }
    var loader = MaterialLoader(configuration, after: former)
    let material = loader.load()
    return Candidate(
        configuration: configuration, material: material,
        diagnostics: loaded.diagnostics + loader.diagnostics)
}

/// Why a configuration that was read cannot be put in force.
struct GenerationError: Error {
    let message: String
}

func makeGeneration(
    number: UInt64, _ configuration: Configuration, _ material: Material, _ services: Services,
    after former: Generation? = nil
) throws(GenerationError) -> Generation {
    var prepared: [PreparedLimits] = []
    let emergency = Set(configuration.routes.compactMap { $0.lookupRules?.breakGlass?.limits })
    for (index, set) in configuration.limitSets.enumerated() {
        do throws(LimitSetError) {
            prepared.append(
                try PreparedLimits(
                    set, isEmergency: emergency.contains(index), table: services.limits))
        } catch {
            throw GenerationError(message: "limits: \(error.message)")
        }
    }
    return Generation(
        number: number, rulebook: Rulebook(configuration), material, limits: prepared,
        ways: try Ways(configuration, material, services, after: former),
        key: services.limits.personKey, after: former)
}

func describe(_ error: StagingError, _ generation: Generation) -> String {
    switch error {
    case .material(let error):
        return [error.file, error.problem, error.hint].compactMap { $0 }.joined(separator: ": ")
    case .listener(let index, let failure):
        let listener = generation.configuration.listeners[index]
        let place = listener.addressPlace
        let hint =
            failure.code == EADDRINUSE
            ? "another program listens there: `ss -ltnp` names it"
            : "see the address of the listener"
        return "\(place.file):\(place.line):\(place.column): error: cannot listen on "
            + "\(listener.address): \(failure.message.lowercased()) (\(hint))"
    }
}
