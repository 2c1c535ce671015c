// CXMLPath.h: XPath 1.0 on a document of XML or HTML, with bounds.

#ifndef HERSE_CXMLPATH_H
#define HERSE_CXMLPATH_H

#include <stddef.h>
#include <stdint.h>

struct herse_xpath;
struct herse_document;

/// A compiled expression; NULL when it is none, and then `error` is a code of libxml2's.
struct herse_xpath *_Nullable herse_xpath_compile(const char *_Nonnull expression,
                                                  int *_Nonnull error);

/// What such a code means, in a text that lives for ever.
const char *_Nonnull herse_xpath_reason(int error);

void herse_xpath_free(struct herse_xpath *_Nonnull path);

/// A whole document; NULL with a herse_xml_verdict in `verdict` when it cannot be read.
struct herse_document *_Nullable herse_document_new(const uint8_t *_Nullable bytes, size_t count,
                                                    int is_html, int *_Nonnull verdict);
void herse_document_free(struct herse_document *_Nonnull document);

/// Evaluates an expression, and calls `found` with the text of each node it finds, or of the one
/// text, number or truth it is unless that is empty, zero or false; `found` returns 0 for no more.
/// Returns a herse_xml_verdict, HERSE_XML_TOO_LARGE past its bounds or when there was no more.
int herse_xpath_evaluate(struct herse_xpath *_Nonnull path,
                         struct herse_document *_Nonnull document, void *_Nonnull user,
                         int (*_Nonnull found)(void *_Nonnull user,
                                               const uint8_t *_Nonnull bytes, size_t count));

#endif
