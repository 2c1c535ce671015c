// RefusedParcels.swift: what a receiver refuses, set aside so that the rest goes on.

internal import CSystem
internal import Glibc
internal import JSON

/// Appends a refused parcel to the file at `path`, one JSON object on each line, and waits until
/// the disk has it.
func setAside(_ parcel: FeedParcel, _ why: String, in path: String) throws(ExportError) {
    var line = Array("{\"entry\":\(parcel.number),\"why\":".utf8)
    appendJSONString(why, to: &line)
    line += Array(",\"resource\":".utf8) + parcel.bytes + Array("}\n".utf8)
    // Safe because the path outlives the call.
    let file = unsafe herse_open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
    guard file >= 0 else { throw problem(path) }
    defer { close(file) }
    guard writeWhole(file, line), fsync(file) == 0 else { throw problem(path) }
}

private func problem(_ path: String) -> ExportError {
    ExportError("\(path): cannot be written: \(systemText(errno))")
}
