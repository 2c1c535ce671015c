// RFC3339.swift: a moment of the record as it is written, to the millisecond.

/// `2026-11-20T08:00:00.123Z`, of milliseconds since 1970 (RFC 3339 §5.6).
package func rfc3339(milliseconds: UInt64) -> String {
    let (year, month, day) = civilDate(Int(milliseconds / 86_400_000))
    func padded(_ value: UInt64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
    let rest = milliseconds % 86_400_000
    return padded(UInt64(year), 4) + "-" + padded(UInt64(month), 2) + "-" + padded(UInt64(day), 2)
        + "T" + padded(rest / 3_600_000, 2) + ":" + padded(rest / 60_000 % 60, 2) + ":"
        + padded(rest / 1000 % 60, 2) + "." + padded(rest % 1000, 3) + "Z"
}

/// The date so many days after 1970-01-01, in a calendar whose years begin in March.
private func civilDate(_ days: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = days + 719_468
    let era = shifted / 146_097
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let month = (5 * ofYear + 2) / 153
    let day = ofYear - (153 * month + 2) / 5 + 1
    let year = yearOfEra + era * 400 + (month < 10 ? 0 : 1)
    return (year, month < 10 ? month + 3 : month - 9, day)
}
