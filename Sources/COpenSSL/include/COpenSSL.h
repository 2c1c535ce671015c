// COpenSSL.h: OpenSSL 3.0 or later, and inline stand-ins for the macros Swift cannot import.
//
// Inline but for one: nothing is kept, nothing is decided.

#ifndef HERSE_COPENSSL_H
#define HERSE_COPENSSL_H

#include <stdint.h>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/opensslv.h>
#include <openssl/params.h>
#include <openssl/pem.h>
// After PEM: it declares its own PEM readers only then.
#include <openssl/cms.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

static inline long herse_ctx_set_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_mode(context, mode);
}
static inline int herse_ctx_set_min_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_min_proto_version(context, version);
}
static inline int herse_ctx_set_max_version(SSL_CTX *context, int version) {
    return (int)SSL_CTX_set_max_proto_version(context, version);
}
static inline int herse_ctx_set_groups(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_groups_list(context, list);
}
static inline int herse_ctx_set_signature_algorithms(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(context, list);
}
static inline int herse_ctx_set_client_signature_algorithms(SSL_CTX *context, const char *list) {
    return (int)SSL_CTX_set1_client_sigalgs_list(context, list);
}
static inline long herse_ctx_set_session_cache_mode(SSL_CTX *context, long mode) {
    return SSL_CTX_set_session_cache_mode(context, mode);
}
static inline int herse_ctx_set_ticket_keys(SSL_CTX *context, unsigned char *keys, int length) {
    return (int)SSL_CTX_set_tlsext_ticket_keys(context, keys, length);
}
static inline void herse_ctx_set_read_ahead(SSL_CTX *context, int yes) {
    SSL_CTX_set_read_ahead(context, yes);
}
static inline int herse_ctx_add_chain_certificate(SSL_CTX *context, X509 *certificate) {
    return (int)SSL_CTX_add1_chain_cert(context, certificate);
}
static inline int herse_ctx_set_server_name_callback(SSL_CTX *context,
                                                     int (*callback)(SSL *, int *, void *),
                                                     void *argument) {
    if (!SSL_CTX_set_tlsext_servername_callback(context, callback)) return 0;
    return (int)SSL_CTX_set_tlsext_servername_arg(context, argument);
}
static inline int herse_ctx_set_status_callback(SSL_CTX *context, int (*callback)(SSL *, void *),
                                                void *argument) {
    if (!SSL_CTX_set_tlsext_status_cb(context, callback)) return 0;
    return (int)SSL_CTX_set_tlsext_status_arg(context, argument);
}
/* Copies the response: OpenSSL frees what it is given. */
static inline int herse_set_stapled_response(SSL *session, const unsigned char *response,
                                             size_t length) {
    unsigned char *copy = OPENSSL_memdup(response, length);
    if (!copy) return 0;
    if (SSL_set_tlsext_status_ocsp_resp(session, copy, (int)length) == 1) return 1;
    OPENSSL_free(copy);
    return 0;
}
static inline int herse_ssl_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}
/// SSL_OP_… are macros over a function-like macro, which Swift cannot import.
static const uint64_t HERSE_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t HERSE_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t HERSE_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t HERSE_OP_NO_TICKET = SSL_OP_NO_TICKET;

static inline EVP_PKEY *herse_generate_p256(void) { return EVP_EC_gen("P-256"); }
static inline EVP_PKEY *herse_generate_rsa(size_t bits) { return EVP_RSA_gen(bits); }

/// Parameters keep pointers to their names, which Swift cannot promise to outlive a call.
static inline EVP_PKEY *herse_public_key(const char *type, OSSL_PARAM *parameters) {
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (context != NULL && EVP_PKEY_fromdata_init(context) == 1)
        (void)EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters);
    EVP_PKEY_CTX_free(context);
    return key;
}
/// A public key on a named curve, from an uncompressed point; NULL for a point that is not on it.
static inline EVP_PKEY *herse_public_ec_key(const char *curve, uint8_t *point, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)curve, 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, count),
        OSSL_PARAM_construct_end(),
    };
    return herse_public_key("EC", parameters);
}
/// A public RSA key, from numbers whose bytes stand in the machine's order.
static inline EVP_PKEY *herse_public_rsa_key(uint8_t *modulus, size_t modulus_count,
                                             uint8_t *exponent, size_t exponent_count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, modulus, modulus_count),
        OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, exponent_count),
        OSSL_PARAM_construct_end(),
    };
    return herse_public_key("RSA", parameters);
}

/// Frees what the library allocated for its caller.
static inline void herse_free(void *memory) { OPENSSL_free(memory); }

/// Gives no passphrase, for readers of PEM: nobody is there to be asked for that of what should have
/// none, and who sends it must not make the gate wait.
int herse_no_passphrase(char *buffer, int size, int writes, void *data);

/// Whether a detached CMS signature (RFC 5652; DER or PEM) of the content is by a signer whom one
/// of the authorities (PEM) vouches for now: 1 or 0.
int herse_cms_verifies(const void *signature, size_t signature_count, const void *content,
                       size_t content_count, const void *authorities, size_t authorities_count);

/// A SHA-256 digest; its bytes stand in memory in their own order.
struct herse_hash {
    uint64_t a, b, c, d;
};

/// The hash of a leaf of a Merkle tree: SHA-256 of 0 and the bytes (RFC 6962 §2.1).
struct herse_hash herse_leaf_hash(const uint8_t *bytes, size_t count);
/// The hash of a node: SHA-256 of 1 and both hashes below it (RFC 6962 §2.1).
struct herse_hash herse_node_hash(struct herse_hash left, struct herse_hash right);
/// SHA-256 of the bytes.
struct herse_hash herse_sha256(const uint8_t *bytes, size_t count);

/// HMAC-SHA-256 under a key of 32 bytes (RFC 2104).
void herse_hmac_sha256(const uint8_t key[32], const uint8_t *bytes, size_t count,
                       uint8_t out[32]);

/// AES-256-GCM with a tag of 16 bytes after the text (NIST SP 800-38D), a nonce of zeros, and so a
/// key that seals nothing else: 1, or 0 when it failed or what is opened was not sealed with this
/// key. `out` has room for count + 16 bytes when sealing, count - 16 when opening.
int herse_seal(EVP_CIPHER_CTX *context, const uint8_t key[32], const uint8_t *text, int count,
               uint8_t *out);
int herse_open_sealed(EVP_CIPHER_CTX *context, const uint8_t key[32], const uint8_t *sealed,
                      int count, uint8_t *out);
/// A context for sealing or for opening; NULL when there is none to be had.
EVP_CIPHER_CTX *herse_sealing_context(int seals);

#endif
