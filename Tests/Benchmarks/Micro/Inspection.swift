// Inspection.swift: how fast answers are inspected, and what that allocates.
//
//     Micro bundles FOLDER                writes searchset Bundles into FOLDER, the same every time
//     Micro inspection FILE SECONDS       bytes a second of one of them, its persons, allocations

import Glibc
import KeyedHash
import Lookup

/// What a Bundle in the benchmark is made of.
enum SampleBundle {
    static let sizes = [10, 100, 1000]

    private static let families = [
        "MARTIN", "BERNARD", "LEFÈVRE", "DUBOIS", "GARCÍA", "MOREAU", "ROUSSEAU-DELÂTRE", "N'GUYEN",
    ]
    private static let givens = [
        "Camille", "Zoé", "Jean-François", "Inès", "Paul", "Maëlle", "Ana",
    ]
    private static let streets = [
        "12 rue de l’Église", "4 bis avenue du Général Leclerc", "180 boulevard Jean Jaurès",
    ]

    /// A searchset of this many patients, nobody who ever lived, without a blank between tokens.
    static func compact(_ count: Int) -> [UInt8] {
        let entries = (0..<count).map(entry).joined(separator: ",")
        return Array(
            """
            {"resourceType":"Bundle","id":"f3a1c2d4","meta":{"lastUpdated":\
            "2026-01-05T08:00:00.000+00:00"},"type":"searchset","total":\(count),"link":[\
            {"relation":"self","url":"https://mpi.example/fhir/Patient?family=MA&_count=\(count)"},\
            {"relation":"next","url":"https://mpi.example/fhir?_getpages=5e0a0b8c-6b0f&\
            _getpagesoffset=\(count)&_count=\(count)"}],"entry":[\(entries)]}
            """.utf8)
    }

    private static func entry(_ number: Int) -> String {
        let family = families[number % families.count]
        let given = givens[number / 3 % givens.count]
        let month = number % 12 + 1
        let day = number % 28 + 1
        let birth =
            "19\(40 + number % 60)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
        let ins = 1_400_100_000_000 + number * 7919
        return """
            {"fullUrl":"https://mpi.example/fhir/Patient/\(100_000 + number)","resource":\
            {"resourceType":"Patient","id":"\(100_000 + number)","meta":{"versionId":"3",\
            "lastUpdated":"2026-01-05T08:00:00.000+00:00","profile":\
            ["https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-patient-ins"]},\
            "extension":[{"url":"http://hl7.org/fhir/StructureDefinition/patient-birthPlace",\
            "valueAddress":{"extension":[{"url":\
            "https://hl7.fr/ig/fhir/core/StructureDefinition/fr-core-address-insee-code",\
            "valueCoding":{"system":"https://mos.esante.gouv.fr/NOS/TRE_R13-Commune/FHIR",\
            "code":"\(35_000 + number % 900)"}}]}}],"identifier":[{"use":"official","type":\
            {"coding":[{"system":"https://hl7.fr/ig/fhir/core/CodeSystem/fr-core-cs-v2-0203",\
            "code":"INS-NIR","display":"NIR définitif"}]},"system":\
            "urn:oid:1.2.250.1.213.1.4.8","value":"\(ins)42"},{"use":"usual","type":{"coding":\
            [{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":"PI"}]},"system":\
            "urn:oid:1.2.250.1.71.4.2.7","value":"IPP\(500_000 + number)"}],"active":true,"name":\
            [{"use":"official","text":"\(family) \(given)","family":"\(family)","given":\
            ["\(given)","Marie"]}],"telecom":[{"system":"phone","value":\
            "+3360000\(1000 + number % 9000)","use":"mobile"},{"system":"email","value":\
            "patient.\(number)@example.net","use":"home"}],"gender":"female","birthDate":\
            "\(birth)","address":[{"use":"home","line":["\(streets[number % streets.count])"],\
            "city":"Saint-Étienne","postalCode":"42000","country":"FRA"}],"maritalStatus":\
            {"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-MaritalStatus",\
            "code":"M"}]}},"search":{"mode":"match","score":1}}
            """
    }

