// Stopping.swift: SIGTERM: no more connections, what is under way ends, then everything does.

internal import Alerts
internal import Policy
internal import Reactor
internal import Record

extension ControlPlane {
    func beginStopping() {
        guard !isStopping else { return }
        isStopping = true
        let drain = generation.configuration.drain
        stopAt = milliseconds + Gate.milliseconds(drain)
        services.alerts.raise(
            Alert(.stopping, .notice, subject: "gate", "the gate was told to stop"))
        log.say("stopping: up to \(drain.components.seconds) s for what is under way")
        Task { _ = await everywhere { await $0.drain() } }
    }

    /// Ends when nothing is under way, or when the time for it is over.
    func continueStopping() async {
        guard !isEnding else { return }
        let busy = await everywhere { await $0.connectionCount }.reduce(0, +)
        guard busy == 0 || milliseconds >= stopAt ?? 0, !isEnding else { return }
        isEnding = true
        if busy > 0 { log.say("stopping: \(busy) connections cut") }
        _ = await everywhere { await $0.stop() }
        record.stop()
        // Last, since this thread ends with the turn that sees it.
        isOver = true
    }
}
