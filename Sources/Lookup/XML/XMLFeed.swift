// XMLFeed.swift: reads a document of XML piece by piece, and tells a reader what it sees.
//
// libxml2 parses; namespaces are resolved, a document type ends it, no entity exists but the five
// that XML predefines, and nothing is fetched.

internal import CXML

/// Who is told of a document's elements and text, in their order.
protocol XMLReader: AnyObject {
    func start(_ element: borrowing XMLElement)
    /// Text of the innermost element, in as many pieces as it comes.
    func text(_ bytes: Span<UInt8>)
    func end()
}

/// One document being read.
///
/// Safe because its parser is its own: made in `feed`, freed in deinit, never handed out.
@safe final class XMLFeed {
    /// Elements within each other that are followed; an HL7 v3 answer has about 15.
    static let depthMax = 64

    private let reader: any XMLReader
    private var parser: OpaquePointer?
    private var element = XMLElement()
    private var depth = 0
    private(set) var isTooDeep = false

    init(_ reader: any XMLReader) { self.reader = reader }

    deinit {
        // Safe because nobody else frees it, and it is not used afterwards.
        if let parser = unsafe parser { unsafe herse_xml_free(parser) }
    }

    /// Reads the next bytes of the document.
    func feed(_ bytes: Span<UInt8>, isLast: Bool) throws(Unparsed) {
        guard let parser = unsafe existingOrNew() else { throw .tooMany }
        let verdict = unsafe bytes.withUnsafeBufferPointer { buffer in
            // Safe because the parser copies what it keeps of the bytes, and self outlives the call
            // for which the events know it.
            unsafe herse_xml_feed(parser, buffer.baseAddress, buffer.count, isLast ? 1 : 0)
        }
        if isTooDeep { throw .tooDeep }
        switch herse_xml_verdict(UInt32(bitPattern: verdict)) {
        case HERSE_XML_FINE: return
        case HERSE_XML_TRUNCATED: throw .truncated
        case HERSE_XML_DOCUMENT_TYPE: throw .documentType
        case HERSE_XML_ENCODING: throw .encoding
        case HERSE_XML_TOO_LARGE: throw .tooDeep
        case HERSE_XML_NO_MEMORY: throw .tooMany
        default: throw .malformed
        }
    }

    private func existingOrNew() -> OpaquePointer? {
        // Safe because the pointer is this object's own.
        if let parser = unsafe parser { return unsafe parser }
        // Safe because the events run within `feed`, while self lives; the table is copied.
        var events = unsafe herse_xml_events(
            start: { user, name, space, count, attributes in
                unsafe XMLFeed.of(user).start(name, space, Int(count), attributes)
            },
            end: { user in unsafe XMLFeed.of(user).end() },
            text: { user, bytes, count in
                unsafe XMLFeed.of(user).text(UnsafeBufferPointer(start: bytes, count: count))
            })
        // Safe because self frees the parser before it goes.
        unsafe parser = herse_xml_new(&events, Unmanaged.passUnretained(self).toOpaque())
        return unsafe parser
    }

    private static func of(_ user: UnsafeMutableRawPointer) -> XMLFeed {
        // Safe because user is the pointer that `existingOrNew` gave, and the feed is alive.
        unsafe Unmanaged<XMLFeed>.fromOpaque(user).takeUnretainedValue()
    }

    private func start(
        _ name: UnsafePointer<UInt8>, _ space: UnsafePointer<UInt8>?, _ count: Int,
        _ attributes: UnsafePointer<UnsafePointer<UInt8>?>?
    ) {
        depth += 1
        guard depth <= Self.depthMax else {
            isTooDeep = true
            // Safe because the parser lives: it is calling.
            if let parser = unsafe parser { unsafe herse_xml_stop(parser) }
            return
        }
        // Safe because names and namespaces end with a zero and live while the parser does.
        unsafe element.begin(
            zeroEnded(name).span, in: space.map { unsafe XMLNamespace(zeroEnded($0).span) } ?? .none
        )
        // Safe because each attribute has five pointers, the fifth behind the fourth or equal.
        if let attributes = unsafe attributes {
            for index in 0..<count {
                let at = unsafe attributes + 5 * index
                guard unsafe at[2] == nil, let name = unsafe at[0], let value = unsafe at[3],
                    let end = unsafe at[4]
                else { continue }
                let bytes = unsafe UnsafeBufferPointer(start: value, count: end - value)
                unsafe element.addAttribute(zeroEnded(name).span, bytes.span)
            }
        }
        reader.start(element)
    }

    private func end() {
        depth -= 1
        reader.end()
    }

    private func text(_ bytes: UnsafeBufferPointer<UInt8>) {
        // Safe because the bytes live for the time of the call.
        unsafe reader.text(bytes.span)
    }
}

/// A text that ends with a zero.
private func zeroEnded(_ start: UnsafePointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
    var count = 0
    // Safe because whoever calls promises the zero.
    while unsafe start[count] != 0 { count += 1 }
    return unsafe UnsafeBufferPointer(start: start, count: count)
}
