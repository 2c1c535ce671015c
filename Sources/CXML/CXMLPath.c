// CXMLPath.c: libxml2's trees and XPath, bounded in steps and without document types.

#include "CXMLPath.h"

#include <libxml/HTMLparser.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>
#include <libxml/xpathInternals.h>
#include <stdlib.h>
#include <string.h>

#include "CXML.h"
#include "Internal.h"

/// Steps an evaluation may take; about a tenth of a second.
#define STEPS_MAX 5000000

struct herse_xpath {
    xmlXPathCompExprPtr compiled;
};

struct herse_document {
    xmlDocPtr document;
};

#if LIBXML_VERSION >= 21200
#define ERROR_POINTER const xmlError *
#else
#define ERROR_POINTER xmlErrorPtr
#endif

static void keep_code(void *user, ERROR_POINTER error) {
    int *code = user;
    if (error != NULL && *code == 0) *code = error->code;
}

static void ignore(void *user, ERROR_POINTER error) { (void)user, (void)error; }

const char *herse_xpath_reason(int code) {
    switch (code) {
    case XML_XPATH_UNFINISHED_LITERAL_ERROR: return "a quotation mark is not closed";
    case XML_XPATH_UNCLOSED_ERROR: return "a parenthesis or bracket is not closed";
    case XML_XPATH_INVALID_PREDICATE_ERROR: return "a predicate in brackets is not one";
    case XML_XPATH_UNKNOWN_FUNC_ERROR: return "a function is unknown";
    case XML_XPATH_VARIABLE_REF_ERROR:
    case XML_XPATH_START_LITERAL_ERROR: return "a variable or a text is not one";
    case XML_XPATH_NUMBER_ERROR: return "a number is not one";
    default: return "not an expression of XPath 1.0";
    }
}

struct herse_xpath *herse_xpath_compile(const char *expression, int *error) {
    herse_xml_start_library();
    *error = 0;
    xmlXPathContextPtr context = xmlXPathNewContext(NULL);
    if (context == NULL) return NULL;
    context->error = keep_code;
    context->userData = error;
    xmlXPathCompExprPtr compiled = xmlXPathCtxtCompile(context, (const xmlChar *)expression);
    xmlXPathFreeContext(context);
    if (compiled == NULL) return NULL;
    struct herse_xpath *path = malloc(sizeof *path);
    if (path == NULL) {
        xmlXPathFreeCompExpr(compiled);
        return NULL;
    }
    path->compiled = compiled;
    return path;
}

void herse_xpath_free(struct herse_xpath *path) {
    xmlXPathFreeCompExpr(path->compiled);
    free(path);
}

static void on_document_type(void *user, const xmlChar *name, const xmlChar *public_id,
                             const xmlChar *system_id) {
    (void)name, (void)public_id, (void)system_id;
    xmlParserCtxtPtr context = user;
    context->_private = context;
    xmlStopParser(context);
}

static struct herse_document *keep(xmlDocPtr tree, int *verdict) {
    struct herse_document *document = malloc(sizeof *document);
    if (document == NULL) {
        xmlFreeDoc(tree);
        *verdict = HERSE_XML_NO_MEMORY;
        return NULL;
    }
    document->document = tree;
    *verdict = HERSE_XML_FINE;
    return document;
}

static struct herse_document *read_xml(const char *bytes, int count, int *verdict) {
    *verdict = HERSE_XML_NO_MEMORY;
    xmlParserCtxtPtr context = xmlNewParserCtxt();
    if (context == NULL) return NULL;
    // An entity can only be declared in a document type.
    context->sax->internalSubset = on_document_type;
    xmlDocPtr tree = xmlCtxtReadMemory(context, bytes, count, NULL, NULL,
                                       XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    int has_type = context->_private != NULL;
    int is_fine = tree != NULL && context->wellFormed && context->nsWellFormed && !has_type;
    xmlFreeParserCtxt(context);
    if (is_fine) return keep(tree, verdict);
    if (tree != NULL) xmlFreeDoc(tree);
    *verdict = has_type ? HERSE_XML_DOCUMENT_TYPE : HERSE_XML_MALFORMED;
    return NULL;
}

static struct herse_document *read_html(const char *bytes, int count, int *verdict) {
    *verdict = HERSE_XML_NO_MEMORY;
    htmlParserCtxtPtr context = htmlNewParserCtxt();
    if (context == NULL) return NULL;
    // HTML is what browsers make of it: nothing is malformed.
    xmlDocPtr tree = htmlCtxtReadMemory(context, bytes, count, NULL, NULL,
                                        HTML_PARSE_RECOVER | HTML_PARSE_NONET |
                                            HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING);
    htmlFreeParserCtxt(context);
    if (tree != NULL) return keep(tree, verdict);
    *verdict = HERSE_XML_MALFORMED;
    return NULL;
}

struct herse_document *herse_document_new(const uint8_t *bytes, size_t count, int is_html,
                                          int *verdict) {
    herse_xml_start_library();
    if (count > 1 << 30) {
        *verdict = HERSE_XML_TOO_LARGE;
        return NULL;
    }
    return is_html ? read_html((const char *)bytes, (int)count, verdict)
                   : read_xml((const char *)bytes, (int)count, verdict);
}

void herse_document_free(struct herse_document *document) {
    xmlFreeDoc(document->document);
    free(document);
}

typedef int (*taker)(void *user, const uint8_t *bytes, size_t count);

static int give(void *user, taker found, xmlChar *text) {
    if (text == NULL) return HERSE_XML_NO_MEMORY;
    int goes_on = found(user, text, strlen((const char *)text));
    xmlFree(text);
    return goes_on ? HERSE_XML_FINE : HERSE_XML_TOO_LARGE;
}

static int give_nodes(xmlNodeSetPtr nodes, void *user, taker found) {
    if (nodes == NULL) return HERSE_XML_FINE;
    for (int i = 0; i < nodes->nodeNr; i++) {
        int verdict = give(user, found, xmlXPathCastNodeToString(nodes->nodeTab[i]));
        if (verdict != HERSE_XML_FINE) return verdict;
    }
    return HERSE_XML_FINE;
}

int herse_xpath_evaluate(struct herse_xpath *path, struct herse_document *document, void *user,
                         int (*found)(void *user, const uint8_t *bytes, size_t count)) {
    xmlXPathContextPtr context = xmlXPathNewContext(document->document);
    if (context == NULL) return HERSE_XML_NO_MEMORY;
    context->error = ignore;
    context->opLimit = STEPS_MAX;
    xmlXPathObjectPtr object = xmlXPathCompiledEval(path->compiled, context);
    int verdict = HERSE_XML_FINE;
    if (object == NULL)
        verdict = HERSE_XML_TOO_LARGE;
    else if (object->type == XPATH_NODESET)
        verdict = give_nodes(object->nodesetval, user, found);
    else if (xmlXPathCastToBoolean(object))
        verdict = give(user, found, xmlXPathCastToString(object));
    xmlXPathFreeObject(object);
    xmlXPathFreeContext(context);
    return verdict;
}
