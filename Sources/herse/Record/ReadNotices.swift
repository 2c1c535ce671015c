// ReadNotices.swift: who reads the record of a gate tells the gate first.

import Foundation
import Gate

/// Tells that the record in `folder` is read for `what`, before anything of it is shown.
///
/// The gate whose `state` folder holds it writes that into the record; when none runs, a file is
/// left for the next. Of a copy elsewhere no gate knows, and that is said.
func tellReading(
    of folder: String, _ what: String, filters: [String], state: String, control: String,
    on console: Console
) throws(Failure) {
    guard isSame(folder, state + "/record") else {
        return console.talk("reading a copy: the gate does not know")
    }
    let notice = RecordReadNotice(what: what, filters: filters)
    if try hears(notice, control: control) { return }
    do throws(PendingReadError) {
        try PendingReads.append(notice, state: state)
    } catch {
        throw Failure(error.message, hint: error.hint)
    }
}

/// Whether a gate runs, and has recorded the notice; throws when one runs that has not.
private func hears(_ notice: RecordReadNotice, control: String) throws(Failure) -> Bool {
    let answer: ControlAnswer
    do throws(ControlClientError) {
        answer = try ControlClient.ask(.recordRead(notice), socket: control)
    } catch {
        guard error.isUnreached else { throw Failure(error.message, hint: error.hint) }
        return false
    }
    switch answer {
    case .noted: return true
    case .refused(let problems): throw Failure(lines: problems)
    default: throw .wrongAnswer
    }
}

/// Whether two paths lead to one folder.
private func isSame(_ one: String, _ other: String) -> Bool {
    func place(_ path: String) -> (UInt64, UInt64)? {
        let facts = try? FileManager.default.attributesOfItem(
            atPath: URL(fileURLWithPath: path).resolvingSymlinksInPath().path)
        guard let inode = facts?[.systemFileNumber] as? UInt64,
            let device = facts?[.systemNumber] as? UInt64
        else { return nil }
        return (device, inode)
    }
    guard let first = place(one), let second = place(other) else { return false }
    return first == second
}
