// cards.h: the professionals' cards a load generator presents, and the one crypto all do.
//
// Shared by present_cards.c and tls_client.c; each of them is one translation unit.

#ifndef HERSE_BENCH_CARDS_H
#define HERSE_BENCH_CARDS_H

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Cards a run may hold; one is one professional.
#define CARDS_MAX 64

struct card {
    X509 *certificate;
    EVP_PKEY *key;
};

static struct card cards[CARDS_MAX];
static int cards_count;
static atomic_uint cards_next;

static void cards_fail(const char *what, const char *path) {
    fprintf(stderr, "cards: %s `%s`\n", what, path);
    ERR_print_errors_fp(stderr);
    exit(1);
}

/// Reads the PEM files named by HERSE_BENCH_CARDS, separated by colons: each a certificate and
/// its key.
static void cards_load(void) {
    const char *list = getenv("HERSE_BENCH_CARDS");
    if (list == NULL || *list == 0) cards_fail("no card in the variable", "HERSE_BENCH_CARDS");
    char *paths = strdup(list), *rest = NULL;
    for (char *path = strtok_r(paths, ":", &rest); path; path = strtok_r(NULL, ":", &rest)) {
        if (cards_count == CARDS_MAX) cards_fail("too many cards, from", path);
        struct card *card = &cards[cards_count++];
        BIO *file = BIO_new_file(path, "r");
        if (file == NULL) cards_fail("cannot open", path);
        card->certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
        (void)BIO_seek(file, 0);
        card->key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
        BIO_free(file);
        if (card->certificate == NULL || card->key == NULL)
            cards_fail("no certificate and key in", path);
    }
    free(paths);
}

/// Gives a new session the next professional's card, and leaves the server no choice of crypto:
/// TLS 1.3, AES-128-GCM, X25519, ECDSA on P-256, so that every contestant does the same work.
static int cards_arm(SSL *ssl) {
    const struct card *card = &cards[atomic_fetch_add(&cards_next, 1) % (unsigned)cards_count];
    return SSL_set_min_proto_version(ssl, TLS1_3_VERSION) == 1 &&
           SSL_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256") == 1 &&
           SSL_set1_groups_list(ssl, "X25519") == 1 &&
           SSL_set1_sigalgs_list(ssl, "ECDSA+SHA256") == 1 &&
           SSL_use_certificate(ssl, card->certificate) == 1 &&
           SSL_use_PrivateKey(ssl, card->key) == 1;
}

#endif
