// COpenSSL.c: makes the header a module, and verifies CMS, which takes a dozen calls that own one
// another's results.

#include "COpenSSL.h"

int herse_cms_verifies(const void *signature, size_t signature_count, const void *content,
                       size_t content_count, const void *authorities, size_t authorities_count) {
    int good = 0;
    BIO *signed_by = BIO_new_mem_buf(signature, (int)signature_count);
    BIO *data = BIO_new_mem_buf(content, (int)content_count);
    BIO *anchors = BIO_new_mem_buf(authorities, (int)authorities_count);
    X509_STORE *store = X509_STORE_new();
    CMS_ContentInfo *message = NULL;
    if (signed_by == NULL || data == NULL || anchors == NULL || store == NULL) goto end;
    // A list's signer need not be made for mail, which is what CMS asks for by itself.
    X509_STORE_set_purpose(store, X509_PURPOSE_ANY);
    X509 *anchor;
    int count = 0;
    while ((anchor = PEM_read_bio_X509(anchors, NULL, NULL, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, anchor);
        X509_free(anchor);
    }
    if (count == 0) goto end;
    message = d2i_CMS_bio(signed_by, NULL);
    if (message == NULL && BIO_reset(signed_by) == 1) {
        message = PEM_read_bio_CMS(signed_by, NULL, NULL, NULL);
    }
    if (message == NULL) goto end;
    good = CMS_verify(message, NULL, store, data, NULL, CMS_BINARY | CMS_DETACHED) == 1;
end:
    CMS_ContentInfo_free(message);
    X509_STORE_free(store);
    BIO_free(anchors);
    BIO_free(data);
    BIO_free(signed_by);
    ERR_clear_error();
    return good;
}
