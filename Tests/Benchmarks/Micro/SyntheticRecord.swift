// SyntheticRecord.swift: a record of a year that never was, as large as one likes.
//
//     Micro record-write FOLDER ENTRIES PROFESSIONALS [short]
//
// Lines in clear of a gate with certificates; `short` leaves out what a search does not look at.
// Professional 0 asks ten times as often as the others.

import CSystem
import Glibc
import Record
import RecordReading
import Transparency

@Sendable
func writeRecord(_ arguments: [String]) {
    guard arguments.count >= 3, let entries = Int(arguments[1]), entries > 0,
        let professionals = Int(arguments[2]), professionals > 0,
        arguments.count == 3 || arguments[3] == "short"
    else {
        print("Micro record-write: FOLDER ENTRIES PROFESSIONALS [short] are expected")
        exit(64)
    }
    var record = SyntheticRecord(
        folder: arguments[0], professionals: professionals, isShort: arguments.count == 4)
    let bytes = record.write(entries)
    print(#"{"entries": \#(entries), "bytes": \#(bytes), "segments": \#(record.segment)}"#)
}

/// The identifier of a professional of synthetic records.
func syntheticProfessional(_ number: Int) -> String { "8997\(10_000_000 + number)" }

private struct SyntheticRecord {
    let folder: String
    let professionals: Int
    let isShort: Bool
    var segment = 0

    private var tree = CompactRange()
    private var own = CompactRange()
    private var previous: SegmentEnding?
    private var random: UInt64 = 1
    private var out: [UInt8] = []
    private var file: Int32 = -1
    private var written = 0

    private static let segmentBytes = 256 << 20
    private static let patients: UInt64 = 5_000_000
    /// One more than there are: the first has ten places among the others.
    private static let firstTimes = 10

    init(folder: String, professionals: Int, isShort: Bool) {
        self.folder = folder
        self.professionals = professionals
        self.isShort = isShort
    }

    private mutating func below(_ count: UInt64) -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        var mixed = random
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return (mixed ^ mixed >> 31) % count
    }

    /// Writes so many entries, spread over the 364 days before now; returns bytes.
    mutating func write(_ entries: Int) -> Int {
        let now = herse_clock(CLOCK_REALTIME) / 1_000_000
        let begin = now - 364 * 86_400_000
        var total = 0
        for number in 0..<entries {
            let time = begin + UInt64(number) * (now - begin) / UInt64(entries)
            if file < 0 || written + out.count >= Self.segmentBytes {
                total += end()
                start(time)
            }
            let line = out.count
            entry(number, time)
            take(from: line)
            if out.count > 4 << 20 { flush() }
        }
        return total + end()
    }

    /// Ends the line that begins at `place`, and counts it in.
    private mutating func take(from place: Int) {
        let leaf = TreeHash.leaf(out.span.extracting(place..<out.count))
        tree.append(leaf)
        own.append(leaf)
        out.append(0x0A)
    }

    private mutating func start(_ time: UInt64) {
        segment += 1
        let digits = String(segment)
        let name = String(repeating: "0", count: max(0, 6 - digits.utf8.count)) + digits + ".jsonl"
        // Safe because the path outlives the call.
        file = unsafe herse_open(folder + "/" + name, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0,
            let key = NoteVerifier(
                name: "herse.bench", algorithm: .ed25519, key: [UInt8](repeating: 1, count: 32)),
            let head = SegmentHead(
                segment: segment, time: Moment(milliseconds: time).stamp, origin: "herse.bench",
                key: key, tree: tree, previous: previous, sealedTo: nil
            ).line
        else { fail("cannot begin a segment in \(folder)") }
        written = 0
        own = CompactRange(begin: tree.end)
        out += head
        take(from: 0)
    }

    private mutating func end() -> Int {
        guard file >= 0 else { return 0 }
        flush()
        close(file)
        previous = SegmentEnding(segment: segment, range: own, bytes: written, manner: .whole)
        return written
    }

    private mutating func flush() {
        // Safe because the array has the count given.
        guard unsafe Glibc.write(file, out, out.count) == out.count else {
            fail("cannot write to \(folder): is the disk full?")
        }
        written += out.count
        out.removeAll(keepingCapacity: true)
    }

    private mutating func entry(_ number: Int, _ time: UInt64) {
        let turn = Int(below(UInt64(professionals + Self.firstTimes - 1)))
        let who = max(0, turn - Self.firstTimes + 1)
        add("{\"time\":\"")
        out += Array(Moment(milliseconds: time).stamp.utf8)
        add("\",\"request\":\"0b32e4377518b33b")
        hexadecimal(UInt64(number))
        if !isShort {
            add("\",\"peer\":\"10.20.30.40:37204\",\"tls\":\"TLSv1.3")
        }
        add("\",\"professional\":\"8997")
        decimal(10_000_000 + UInt64(who))
        add("\",\"structure\":\"10B")
        decimal(1_000_000 + UInt64(who % 3_000))
        add("\",\"method\":\"certificate\",\"certificate\":\"sha256:")
        for part in 1...(isShort ? 1 : 4) {
            hexadecimal(UInt64(who) &* 0x9E37_79B9 &* UInt64(part))
        }
        let isRefused = below(50) == 0
        add("\",\"route\":\"fhir\",\"action\":\"GET\",\"decision\":\"")
        if isRefused {
            add("deny\",\"status\":429,\"delivery\":\"begun\",\"why\":\"limit\"}")
            return
        }
        add("allow\",\"status\":200,\"delivery\":\"begun\"")
        if !isShort {
            add(",\"bytes\":2036,\"microseconds\":1208,\"server_microseconds\":1102")
            add(",\"generation\":1,\"rule\":\"/etc/herse/herse.yaml:18\"")
        }
        add(",\"interaction\":\"read\",\"finding\":\"understood\",\"persons\":[\"")
        hexadecimal(below(Self.patients) &* 0x9E37_79B9_7F4A_7C15)
        if below(10) == 0 {
            add("\",\"")
            hexadecimal(below(Self.patients) &* 0x9E37_79B9_7F4A_7C15)
        }
        add("\"],\"fields\":[\"name\",\"birth-date\"]}")
    }

    private mutating func add(_ text: StaticString) {
        for index in 0..<text.utf8CodeUnitCount {
            // Safe because index is below the text's own count.
            unsafe out.append(text.utf8Start[index])
        }
    }

    private mutating func hexadecimal(_ value: UInt64) {
        for place in 0..<16 {
            let digit = UInt8(truncatingIfNeeded: value >> UInt64(60 - 4 * place) & 15)
            out.append(digit < 10 ? digit + 0x30 : digit + 0x57)
        }
    }

    private mutating func decimal(_ value: UInt64) { out += Array(String(value).utf8) }
}

private func fail(_ message: String) -> Never {
    print("Micro record-write: \(message)")
    exit(1)
}
