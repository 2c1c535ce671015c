// CXML.c: libxml2's push parser, without document types and with few encodings.

#include "CXML.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>

#include "Internal.h"

struct herse_xml {
    xmlParserCtxtPtr context;
    struct herse_xml_events events;
    void *user;
    /// A verdict of ours, which comes before what libxml2 says of the stop.
    int refused;
    /// The first error of libxml2's own; those that follow from it say less.
    int error;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

void herse_xml_start_library(void) { pthread_once(&once, xmlInitParser); }

static void refuse(struct herse_xml *xml, int verdict) {
    if (xml->refused == HERSE_XML_FINE) xml->refused = verdict;
    xmlStopParser(xml->context);
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int namespaces, const xmlChar **declared, int count, int defaulted,
                     const xmlChar **attributes) {
    (void)prefix, (void)namespaces, (void)declared, (void)defaulted;
    struct herse_xml *xml = user;
    if (xml->refused != HERSE_XML_FINE) return;
    xml->events.start(xml->user, name, uri, count, (const uint8_t *const *)attributes);
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri) {
    (void)name, (void)prefix, (void)uri;
    struct herse_xml *xml = user;
    if (xml->refused == HERSE_XML_FINE) xml->events.end(xml->user);
}

static void on_text(void *user, const xmlChar *bytes, int count) {
    struct herse_xml *xml = user;
    if (xml->refused == HERSE_XML_FINE && count > 0)
        xml->events.text(xml->user, bytes, (size_t)count);
}

static void on_document_type(void *user, const xmlChar *name, const xmlChar *public_id,
                             const xmlChar *system_id) {
    (void)name, (void)public_id, (void)system_id;
    refuse(user, HERSE_XML_DOCUMENT_TYPE);
}

#if LIBXML_VERSION >= 21200
typedef const xmlError *error_pointer;
#else
typedef xmlErrorPtr error_pointer;
#endif

static void on_error(void *user, error_pointer error) {
    struct herse_xml *xml = user;
    if (error == NULL || error->level < XML_ERR_ERROR || xml->error != XML_ERR_OK) return;
    xml->error = error->code;
    // A character that may not be has a number; what is no character of UTF-8 has none.
    if (error->code == XML_ERR_INVALID_CHAR && error->int1 == 0)
        xml->error = XML_ERR_INVALID_ENCODING;
}

/// Encodings in which the bytes of markup are those of ASCII: others can hide elements from one
/// reader that another sees.
static int is_read(const xmlChar *encoding) {
    static const char *const names[] = {
        "UTF-8", "UTF8", "US-ASCII", "ASCII", "ISO-8859-1", "ISO-8859-15", "windows-1252",
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp((const char *)encoding, names[i]) == 0) return 1;
    return 0;
}

static void on_document(void *user) {
    struct herse_xml *xml = user;
    const xmlChar *encoding = xml->context->encoding;
    if (encoding == NULL && xml->context->input != NULL) encoding = xml->context->input->encoding;
    if (encoding != NULL && !is_read(encoding)) refuse(xml, HERSE_XML_ENCODING);
}

struct herse_xml *herse_xml_new(const struct herse_xml_events *events, void *user) {
    herse_xml_start_library();
    struct herse_xml *xml = calloc(1, sizeof *xml);
    if (xml == NULL) return NULL;
    xml->events = *events;
    xml->user = user;
    xmlSAXHandler handler = {
        .initialized = XML_SAX2_MAGIC,
        .internalSubset = on_document_type,
        .externalSubset = on_document_type,
        .startDocument = on_document,
        .startElementNs = on_start,
        .endElementNs = on_end,
        .characters = on_text,
        .cdataBlock = on_text,
        .ignorableWhitespace = on_text,
        .serror = on_error,
    };
    xml->context = xmlCreatePushParserCtxt(&handler, xml, NULL, 0, NULL);
    if (xml->context == NULL) {
        free(xml);
        return NULL;
    }
    xmlCtxtUseOptions(xml->context, XML_PARSE_NONET);
    return xml;
}

/// What an error of libxml2's means to us.
static int verdict(int error) {
    switch (error) {
    case XML_ERR_NO_MEMORY: return HERSE_XML_NO_MEMORY;
    case XML_ERR_INVALID_ENCODING:
    case XML_ERR_UNKNOWN_ENCODING:
    case XML_ERR_UNSUPPORTED_ENCODING:
    case XML_ERR_ENCODING_NAME:
    case XML_I18N_CONV_FAILED:
    case XML_I18N_NO_NAME:
    case XML_I18N_NO_HANDLER:
        return HERSE_XML_ENCODING;
    // Says every bound of its own with one of these.
    case XML_ERR_NAME_TOO_LONG:
    case XML_ERR_INTERNAL_ERROR:
        return HERSE_XML_TOO_LARGE;
    default: return HERSE_XML_MALFORMED;
    }
}

int herse_xml_feed(struct herse_xml *xml, const uint8_t *bytes, size_t count, int is_last) {
    xmlParserCtxtPtr context = xml->context;
    // The parser takes an int; whoever asks gives small pieces.
    if (count > 1 << 30) return HERSE_XML_TOO_LARGE;
    if (count > 0) xmlParseChunk(context, (const char *)bytes, (int)count, 0);
    if (xml->refused != HERSE_XML_FINE) return xml->refused;
    if (!context->wellFormed || !context->nsWellFormed)
        return verdict(xml->error);
    if (!is_last) return HERSE_XML_FINE;
    xmlParseChunk(context, NULL, 0, 1);
    if (xml->refused != HERSE_XML_FINE) return xml->refused;
    // Nothing was wrong with what came: what is wrong now is that no more comes.
    if (!context->wellFormed || !context->nsWellFormed) return HERSE_XML_TRUNCATED;
    return HERSE_XML_FINE;
}

void herse_xml_stop(struct herse_xml *xml) { refuse(xml, HERSE_XML_TOO_LARGE); }

void herse_xml_free(struct herse_xml *xml) {
    xmlFreeDoc(xml->context->myDoc);
    xmlFreeParserCtxt(xml->context);
    free(xml);
}