    /// The same, as servers write it for people: a member a line, two blanks a level.
    static func indented(_ compact: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var depth = 0
        var isInString = false
        func breakLine() {
            out.append(UInt8(ascii: "\n"))
            out.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
        }
        for byte in compact {
            if byte == UInt8(ascii: "\"") { isInString.toggle() }
            switch byte {
            case _ where isInString: out.append(byte)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                out.append(byte)
                depth += 1
                breakLine()
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
                breakLine()
                out.append(byte)
            case UInt8(ascii: ","):
                out.append(byte)
                breakLine()
            case UInt8(ascii: ":"): out.append(contentsOf: " : ".utf8)
            default: out.append(byte)
            }
        }
        return out
    }
}

/// The command `bundles FOLDER`.
func writeBundles(_ arguments: [String]) {
    guard let folder = arguments.first else { return }
    for size in SampleBundle.sizes {
        let compact = SampleBundle.compact(size)
        write(compact, to: "\(folder)/compact-\(size).json")
        write(SampleBundle.indented(compact), to: "\(folder)/indented-\(size).json")
    }
}

private func write(_ bytes: [UInt8], to path: String) {
    // Safe because the file is open until it is closed, and the bytes outlive the call.
    guard let file = unsafe fopen(path, "w") else { exit(66) }
    let written = unsafe fwrite(bytes, 1, bytes.count, file)
    guard unsafe fclose(file) == 0, written == bytes.count else { exit(74) }
}

/// The command `inspection FILE SECONDS`.
func timeInspection(_ arguments: [String]) {
    guard arguments.count == 2, let seconds = Double(arguments[1]) else { exit(64) }
    let body = read(arguments[0])
    let hasher = PersonHasher(key: SipKey(low: 1, high: 2), server: "mpi")
    let inspector = AnswerInspector()
    let type = Array("application/fhir+json;charset=UTF-8".utf8)
    let expectation = AnswerExpectation(
        dialect: .fhir, status: 200, contentType: type, interaction: .search)
    func inspect() {
        inspector.begin(expectation, hasher)
        inspector.inspect(body.span, isWhole: true)
    }
    for _ in 0..<3 { inspect() }
    let before = allocations()
    inspect()
    let allocated = allocations() - before

    // As many at a time as take about a millisecond, and the best of them: what else the machine
    // does only ever makes it slower.
    let batch = max(1, 1_000_000 / body.count)
    var best = UInt64.max
    let end = now() + UInt64(seconds * 1e9)
    while now() < end {
        let start = now()
        for _ in 0..<batch { inspect() }
        best = min(best, (now() - start) / UInt64(batch))
    }
    guard inspector.finding == .understood else { exit(70) }
    let rate = Double(body.count) / (Double(best) / 1e9)
    print(
        """
        {"bytes": \(body.count), "bytes_per_second": \(Int(rate)), \
        "persons": \(inspector.findings.persons.count), "allocations": \(allocated)}
        """)
}

private func read(_ path: String) -> [UInt8] {
    // Safe because the file is open until it is closed, and no more is read than there is room.
    guard let file = unsafe fopen(path, "r") else { exit(66) }
    defer { _ = unsafe fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = unsafe fread(&piece, 1, piece.count, file)
        guard count > 0 else { return bytes }
        bytes += piece[..<count]
    }
}

private func now() -> UInt64 { clock_gettime_nsec() }

private func clock_gettime_nsec() -> UInt64 {
    var time = timespec()
    // Safe because the clock exists and the time is ours.
    _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

/// Allocations so far, as count_allocations.c counts them; none when it is not loaded.
private func allocations() -> Int {
    typealias Count = @convention(c) () -> Int
    // Safe because the symbol, where it is there, is a function of this type.
    guard let symbol = unsafe dlsym(nil, "herse_bench_allocations") else { return 0 }
    return unsafe unsafeBitCast(symbol, to: Count.self)()
}
