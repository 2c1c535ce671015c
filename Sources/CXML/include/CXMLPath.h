// CXMLPath.h: XPath 1.0 on a document of XML or HTML, with bounds.

#ifndef HERSE_CXMLPATH_H
#define HERSE_CXMLPATH_H

#include <stddef.h>
#include <stdint.h>

struct herse_xpath;
struct herse_document;

/// A compiled expression; NULL when it is none, and then `error` says why, in a text that lives
/// for ever.
struct herse_xpath *_Nullable herse_xpath_compile(const char *_Nonnull expression,
                                                  const char *_Nonnull *_Nonnull error);
void herse_xpath_free(struct herse_xpath *_Nonnull path);

/// A whole document; NULL with a herse_xml_verdict in `verdict` when it cannot be read.
struct herse_document *_Nullable herse_document_new(const uint8_t *_Nullable bytes, size_t count,
                                                    int is_html, int *_Nonnull verdict);
void herse_document_free(struct herse_document *_Nonnull document);

/// What an expression found: the text of each node, or of the one value it is.
struct herse_xpath_result {
    /// Nodes found; 1 when the expression is a text, a number or a truth that is not empty, zero
    /// or false.
    size_t count;
    /// Not NaN when the value is a number.
    double number;
};

/// Evaluates an expression, and calls `found` with the text of each match, at most `max` times;
/// returns a herse_xml_verdict, HERSE_XML_TOO_LARGE past its bounds.
int herse_xpath_evaluate(struct herse_xpath *_Nonnull path,
                         struct herse_document *_Nonnull document, size_t max,
                         void *_Nullable user,
                         void (*_Nullable found)(void *_Nullable user,
                                                 const uint8_t *_Nonnull bytes, size_t count),
                         struct herse_xpath_result *_Nonnull result);

#endif
