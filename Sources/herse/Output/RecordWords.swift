// RecordWords.swift: how the record is, in tables and as measurements.

import Gate

func text(of record: RecordReport) -> [String] {
    var table = Table(
        "RECORD", "SEALED TO", ">ENTRIES", ">SEGMENTS", ">SIZE", ">FREE", "OLDEST",
        ">FAILED COMMITS", "PROBLEM")
    let sealed = record.sealedTo.isEmpty ? "unsealed" : record.sealedTo.joined(separator: " ")
    let size = record.bytes.map { bytes in
        shownBytes(bytes) + (record.bytesMax.map { " of \(shownBytes($0))" } ?? "")
    }
    table.add(
        record.durable, sealed, String(record.entries), String(record.segments), size,
        record.freeBytes.map(shownBytes), record.oldest, String(record.failedCommits),
        record.problem)
    guard let checkpoint = record.checkpoint else { return [table.text] }
    var signed = Table("CHECKPOINTS OF", ">ENTRIES", ">AGE")
    signed.add(record.origin, String(checkpoint.entries), shownSeconds(checkpoint.ageSeconds))
    var parts = [table.text, signed.text]
    guard !record.witnesses.isEmpty else { return parts }
    var witnesses = Table("WITNESS", "BY", "STATE", ">ENTRIES", ">AGE", ">BEHIND", "PROBLEM")
    for one in record.witnesses {
        witnesses.add(
            one.name, one.kind, one.state, String(one.entries),
            one.ageSeconds.map { shownSeconds($0) }, String(one.behind), one.problem)
    }
    parts.append(witnesses.text)
    return parts
}

/// The record as measurements.
func add(_ record: RecordReport, _ out: inout OpenMetrics) {
    out.add(
        .gauge, "herse_record_durability", "How the record is kept, as a label; always 1.",
        [(labels: [("durable", record.durable)], value: 1)])
    out.add(
        .gauge, "herse_record_ok", "Whether the record can be written.",
        record.problem == nil ? 1 : 0)
    out.add(
        .counter, "herse_record_failed_commits", "Groups of entries that were not kept.",
        Double(record.failedCommits))
    out.add(
        .gauge, "herse_record_auditors", "Auditors it is sealed to; 0 when it is not sealed.",
        Double(record.sealedTo.count))
    out.add(.gauge, "herse_record_entries", "Entries of the record.", Double(record.entries))
    out.add(.gauge, "herse_record_segments", "Files of the record.", Double(record.segments))
    out.add(
        .gauge, "herse_record_size_bytes", "What the record takes.", unit: .bytes,
        record.bytes.map(Double.init))
    out.add(
        .gauge, "herse_record_size_max_bytes", "What the record may take.", unit: .bytes,
        record.bytesMax.map(Double.init))
    out.add(
        .gauge, "herse_record_free_bytes", "What is free on its file system.", unit: .bytes,
        record.freeBytes.map(Double.init))
    out.add(
        .gauge, "herse_record_free_min_bytes", "What is to be left free.", unit: .bytes,
        Double(record.freeBytesMin))
    out.add(
        .gauge, "herse_record_room", "Whether there is room for it, as a label; always 1.",
        [(labels: [("room", record.room)], value: 1)])
    out.add(
        .gauge, "herse_record_checkpoint_entries", "Entries of the newest checkpoint.",
        record.checkpoint.map { Double($0.entries) })
    out.add(
        .gauge, "herse_record_checkpoint_age_seconds", "Time since the newest checkpoint.",
        unit: .seconds, record.checkpoint.map { Double($0.ageSeconds) })
    witnesses(record.witnesses, &out)
}

private func witnesses(_ witnesses: [WitnessStatus], _ out: inout OpenMetrics) {
    func each(_ value: (WitnessStatus) -> Double?) -> [(labels: [(String, String)], value: Double?)]
    {
        witnesses.map { (labels: [("witness", $0.name)], value: value($0)) }
    }
    out.add(
        .gauge, "herse_witness_entries", "Entries a witness has seen.", each { Double($0.entries) })
    out.add(
        .gauge, "herse_witness_behind", "Entries a witness has not seen.",
        each { Double($0.behind) })
    out.add(
        .gauge, "herse_witness_age_seconds", "Time since a witness took a checkpoint.",
        unit: .seconds, each { $0.ageSeconds.map(Double.init) })
    out.add(
        .gauge, "herse_witness_state", "The state of a witness, as a label; always 1.",
        witnesses.map { (labels: [("witness", $0.name), ("state", $0.state)], value: 1) })
}

/// Bytes for people, such as `1.5 GiB`.
func shownBytes(_ bytes: Int) -> String {
    var value = Double(bytes)
    for unit in ["B", "KiB", "MiB", "GiB"] {
        if value < 1024 { return unit == "B" ? "\(bytes) B" : "\(oneDecimal(value)) \(unit)" }
        value /= 1024
    }
    return "\(oneDecimal(value)) TiB"
}

private func oneDecimal(_ value: Double) -> String {
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10)"
}
