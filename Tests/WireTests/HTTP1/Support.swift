// Support.swift: heads and bodies from text, and a generator whose every run can be repeated.

import Wire

/// The head parsed from `text`, and its length.
func request(
    _ text: String, limits: HeadLimits = HeadLimits()
) throws(HeadError) -> (head: RequestHead, length: Int?) {
    var head = RequestHead()
    let bytes = Array(text.utf8)
    let length = try head.parse(bytes.span, limits: limits)
    return (head, length)
}

/// The answer parsed from `text`, and its length.
func response(
    _ text: String, answering method: Wire.Method = .get, limits: HeadLimits = HeadLimits()
) throws(HeadError) -> (head: ResponseHead, length: Int?) {
    var head = ResponseHead()
    let bytes = Array(text.utf8)
    let length = try head.parse(bytes.span, answering: method, limits: limits)
    return (head, length)
}

/// The part of `text` at these byte offsets.
func part(_ text: String, _ range: Range<Int>) -> String {
    String(decoding: Array(text.utf8)[range], as: UTF8.self)
}

/// What a buffer holds, as text.
func text(_ buffer: Buffer) -> String {
    buffer.withBytes { bytes in
        var copy: [UInt8] = []
        for index in bytes.indices { copy.append(bytes[index]) }
        return String(decoding: copy, as: UTF8.self)
    }
}

/// What becomes of bytes that end in a whole head or a refusal.
enum Outcome: Equatable {
    case whole(Int)
    case incomplete
    case refused(HeadError)

    init(_ parse: () throws(HeadError) -> Int?) {
        do {
            self = try parse().map { .whole($0) } ?? .incomplete
        } catch {
            self = .refused(error)
        }
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Heads with something of everything, to cut and to mutate.
let sampleRequests = [
    "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "\r\nGET /fhir/Patient?name=A%20B HTTP/1.1\r\nHost: mpi.example:8443\r\nAccept: */*\r\n\r\n",
    "POST /a;v=1/%C3%A9 HTTP/1.1\r\nhost:[::1]\r\nContent-Length:  12 \r\nX-A:\r\n\r\n",
    "PUT https://mpi.example/x?y HTTP/1.1\r\nHost: MPI.example\r\n"
        + "Transfer-Encoding: Chunked\r\nConnection: close, X-B\r\nX-B: \t1\t\r\n\r\n",
    "OPTIONS * HTTP/1.0\r\nConnection: Keep-Alive\r\nherse_professional: 8\r\n\r\n",
    "CONNECT mpi.example:443 HTTP/1.1\r\nHost: mpi.example:443\r\nUpgrade: h2c\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nCookie: a=\u{E9}; b=c\r\n\r\n",
]

/// Answers with something of everything.
let sampleResponses = [
    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
    "HTTP/1.1 404\r\nTransfer-Encoding: chunked\r\nServer: x\r\n\r\n",
    "HTTP/1.0 302 Trouv\u{E9} ailleurs\r\nLocation: /\r\nConnection: keep-alive\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 204 \r\nKeep-Alive: timeout=5\r\nConnection: X-C\r\nx-c: 1\r\n\r\n",
]
