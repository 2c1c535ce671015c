// CSystem.h: the Linux calls and macros that Swift cannot import by itself.
//
// No logic lives here, nothing is kept, nothing is decided.

#ifndef HERSE_CSYSTEM_H
#define HERSE_CSYSTEM_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <time.h>

#include "JSONBytes.h"

/// Who is at the other end of a local socket, as the kernel saw it at connect (SO_PEERCRED).
struct herse_peer {
    pid_t pid;
    uid_t uid;
    gid_t gid;
};

int herse_peer_credentials(int descriptor, struct herse_peer *out);

/// accept4() with SOCK_NONBLOCK and SOCK_CLOEXEC.
int herse_accept(int descriptor, struct sockaddr_storage *peer);

/// From now on SIGHUP, SIGINT and SIGTERM are written, one byte each, to a pipe whose reading end
/// is returned (-1: failed), and SIGPIPE is ignored. A mask would not do: threads that exist
/// already would still die of them.
int herse_catch_signals(void);

/// Cores this process may run on; 1 when the system does not say.
int herse_usable_cores(void);

/// Makes the calling thread give way to those that carry requests.
void herse_yield_to_others(void);

/// Asks that the calling thread, scheduled as it is, runs in slices of so many nanoseconds: at its
/// turn sooner, and no longer; 0 when the kernel takes it, which needs no privilege.
int herse_ask_for_short_slices(uint64_t nanoseconds);

/// Whether the bytes of `part` stand somewhere in `bytes`.
int herse_holds(const uint8_t *bytes, size_t count, const uint8_t *part, size_t length);

/// Whether the kernel's clock is kept in step with another (adjtimex(2)): 1 it is, 0 it is not,
/// -1 the kernel does not say.
int herse_clock_is_synchronized(void);

/// Names a thread for ps and top; at most 15 bytes are kept.
int herse_name_thread(pthread_t thread, const char *name);

/// Bytes sent on a socket that the other side's system has not acknowledged; -1 when unknown.
int herse_unacknowledged(int descriptor);

/// Runs `path -t -i`, a mailer, in a session of its own: it reads `input` and complains to `error`.
/// Returns its process, or a negative error.
pid_t herse_spawn_mailer(const char *path, int input, int error);

/// A descriptor that is readable once a child process has ended; -1 when there is none.
int herse_child_descriptor(pid_t process);

/// A file in memory, closed when another program is run.
int herse_memory_file(const char *name);

static inline int herse_set_option(int descriptor, int level, int name, int value) {
    return setsockopt(descriptor, level, name, &value, sizeof value);
}

/// Makes the next close() reset the connection and discard what the kernel has not sent yet.
static inline int herse_linger_zero(int descriptor) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    return setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

static inline int herse_socket_error(int descriptor) {
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
    return error;
}

static inline int herse_epoll_control(int epoll, int operation, int descriptor, uint32_t events,
                                      uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}

static inline uint32_t herse_event_flags(const struct epoll_event *event) { return event->events; }
static inline uint64_t herse_event_token(const struct epoll_event *event) {
    return event->data.u64;
}

/// Nanoseconds of a clock; 0 when the clock does not exist.
static inline uint64_t herse_clock(clockid_t clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) != 0) return 0;
    return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static inline int herse_open(const char *path, int flags, mode_t mode) {
    return open(path, flags | O_CLOEXEC, mode);
}

static inline int herse_open_at(int directory, const char *path, int flags, mode_t mode) {
    return openat(directory, path, flags | O_CLOEXEC, mode);
}

#endif
