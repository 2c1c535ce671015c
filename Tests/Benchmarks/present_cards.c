// present_cards.c: makes a load generator that knows nothing of client certificates present one.
//
// Loaded before wrk (LD_PRELOAD), it stands in front of SSL_new: every connection the generator
// opens carries the next professional's card (cards.h).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>

#include "cards.h"

static SSL *(*library_ssl_new)(SSL_CTX *);
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void prepare(void) {
    // POSIX lets an object pointer from dlsym become a function pointer; ISO C needs the detour.
    void *found = dlsym(RTLD_NEXT, "SSL_new");
    memcpy(&library_ssl_new, &found, sizeof found);
    if (found == NULL) cards_fail("the library after this one lacks", "SSL_new");
    cards_load();
}

SSL *SSL_new(SSL_CTX *context) {
    pthread_once(&once, prepare);
    SSL *ssl = library_ssl_new(context);
    if (ssl != NULL && !cards_arm(ssl)) cards_fail("the library refuses a card for", "SSL_new");
    return ssl;
}
