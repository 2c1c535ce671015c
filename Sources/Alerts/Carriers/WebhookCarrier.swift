// WebhookCarrier.swift: notices as CloudEvents 1.0, signed by the rules of Standard Webhooks.

internal import COpenSSL
internal import Glibc
internal import JSON
internal import Outbound

/// Posts to one address.
final class WebhookCarrier: AlertCarrier {
    private let target: WebhookTarget

    init(_ target: WebhookTarget) { self.target = target }

    func deliver(_ notice: AlertNotice) throws(DeliveryProblem) -> String {
        let body = cloudEvent(notice)
        // The same in every attempt, so that a receiver who has it knows.
        let id = "msg_\(notice.alert.incident)"
        let now = String(Int64(time(nil)))
        var request = FetchRequest(url: target.url)
        request.method = .post
        request.body = body
        request.tls = target.tls
        request.answerMax = 64 * 1024
        request.fields = [
            ("Content-Type", "application/cloudevents+json; charset=UTF-8"), ("webhook-id", id),
            ("webhook-timestamp", now),
            ("webhook-signature", webhookSignature(id, now, body, target.secret)),
        ]
        let answer: FetchAnswer
        do throws(FetchError) {
            answer = try fetch(request)
        } catch {
            throw DeliveryProblem(error.description)
        }
        guard (200..<300).contains(answer.status) else {
            let place = FetchError(target.url, .broken).address
            throw DeliveryProblem("\(place): answers \(answer.status) instead of 2xx")
        }
        return "\(answer.status)"
    }
}

/// The event in structured mode, JSON format.
func cloudEvent(_ notice: AlertNotice) -> [UInt8] {
    let alert = notice.alert
    var facts: JSONObject = [:]
    for fact in alert.facts { facts[fact.name.rawValue] = .string(fact.value) }
    var data: JSONObject = [
        "kind": .string(alert.kind.rawValue), "severity": .string(alert.severity.rawValue),
        "incident": .string(alert.incident), "text": .string(alert.text),
        "count": JSONValue(integer: Int64(notice.count)), "since": .string(moment(notice.since)),
        "facts": .object(facts),
    ]
    if notice.dropped > 0 { data["dropped"] = JSONValue(integer: Int64(notice.dropped)) }
    var event: JSONObject = [
        "specversion": .string("1.0"), "id": .string(alert.incident),
        "source": .string("/herse/\(notice.host)"),
        "type": .string("herse.alert.\(alert.kind.rawValue)"), "time": .string(moment(alert.at)),
        "datacontenttype": .string("application/json"), "data": .object(data),
    ]
    // CloudEvents wants a subject that is not empty, or none.
    if !alert.subject.isEmpty { event["subject"] = .string(alert.subject) }
    return JSONValue.object(event).encoded
}

/// `v1,` and the HMAC-SHA256 of id, time and body.
func webhookSignature(_ id: String, _ time: String, _ body: [UInt8], _ secret: [UInt8]) -> String {
    let signed = Array("\(id).\(time).".utf8) + body
    var digest = [UInt8](repeating: 0, count: 32)
    var count: UInt32 = 0
    // Safe because SHA-256 gives the 32 bytes there are.
    _ = unsafe HMAC(
        EVP_sha256(), secret, Int32(clamping: secret.count), signed, signed.count, &digest, &count)
    return "v1," + base64(digest)
}

/// The key in a file: base64 of 24 to 64 bytes, with `whsec_` before it or without; nil when it is
/// none.
package func webhookSecret(_ file: [UInt8]) -> [UInt8]? {
    var text = String(decoding: file, as: UTF8.self)
    while let last = text.last, last.isWhitespace { text.removeLast() }
    if text.hasPrefix("whsec_") { text.removeFirst(6) }
    let letters = Array(text.utf8)
    guard letters.count % 4 == 0, (32...88).contains(letters.count) else { return nil }
    var bytes = [UInt8](repeating: 0, count: letters.count / 4 * 3)
    // Safe because three bytes come of four letters at most.
    let count = unsafe EVP_DecodeBlock(&bytes, letters, Int32(clamping: letters.count))
    guard count == bytes.count else { return nil }
    // OpenSSL counts what the padding stands for as zeros.
    bytes.removeLast(letters.reversed().prefix { $0 == UInt8(ascii: "=") }.count)
    return (24...64).contains(bytes.count) ? bytes : nil
}

/// Base64 with padding, RFC 4648 §4.
func base64(_ bytes: [UInt8]) -> String {
    var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
    // Safe because four letters are made of three bytes, and a zero at the end.
    let count = unsafe EVP_EncodeBlock(&text, bytes, Int32(clamping: bytes.count))
    return String(decoding: text.prefix(Int(max(0, count))), as: UTF8.self)
}
