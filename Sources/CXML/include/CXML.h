// CXML.h: the little of libxml2 that inspection needs, without its headers.
//
// Elements, attributes and text of a document as it comes; no tree, no document type, no entity,
// no file, no network. What is found is judged in Swift. XPath is in CXMLPath.h.

#ifndef HERSE_CXML_H
#define HERSE_CXML_H

#include <stddef.h>
#include <stdint.h>

#include "CXMLPath.h"

/// How a piece of a document was taken.
enum herse_xml_verdict {
    HERSE_XML_FINE = 0,
    /// Breaks the grammar of XML or of namespaces.
    HERSE_XML_MALFORMED,
    /// The last piece was given, and the document is not whole.
    HERSE_XML_TRUNCATED,
    /// Has a document type declaration.
    HERSE_XML_DOCUMENT_TYPE,
    /// Not in the encoding it declares, or in one that is not read.
    HERSE_XML_ENCODING,
    /// Past a bound of libxml2's own, or of the one who reads.
    HERSE_XML_TOO_LARGE,
    /// No memory.
    HERSE_XML_NO_MEMORY,
};

/// What is told of a document; `user` is what was given with these.
struct herse_xml_events {
    /// An element begins. Five pointers an attribute, as libxml2 has them: local name, prefix,
    /// namespace, first byte of the value, the byte after its last.
    void (*_Nonnull start)(void *_Nonnull user, const uint8_t *_Nonnull name,
                           const uint8_t *_Nullable space, int count,
                           const uint8_t *_Nullable const *_Nullable attributes);
    void (*_Nonnull end)(void *_Nonnull user);
    void (*_Nonnull text)(void *_Nonnull user, const uint8_t *_Nonnull bytes, size_t count);
};

struct herse_xml;

/// A reader of one document; NULL when there is no memory.
struct herse_xml *_Nullable herse_xml_new(const struct herse_xml_events *_Nonnull events,
                                          void *_Nonnull user);

/// Reads more of the document, and calls the events meanwhile; returns a herse_xml_verdict.
int herse_xml_feed(struct herse_xml *_Nonnull xml, const uint8_t *_Nullable bytes, size_t count,
                   int is_last);

/// Called by an event: no more events, and `herse_xml_feed` returns HERSE_XML_TOO_LARGE.
void herse_xml_stop(struct herse_xml *_Nonnull xml);

void herse_xml_free(struct herse_xml *_Nonnull xml);

#endif
