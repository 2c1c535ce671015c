// CCurl.h: libcurl, and inline stand-ins for its functions of many types, which Swift cannot call.
//
// Inline only: no logic lives here, nothing is kept, nothing is decided.

#ifndef HERSE_CCURL_H
#define HERSE_CCURL_H

// Its checks by macro want the option to be written out at the call.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

static inline CURLcode herse_curl_start(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline CURLcode herse_curl_set_number(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}
static inline CURLcode herse_curl_set_large(CURL *handle, CURLoption option, int64_t value) {
    return curl_easy_setopt(handle, option, (curl_off_t)value);
}
static inline CURLcode herse_curl_set_text(CURL *handle, CURLoption option, const char *text) {
    return curl_easy_setopt(handle, option, text);
}
static inline CURLcode herse_curl_set_pointer(CURL *handle, CURLoption option, void *pointer) {
    return curl_easy_setopt(handle, option, pointer);
}
static inline CURLcode herse_curl_set_sink(CURL *handle, CURLoption option,
                                           size_t (*sink)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(handle, option, sink);
}
/// The bytes are copied.
static inline CURLcode herse_curl_set_block(CURL *handle, CURLoption option, const void *bytes,
                                            size_t count) {
    struct curl_blob block = {.data = (void *)bytes, .len = count, .flags = CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &block);
}
/// The socket of a connection that is kept; -1 when there is none.
static inline int herse_curl_socket(CURL *handle) {
    curl_socket_t descriptor = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &descriptor) != CURLE_OK) return -1;
    return (int)descriptor;
}
static inline long herse_curl_number(CURL *handle, CURLINFO info) {
    long value = 0;
    (void)curl_easy_getinfo(handle, info, &value);
    return value;
}

#endif
