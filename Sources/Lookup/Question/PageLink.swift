// PageLink.swift: page links, known again by a keyed hash of what is opaque in them.

/// The keyed hash of the opaque part of a page link; nil when there is none.
///
/// `query` is what follows `?` in the URL.
package func pageToken(ofQuery query: Span<UInt8>, _ hasher: PersonHasher) -> UInt64? {
    nil
}
