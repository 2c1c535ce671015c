// WitnessCarrier.swift: brings one checkpoint to one witness; blocks as long as that takes.

internal import Alerts
internal import Foundation
internal import Glibc
internal import Outbound
internal import Transparency

/// Milliseconds a witness is given.
private let witnessDeadline = 10_000

/// Shows a checkpoint and says what became of it.
func show(_ errand: WitnessErrand) -> WitnessVerdict {
    let now = UInt64(clamping: time(nil))
    switch errand.settings.target {
    case .address(let url, let key, let tls):
        var request = FetchRequest(url: url)
        request.method = .post
        request.fields = [("Content-Type", "application/octet-stream")]
        request.body = errand.request.body
        request.deadline = witnessDeadline
        request.answerMax = WitnessVerdict.answerMax
        request.tls = tls
        do throws(FetchError) {
            let answer = try fetch(request)
            return WitnessVerdict(
                status: answer.status, body: answer.body, to: errand.request, key: key, now: now)
        } catch {
            return .failed(error.description)
        }
    case .syslog(let target):
        let note = errand.request.note
        let root = SignedNote(note).flatMap { Checkpoint($0.text) }?.root.base64 ?? ""
        let problem = SyslogSender(target).send(
            "checkpoint", .notice,
            facts: [
                ("size", String(errand.size)), ("root", root),
                ("note", Data(note.utf8).base64EncodedString()),
            ], "a checkpoint of the record, \(errand.size) entries")
        return problem.map { .failed($0) } ?? .cosigned(note: note, at: now)
    case .file(let path):
        do throws(WitnessFileError) {
            try WitnessFile(path: path).add(errand.request.note)
            return .cosigned(note: errand.request.note, at: now)
        } catch {
            return .failed(error.text)
        }
    }
}
