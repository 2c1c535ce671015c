// SignalDesks.swift: all streams of one configuration.

internal import Issuers
internal import Outbound
internal import Policy
internal import Signals
internal import Tokens

/// What one configuration receives and transmits; nothing where it says nothing.
struct SignalDesks: Sendable {
    var receivers: [ReceiverDesk] = []
    var transmitter: TransmitterDesk?

    init() {}

    /// Makes what `rule` asks for, or takes it from `former`; writes to the state folder.
    init(
        _ configuration: Configuration, _ material: Material, issuers: [IssuerDesk],
        assertion: AssertionKeys?, _ services: Services, after former: SignalDesks, now: Int64
    ) throws(GenerationError) {
        guard let rule = configuration.signals else { return }
        let folder = configuration.state + "/signals"
        let outbox: Outbox?
        do throws(LineJournalError) {
            outbox = try services.signals.open(
                folder: folder, transmits: rule.transmitter != nil, now: now)
        } catch {
            throw GenerationError(
                message: Diagnostic(
                    rule.place, .error, "signals: \(error.path): \(error.problem)",
                    hint: error.hint
                ).description)
        }
        receivers = rule.receivers.enumerated().map { index, one in
            let before = former.receivers.first { $0.rule.name == one.name }
            let fixed = index < material.signalKeys.count ? material.signalKeys[index] : nil
            let keys = Self.keys(
                one, fixed: fixed, configuration, issuers: issuers, after: before, now: now)
            return ReceiverDesk(one, keys: keys, after: before, services)
        }
        guard let told = rule.transmitter, let outbox else { return }
        let own = former.transmitter.flatMap { $0.hasOwnKeys ? $0.keys : nil }
        let keys: AssertionKeys
        do throws(AssertionKeyError) {
            if let known = assertion ?? own {
                keys = known
            } else {
                keys = try AssertionKeys(
                    folder: folder + "/keys", rotate: TransmitterDesk.rotate, now: now)
            }
        } catch {
            throw GenerationError(
                message: Diagnostic(
                    told.place, .error, "signals: \(error.path): \(error.problem)",
                    hint: error.hint
                ).description)
        }
        transmitter = TransmitterDesk(
            told, keys: keys, hasOwnKeys: assertion == nil, outbox: outbox,
            after: former.transmitter, log: services.log)
    }

    private static func keys(
        _ rule: ReceiverRule, fixed: KeySet?, _ configuration: Configuration,
        issuers: [IssuerDesk], after former: ReceiverDesk?, now: Int64
    ) -> IssuerDesk {
        guard case .url(let url) = rule.keys else {
            if let fixed { return IssuerDesk(fixed: fixed, issuer: nil) }
            let index = configuration.authentication.issuers.firstIndex {
                $0.issuer == rule.issuer
            }
            return index.map { issuers[$0] } ?? IssuerDesk(fixed: nil, issuer: nil)
        }
        var settings = IssuerSettings(name: "signals " + rule.name, issuer: rule.issuer)
        settings.keys = .url(url)
        settings.tls.authorities = rule.authorities?.path
        settings.stateFolder = configuration.state + "/issuers"
        if let known = former?.keys.issuer, known.settings == settings {
            return IssuerDesk(fixed: nil, issuer: known)
        }
        return IssuerDesk(fixed: nil, issuer: Issuer(settings, now: now))
    }

    /// Whether anything of them is asked for by others through a listener.
    func hasPages(on listener: Int) -> Bool {
        transmitter != nil
            || receivers.contains { one in
                one.rule.push.map { $0.listeners?.contains(listener) ?? true } ?? false
            }
    }

    /// The keys that sign nothing but events.
    var ownKeys: AssertionKeys? {
        transmitter.flatMap { $0.hasOwnKeys ? $0.keys : nil }
    }

    /// Those whose keys are fetched for the sake of events alone.
    var issuers: [Issuer] {
        receivers.compactMap { one in
            guard case .url = one.rule.keys else { return nil }
            return one.keys.issuer
        }
    }
}
