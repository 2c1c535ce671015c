// KeeperSettings.swift: what the configuration says of witnesses, retention and ceilings.

package import Alerts
package import Outbound
package import Transparency

/// How the record is looked after; a reload changes it.
package struct KeeperSettings: Equatable, Sendable {
    package var witnesses: [WitnessSettings] = []
    /// Seconds between two checkpoints that a witness is shown.
    package var witnessEvery: Int64 = 60
    /// Seconds after which a segment is purged; nil for never.
    package var keep: Int64?
    package var ceiling = DiskCeiling()
    /// Whether the oldest segments go when the ceiling is reached; else disclosures are refused.
    package var purgesWhenFull = false

    package init() {}
}

/// One witness.
package struct WitnessSettings: Equatable, Sendable {
    /// How it is reached.
    package enum Target: Equatable, Sendable {
        case address(url: String, key: NoteVerifier, tls: FetchTLS)
        case syslog(SyslogTarget)
        case file(String)

        /// The word of the configuration.
        package var word: String {
            switch self {
            case .address: "url"
            case .syslog: "syslog"
            case .file: "file"
            }
        }

        /// What tells it from others of the same name, before and after.
        var place: String {
            switch self {
            case .address(let url, let key, _): "\(url) \(key.text)"
            case .syslog(let target): "syslog \(target.stream.address)"
            case .file(let path): "file \(path)"
            }
        }
    }

    package var name: String
    package var target: Target

    package init(name: String, target: Target) {
        self.name = name
        self.target = target
    }
}
