// swift-tools-version: 6.2
// Package.swift: the modules of Herse, and the settings every one of them is built with.

import PackageDescription

/// Swift 6, strict memory safety, no warning tolerated: the same for every Swift target.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6), .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let asn1 = Target.Dependency.product(name: "SwiftASN1", package: "swift-asn1")
let argumentParser = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")
let flyingFox = Target.Dependency.product(name: "FlyingFox", package: "FlyingFox")
let flyingSocks = Target.Dependency.product(name: "FlyingSocks", package: "FlyingFox")

let package = Package(
    name: "herse",
    platforms: [.macOS(.v26)],
    products: [.executable(name: "herse", targets: ["herse"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swhitty/FlyingFox", from: "0.27.1"),
    ],
    targets: [
        // System libraries and the few inline shims, one door each.
        .target(name: "CSystem"),
        .target(
            name: "COpenSSL", linkerSettings: [.linkedLibrary("ssl"), .linkedLibrary("crypto")]),
        // Debian keeps libxml2's headers a folder down; only this module's own files include them.
        .target(
            name: "CXML", cSettings: [.unsafeFlags(["-I/usr/include/libxml2"])],
            linkerSettings: [.linkedLibrary("xml2")]),
        .target(name: "CZlib", linkerSettings: [.linkedLibrary("z")]),
        .target(name: "CRegex", linkerSettings: [.linkedLibrary("pcre2-8")]),
        .target(name: "CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CPAM", linkerSettings: [.linkedLibrary("pam")]),
        .target(
            name: "CFIDO", linkerSettings: [.linkedLibrary("fido2"), .linkedLibrary("crypto")]),

        // The data plane, bottom up.
        .target(name: "Reactor", dependencies: ["CSystem"], swiftSettings: strict),
        .target(name: "Wire", dependencies: ["CSystem", "COpenSSL"], swiftSettings: strict),

        // Under what patients and professionals are kept.
        .target(name: "KeyedHash", swiftSettings: strict),

        // What all who read JSON read it with.
        .target(name: "JSON", dependencies: ["CSystem"], swiftSettings: strict),

        // Rows of tables that people open in a spreadsheet.
        .target(name: "CSV", swiftSettings: strict),

        // What is asked, and whom an answer discloses; Policy judges both.
        .target(
            name: "Lookup",
            dependencies: ["CRegex", "CSystem", "CXML", "CZlib", "JSON", "KeyedHash"],
            swiftSettings: strict),

        // Ways to prove who one is; each knows no other.
        .target(name: "Tokens", dependencies: ["COpenSSL", "JSON"], swiftSettings: strict),
        .target(
            name: "WebAuthn", dependencies: ["CFIDO", "COpenSSL", "JSON"], swiftSettings: strict),
        .target(
            name: "Accounts", dependencies: ["COpenSSL", "CPAM", "CSystem", "JSON", "Reactor"],
            swiftSettings: strict),
        .target(name: "Directory", dependencies: ["CSystem", "Identity"], swiftSettings: strict),

        // What the gate asks of others, off its data plane: keys, introspection, lists.
        .target(
            name: "Outbound", dependencies: ["CCurl", "CSystem"], swiftSettings: strict),
        .target(
            name: "Issuers", dependencies: ["COpenSSL", "JSON", "Outbound", "Tokens"],
            swiftSettings: strict),

        // What operators are told of elsewhere: syslog, webhooks, mail.
        .target(
            name: "Alerts", dependencies: ["COpenSSL", "CSystem", "JSON", "Outbound", "Reactor"],
            swiftSettings: strict),

        .target(
            name: "Revocation", dependencies: ["COpenSSL", "Outbound"], swiftSettings: strict),

        // Signing in with a browser: sessions, pages, identity providers, local accounts.
        .target(
            name: "SignIn",
            dependencies: [
                "Accounts", "COpenSSL", "CSystem", "Identity", "Issuers", "JSON", "Outbound",
                "Tokens", "WebAuthn",
            ], swiftSettings: strict),

        // The four in the middle don't know each other.
        .target(name: "Identity", dependencies: [asn1], swiftSettings: strict),
        // What identity providers tell of accounts and sessions, and what they are told.
        .target(name: "Signals", dependencies: ["JSON", "Tokens"], swiftSettings: strict),
        .target(
            name: "Policy",
            dependencies: ["Alerts", "Identity", "KeyedHash", "Lookup", "Signals", "Tokens", yams],
            swiftSettings: strict),
        .target(name: "Limits", dependencies: ["CSystem", "KeyedHash"], swiftSettings: strict),
        .target(name: "Neutralization", dependencies: ["CSystem"], swiftSettings: strict),
        // Neutralization lists of others: signed, scoped, never gone back.
        .target(
            name: "SignedLists",
            dependencies: ["COpenSSL", "CSystem", "Neutralization", "Outbound"],
            swiftSettings: strict),

        // Who administers the gate, and what takes two of them.
        .target(name: "Administration", dependencies: ["Keys"], swiftSettings: strict),
        // Keys that sign, and keys out of PEM texts.
        .target(name: "Keys", dependencies: ["COpenSSL"], swiftSettings: strict),
        // Hash trees, signed notes, and to whom they are shown.
        .target(name: "Transparency", dependencies: ["COpenSSL", "Keys"], swiftSettings: strict),
        // What only auditors can open.
        .target(
            name: "Sealing", dependencies: ["COpenSSL", "CSystem", "CZlib", "Keys", crypto],
            swiftSettings: strict),
        .target(
            name: "Record",
            dependencies: ["COpenSSL", "CSystem", "Sealing", "Transparency", "Wire"],
            swiftSettings: strict),

        // Who is shown what the record was, how long it is kept, and how big it may get.
        .target(
            name: "RecordKeeping",
            dependencies: [
                "Alerts", "CSystem", "Outbound", "Reactor", "Record", "Sealing", "Transparency",
            ], swiftSettings: strict),

        // The record as its readers see it, far from the gate that writes it.
        .target(
            name: "RecordReading",
            dependencies: ["CSystem", "Lookup", "Record", "Sealing", "Transparency"],
            swiftSettings: strict),
        // Which entries speak of whom, found without reading them all.
        .target(
            name: "RecordIndex",
            dependencies: [
                "CSystem", "KeyedHash", "Lookup", "Record", "RecordReading", "Sealing", grdb,
            ],
            swiftSettings: strict),
        // The record in the forms that others take: AuditEvent, ATNA, JSON lines, CSV.
        .target(
            name: "RecordExport",
            dependencies: ["COpenSSL", "CSystem", "CSV", "JSON", "Outbound", "RecordReading"],
            swiftSettings: strict),
        // What a breach comes to: whom it showed to whom, for the authority and the patients.
        .target(
            name: "Dossier", dependencies: ["COpenSSL", "CSystem", "CSV", "RecordReading"],
            swiftSettings: strict),

        .target(
            name: "Gate",
            dependencies: [
                "Accounts", "Administration", "Alerts", "CSystem", "COpenSSL", "Directory",
                "Identity",
                "Issuers", "JSON", "KeyedHash", "Limits", "Lookup", "Neutralization", "Outbound",
                "Policy", "Reactor", "Record", "RecordKeeping", "Revocation", "Sealing", "SignIn",
                "Signals", "SignedLists", "Tokens", "Transparency", "WebAuthn", "Wire",
            ], swiftSettings: strict),

        // Throw-away PKI and a sample identity server, for `herse demo` and the tests.
        .target(
            name: "Demo", dependencies: ["COpenSSL", flyingFox, flyingSocks], swiftSettings: strict),

        .executableTarget(
            name: "herse",
            dependencies: [
                "Accounts", "Administration", "COpenSSL", "CSystem", "Demo", "Directory", "Gate",
                "Identity",
                "JSON", "KeyedHash", "Limits", "Lookup", "Neutralization", "Policy", "Tokens",
                "Dossier", "Record", "RecordExport", "RecordIndex", "RecordReading", "Sealing",
                "SignedLists", "Transparency", argumentParser,
            ], swiftSettings: strict),

        .testTarget(name: "WireTests", dependencies: ["Wire"], swiftSettings: strict),
        .testTarget(name: "CSVTests", dependencies: ["CSV"], swiftSettings: strict),
        .testTarget(name: "KeyedHashTests", dependencies: ["KeyedHash"], swiftSettings: strict),
        .testTarget(
            name: "LookupTests", dependencies: ["CSystem", "KeyedHash", "Lookup"],
            swiftSettings: strict),
        .testTarget(
            name: "AdministrationTests", dependencies: ["Administration", "COpenSSL"],
            swiftSettings: strict),
        .testTarget(
            name: "SignedListsTests", dependencies: ["COpenSSL", "Neutralization", "SignedLists"],
            swiftSettings: strict),
        .testTarget(
            name: "SignalsTests", dependencies: ["JSON", "Signals", "Tokens"],
            swiftSettings: strict),
        .testTarget(name: "GateTests", dependencies: ["Gate"], swiftSettings: strict),
        .testTarget(name: "IdentityTests", dependencies: ["Identity"], swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
        .testTarget(
            name: "TokensTests", dependencies: ["COpenSSL", "JSON", "Tokens"],
            swiftSettings: strict),
        .testTarget(
            name: "WebAuthnTests", dependencies: ["COpenSSL", "WebAuthn"],
            exclude: ["make-attestations"], swiftSettings: strict),
        .testTarget(
            name: "AccountsTests", dependencies: ["Accounts", "CSystem"], swiftSettings: strict),
        .testTarget(
            name: "DirectoryTests", dependencies: ["Directory", "Identity"],
            swiftSettings: strict),
        // Servers of the tests' own, that behave as badly as they are told to.
        .target(
            name: "StubServers", dependencies: ["COpenSSL", "CSystem"], path: "Tests/StubServers",
            swiftSettings: strict),
        .testTarget(
            name: "OutboundTests", dependencies: ["Outbound", "StubServers"],
            swiftSettings: strict),
        .testTarget(
            name: "IssuersTests",
            dependencies: ["Issuers", "JSON", "Outbound", "StubServers", "Tokens"],
            swiftSettings: strict),
        .testTarget(
            name: "RevocationTests", dependencies: ["Outbound", "Revocation", "StubServers"],
            swiftSettings: strict),
        .testTarget(
            name: "AlertsTests", dependencies: ["Alerts", "JSON", "Outbound", "StubServers"],
            swiftSettings: strict),
        .testTarget(
            name: "SignInTests", dependencies: ["Identity", "SignIn", "Tokens", "WebAuthn"],
            swiftSettings: strict),
        .testTarget(
            name: "PolicyTests", dependencies: ["Alerts", "Lookup", "Policy"], swiftSettings: strict
        ),
        .testTarget(name: "LimitsTests", dependencies: ["Limits"], swiftSettings: strict),
        .testTarget(
            name: "NeutralizationTests", dependencies: ["Neutralization"], swiftSettings: strict),
        .testTarget(
            name: "RecordTests",
            dependencies: ["COpenSSL", "Record", "RecordReading", "Sealing", "Transparency"],
            swiftSettings: strict),
        .testTarget(
            name: "TransparencyTests", dependencies: ["COpenSSL", "Transparency"],
            swiftSettings: strict),
        .testTarget(name: "SealingTests", dependencies: ["Sealing"], swiftSettings: strict),
        .testTarget(
            name: "RecordKeepingTests",
            dependencies: ["CSystem", "Outbound", "Record", "RecordKeeping", "Transparency"],
            swiftSettings: strict),
        .testTarget(
            name: "RecordReadingTests",
            dependencies: ["COpenSSL", "Record", "RecordReading", "Sealing", "Transparency"],
            swiftSettings: strict),
        .testTarget(
            name: "RecordIndexTests",
            dependencies: [
                "COpenSSL", "Record", "RecordIndex", "RecordReading", "Sealing", "Transparency",
            ],
            swiftSettings: strict),
        .testTarget(
            name: "RecordExportTests",
            dependencies: ["JSON", "RecordExport", "RecordReading", "StubServers"],
            swiftSettings: strict),
        .testTarget(
            name: "DossierTests", dependencies: ["Dossier", "RecordReading"],
            swiftSettings: strict),
        .testTarget(
            name: "DemoTests",
            dependencies: ["Demo", "COpenSSL", "Identity", flyingFox, flyingSocks],
            swiftSettings: strict),
        .testTarget(
            name: "CommandTests",
            dependencies: [
                "Alerts", "Demo", "Directory", "Gate", "herse", "Policy", "RecordReading",
                argumentParser,
            ],
            swiftSettings: strict),

        // What a reviewer would say twice: rules over the files themselves.
        .testTarget(name: "TidyTests", swiftSettings: strict),

        // Timings of single parts; script/bench runs it.
        .executableTarget(
            name: "Micro",
            dependencies: [
                "COpenSSL", "CSystem", "KeyedHash", "Limits", "Lookup", "Record", "RecordIndex",
                "RecordReading", "Tokens", "Transparency",
            ],
            path: "Tests/Benchmarks/Micro", swiftSettings: strict),

        // Replays inputs for the parsers; script/fuzz makes a fuzzer of it.
        .target(name: "CFuzz", path: "Tests/Fuzz/Driver"),
        .executableTarget(
            name: "Fuzz",
            dependencies: [
                "CFuzz", "Accounts", "Directory", "Gate", "Identity", "JSON", "KeyedHash",
                "Lookup", "Neutralization", "Policy", "Record", "RecordExport", "RecordIndex",
                "RecordKeeping", "RecordReading", "Sealing", "SignIn", "Signals", "SignedLists",
                "Tokens", "Transparency", "WebAuthn", "Wire",
            ],
            path: "Tests/Fuzz/Targets",
            swiftSettings: strict),
    ]
)
