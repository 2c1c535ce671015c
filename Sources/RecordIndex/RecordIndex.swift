// RecordIndex.swift: begun.
internal import GRDB

package func sqliteVersion() -> String {
    (try? DatabaseQueue().read { try String.fetchOne($0, sql: "SELECT sqlite_version()") }) ?? ""
}
