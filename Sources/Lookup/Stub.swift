// Stub.swift: x.
package final class Extractor: Sendable {}
extension AnswerInspector { package func extract(_ body: Span<UInt8>, _ extractor: Extractor) {} }
package func questionOfSOAP(_ body: Span<UInt8>, dialect: Dialect, contentType: Span<UInt8>, countMax: Int, _ hasher: PersonHasher) throws(QuestionError) -> Question { Question(.unknown) }
