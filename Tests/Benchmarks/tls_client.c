// tls_client.c: mutual-TLS load that no packaged generator gives: handshakes, resumptions, idle
// connections, and a counted number of requests.
//
//   tls_client full   PORT BOUND THREADS   full handshakes, no request
//   tls_client resume PORT BOUND THREADS   resumed handshakes, no request
//   tls_client hold   PORT COUNT PATH      COUNT connections, one request each, kept open
//   tls_client ask    PORT COUNT PATH      COUNT requests over one kept-alive connection
//   tls_client probe  PORT BOUND PATH      a request every millisecond, and how long each took
//
// BOUND is seconds (`5s`) or a count per thread (`200`). Cards come from HERSE_BENCH_CARDS.
// `probe` ends with its time or its input. One JSON line on standard output; `hold` prints one more for each line it reads, and ends with
// its input.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cards.h"

/// How long one read or write may take before the connection counts as failed, in seconds.
#define PATIENCE_SECONDS 10
/// Threads a run may have; each has at most one connection in flight.
#define THREADS_MAX 64

static SSL_CTX *context;
static struct sockaddr_in server;
/// The newest ticket this thread was given; owned.
static _Thread_local SSL_SESSION *ticket;

static int keep_ticket(SSL *ssl, SSL_SESSION *session) {
    (void)ssl;
    SSL_SESSION_free(ticket);
    ticket = session;
    return 1;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/// A session whose handshake is done on a new connection, or NULL. `resuming` may be NULL.
static SSL *dial(SSL_SESSION *resuming) {
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    if (descriptor < 0) return NULL;
    struct timeval patience = {.tv_sec = PATIENCE_SECONDS};
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    SSL *ssl = SSL_new(context);
    if (ssl != NULL && connect(descriptor, (struct sockaddr *)&server, sizeof server) == 0 &&
        cards_arm(ssl) && SSL_set_tlsext_host_name(ssl, "localhost") == 1 &&
        (resuming == NULL || SSL_set_session(ssl, resuming) == 1) &&
        SSL_set_fd(ssl, descriptor) == 1 && SSL_connect(ssl) == 1)
        return ssl;
    SSL_free(ssl);
    close(descriptor);
    return NULL;
}

static void hang_up(SSL *ssl) {
    close(SSL_get_fd(ssl));
    // Else the library takes an end it did not see both sides of as a reason to drop the ticket.
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(ssl);
}

/// Says "no more" and waits until the server has closed too: in TLS 1.3 a client is done before its
/// certificate is verified, so only the server's orderly end shows that it did all its work.
static bool finish(SSL *ssl) {
    char rest[4096];
    int got;
    ERR_clear_error();
    if (SSL_shutdown(ssl) < 0) return false;
    shutdown(SSL_get_fd(ssl), SHUT_WR);
    while ((got = SSL_read(ssl, rest, sizeof rest)) > 0) {}
    return SSL_get_error(ssl, got) == SSL_ERROR_ZERO_RETURN;
}

/// Sends one GET and reads its whole answer; true if it is a 200 with the length it declares.
static bool ask(SSL *ssl, const char *path) {
    char text[16384];
    int length = snprintf(text, sizeof text,
                          "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: herse-bench\r\n"
                          "Accept: application/fhir+json\r\n\r\n", path);
    if (SSL_write(ssl, text, length) != length) return false;
    size_t have = 0, wanted = 0;
    while (wanted == 0 || have < wanted) {
        int got = SSL_read(ssl, text + have, (int)(sizeof text - 1 - have));
        if (got <= 0) return false;
        have += (size_t)got;
        text[have] = 0;
        const char *end = strstr(text, "\r\n\r\n");
        const char *declared = strcasestr(text, "\r\nContent-Length:");
        if (end == NULL) continue;
        if (declared == NULL || declared > end) return false;
        wanted = (size_t)(end - text) + 4 + strtoul(declared + 17, NULL, 10);
        if (wanted > sizeof text - 1) return false;
    }
    return have == wanted && strncmp(text, "HTTP/1.1 200", 12) == 0;
}

// MARK: handshakes

struct load {
    pthread_t thread;
    bool resume;
    double until;
    unsigned long bound, done, failed, resumed;
};

static void *shake_hands(void *argument) {
    struct load *load = argument;
    if (load->resume) {
        // The first connection is full: it earns the ticket the others resume with.
        SSL *first = dial(NULL);
        if (first == NULL || !finish(first)) load->failed++;
        if (first != NULL) hang_up(first);
    }
    while (load->bound ? load->done + load->failed < load->bound : now() < load->until) {
        SSL_SESSION *resuming = load->resume ? ticket : NULL;
        if (resuming != NULL) SSL_SESSION_up_ref(resuming);
        SSL *ssl = dial(resuming);
        SSL_SESSION_free(resuming);
        if (ssl == NULL || !finish(ssl)) load->failed++;
        else load->done++, load->resumed += (unsigned long)SSL_session_reused(ssl);
        if (ssl != NULL) hang_up(ssl);
        if (load->failed > 100) break;
    }
    SSL_SESSION_free(ticket);
    return NULL;
}

static int handshakes(bool resume, const char *bound, int threads) {
    static struct load loads[THREADS_MAX];
    struct load sum = {0};
    bool seconds = bound[strlen(bound) - 1] == 's';
    double start = now();
    if (threads < 1 || threads > THREADS_MAX) return 64;
    for (int i = 0; i < threads; i++) {
        loads[i] = (struct load){.resume = resume};
        if (seconds) loads[i].until = start + strtod(bound, NULL);
        else loads[i].bound = strtoul(bound, NULL, 10);
        if (pthread_create(&loads[i].thread, NULL, shake_hands, &loads[i]) != 0) return 1;
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(loads[i].thread, NULL);
        sum.done += loads[i].done;
        sum.failed += loads[i].failed;
        sum.resumed += loads[i].resumed;
    }
    printf("{\"done\": %lu, \"failed\": %lu, \"resumed\": %lu, \"seconds\": %.6f}\n", sum.done,
           sum.failed, sum.resumed, now() - start);
    return 0;
}

// MARK: connections that stay

/// True while the server keeps the connection: nothing to read but what TLS itself sends.
static bool alive(SSL *ssl) {
    char byte;
    ERR_clear_error();
    return SSL_get_error(ssl, SSL_read(ssl, &byte, 1)) == SSL_ERROR_WANT_READ;
}

static int hold(long count, const char *path) {
    SSL **held = calloc((size_t)count, sizeof *held);
    long failed = 0, standing;
    char line[64];
    if (held == NULL) return 1;
    for (long i = 0; i < count && failed < 10; i++) {
        held[i] = dial(NULL);
        if (held[i] == NULL || !ask(held[i], path)) {
            failed++;
            fprintf(stderr, "tls_client: connection %ld failed: %s\n", i, strerror(errno));
            continue;
        }
        int descriptor = SSL_get_fd(held[i]);
        fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
    }
    do {
        standing = 0;
        for (long i = 0; i < count; i++) standing += held[i] != NULL && alive(held[i]);
        printf("{\"standing\": %ld, \"failed\": %ld}\n", standing, failed);
        fflush(stdout);
    } while (fgets(line, sizeof line, stdin) != NULL);
    return 0;
}

static int ask_many(long count, const char *path) {
    SSL *ssl = dial(NULL);
    long done = 0;
    if (ssl == NULL) return 1;
    while (done < count && ask(ssl, path)) done++;
    bool orderly = finish(ssl);
    printf("{\"done\": %ld, \"failed\": %ld}\n", done, count - done + !orderly);
    return 0;
}

// MARK: how long requests take

/// Requests a probe keeps the times of: two minutes of them.
#define PROBES_MAX 120000

static int by_length(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

/// Asks once a millisecond over one connection, dialled anew when it ends, until its time is over
/// or its input closes.
static int probe(const char *bound, const char *path) {
    double *took = calloc(PROBES_MAX, sizeof *took);
    size_t count = 0, failed = 0;
    if (took == NULL) return 1;
    SSL *ssl = dial(NULL);
    double until = now() + strtod(bound, NULL);
    // What is measured is the gate, not this process's wait for a core among other clients.
    if (setpriority(PRIO_PROCESS, 0, -15) != 0) fprintf(stderr, "probe: no priority\n");
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    printf("{\"begun\": %s}\n", ssl != NULL ? "true" : "false");
    fflush(stdout);
    while (now() < until && count < PROBES_MAX && failed < 1000) {
        char byte;
        if (read(STDIN_FILENO, &byte, 1) == 0) break;
        double start = now();
        if (ssl == NULL) ssl = dial(NULL);
        if (ssl == NULL || !ask(ssl, path)) {
            failed++;
            if (ssl != NULL) hang_up(ssl);
            ssl = NULL;
            continue;
        }
        took[count++] = now() - start;
        double left = start + 0.001 - now();
        if (left > 0) usleep((useconds_t)(left * 1e6));
    }
    if (ssl != NULL) hang_up(ssl);
    qsort(took, count, sizeof *took, by_length);
    printf("{\"done\": %zu, \"failed\": %zu, \"p50_us\": %.1f, \"p99_us\": %.1f, "
           "\"max_us\": %.1f}\n", count, failed, count ? took[count / 2] * 1e6 : 0,
           count ? took[count * 99 / 100] * 1e6 : 0, count ? took[count - 1] * 1e6 : 0);
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr,
                "usage: tls_client full|resume|hold|ask|probe PORT BOUND|COUNT THREADS|PATH\n");
        return 64;
    }
    struct rlimit descriptors;
    getrlimit(RLIMIT_NOFILE, &descriptors);
    descriptors.rlim_cur = descriptors.rlim_max;
    setrlimit(RLIMIT_NOFILE, &descriptors);
    signal(SIGPIPE, SIG_IGN);
    server = (struct sockaddr_in){.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)atoi(argv[2])),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) return 1;
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    // A server that closes without close_notify is no failure, and its ticket still counts.
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_ticket);
    cards_load();

    if (strcmp(argv[1], "full") == 0) return handshakes(false, argv[3], atoi(argv[4]));
    if (strcmp(argv[1], "resume") == 0) return handshakes(true, argv[3], atoi(argv[4]));
    if (strcmp(argv[1], "hold") == 0) return hold(atol(argv[3]), argv[4]);
    if (strcmp(argv[1], "ask") == 0) return ask_many(atol(argv[3]), argv[4]);
    if (strcmp(argv[1], "probe") == 0) return probe(argv[3], argv[4]);
    return 64;
}
