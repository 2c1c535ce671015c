// COpenSSL.c: makes the header a module, and verifies CMS, which takes a dozen calls that own one
// another's results.

// The digest functions that fetch nothing: 0.1 µs less for each of a record's million hashes.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "COpenSSL.h"
#include <string.h>

int herse_no_passphrase(char *buffer, int size, int writes, void *data) {
    (void)buffer, (void)size, (void)writes, (void)data;
    return -1;
}

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
    while ((anchor = PEM_read_bio_X509(anchors, NULL, herse_no_passphrase, NULL)) != NULL) {
        count += X509_STORE_add_cert(store, anchor);
        X509_free(anchor);
    }
    if (count == 0) goto end;
    message = d2i_CMS_bio(signed_by, NULL);
    if (message == NULL && BIO_reset(signed_by) == 1) {
        message = PEM_read_bio_CMS(signed_by, NULL, herse_no_passphrase, NULL);
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

static struct herse_hash finish(SHA256_CTX *context) {
    struct herse_hash hash;
    uint8_t bytes[SHA256_DIGEST_LENGTH];
    (void)SHA256_Final(bytes, context);
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

struct herse_hash herse_leaf_hash(const uint8_t *bytes, size_t count) {
    const uint8_t mark = 0;
    SHA256_CTX context;
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, &mark, 1);
    (void)SHA256_Update(&context, bytes, count);
    return finish(&context);
}

struct herse_hash herse_node_hash(struct herse_hash left, struct herse_hash right) {
    uint8_t bytes[65];
    bytes[0] = 1;
    memcpy(bytes + 1, &left, sizeof left);
    memcpy(bytes + 33, &right, sizeof right);
    return herse_sha256(bytes, sizeof bytes);
}

struct herse_hash herse_sha256(const uint8_t *bytes, size_t count) {
    SHA256_CTX context;
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, bytes, count);
    return finish(&context);
}

void herse_hmac_sha256(const uint8_t key[32], const uint8_t *bytes, size_t count,
                       uint8_t out[32]) {
    uint8_t pad[64];
    SHA256_CTX context;
    for (int place = 0; place < 64; place++) pad[place] = (place < 32 ? key[place] : 0) ^ 0x36;
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, pad, sizeof pad);
    (void)SHA256_Update(&context, bytes, count);
    (void)SHA256_Final(out, &context);
    for (int place = 0; place < 64; place++) pad[place] ^= 0x36 ^ 0x5C;
    (void)SHA256_Init(&context);
    (void)SHA256_Update(&context, pad, sizeof pad);
    (void)SHA256_Update(&context, out, 32);
    (void)SHA256_Final(out, &context);
}

EVP_CIPHER_CTX *herse_sealing_context(int seals) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context != NULL
        && EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, NULL, NULL, seals) == 1)
        return context;
    EVP_CIPHER_CTX_free(context);
    return NULL;
}

/// Each key seals one text, so that the nonce may be the same for all.
static const uint8_t only_nonce[12];

int herse_seal(EVP_CIPHER_CTX *context, const uint8_t key[32], const uint8_t *text, int count,
               uint8_t *out) {
    int length = 0;
    int rest = 0;
    return EVP_EncryptInit_ex(context, NULL, NULL, key, only_nonce) == 1
           && EVP_EncryptUpdate(context, out, &length, text, count) == 1 && length == count
           && EVP_EncryptFinal_ex(context, out + length, &rest) == 1
           && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, out + length) == 1;
}

int herse_open_sealed(EVP_CIPHER_CTX *context, const uint8_t key[32], const uint8_t *sealed,
                      int count, uint8_t *out) {
    int length = 0;
    int rest = 0;
    uint8_t tag[16];
    if (count < 16) return 0;
    memcpy(tag, sealed + count - 16, sizeof tag);
    return EVP_DecryptInit_ex(context, NULL, NULL, key, only_nonce) == 1
           && EVP_DecryptUpdate(context, out, &length, sealed, count - 16) == 1
           && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag) == 1
           && EVP_DecryptFinal_ex(context, out + length, &rest) == 1;
}
