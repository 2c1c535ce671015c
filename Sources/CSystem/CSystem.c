// CSystem.c: the calls that want _GNU_SOURCE, which the header must not define: with it, the
// system's types would differ from those that Swift's own Glibc module has.

#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <unistd.h>

int herse_peer_credentials(int descriptor, struct herse_peer *out) {
    struct ucred credentials;
    socklen_t length = sizeof credentials;
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &length) != 0) return -1;
    out->pid = credentials.pid;
    out->uid = credentials.uid;
    out->gid = credentials.gid;
    return 0;
}

int herse_accept(int descriptor, struct sockaddr_storage *peer) {
    socklen_t length = sizeof *peer;
    return accept4(descriptor, (struct sockaddr *)peer, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

int herse_holds(const uint8_t *bytes, size_t count, const uint8_t *part, size_t length) {
    return memmem(bytes, count, part, length) != NULL;
}

int herse_clock_is_synchronized(void) {
    struct timex state = {.modes = 0};
    int answer = adjtimex(&state);
    if (answer < 0) return -1;
    return answer != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

int herse_name_thread(pthread_t thread, const char *name) {
    char kept[16];
    strncpy(kept, name, sizeof kept - 1);
    kept[sizeof kept - 1] = 0;
    return pthread_setname_np(thread, kept);
}

int herse_usable_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 1;
    return CPU_COUNT(&set);
}

static int signal_pipe = -1;

static void note_signal(int number) {
    int kept = errno;
    unsigned char byte = (unsigned char)number;
    // A full pipe holds signals that are not read yet: one more says nothing new.
    if (write(signal_pipe, &byte, 1) < 0) {}
    errno = kept;
}

int herse_catch_signals(void) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -1;
    signal_pipe = ends[1];
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    if (sigaction(SIGHUP, &action, NULL) != 0 || sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGTERM, &action, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0) {
        return -1;
    }
    return ends[0];
}

void herse_yield_to_others(void) {
    // Refused or not, the thread goes on: it would only be as important as the others.
    if (setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10) != 0) {}
}

int herse_unacknowledged(int descriptor) {
    int count = 0;
    return ioctl(descriptor, SIOCOUTQ, &count) == 0 ? count : -1;
}

int herse_memory_file(const char *name) { return memfd_create(name, MFD_CLOEXEC); }

int herse_child_descriptor(pid_t process) { return (int)syscall(SYS_pidfd_open, process, 0); }

pid_t herse_spawn_mailer(const char *path, int input, int error) {
    // A mailer finds its user's settings by HOME, and nothing else of ours is its business.
    char home[4096] = "HOME=/";
    const char *known = getenv("HOME");
    if (known) snprintf(home, sizeof home, "HOME=%s", known);
    char *environment[] = {
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
        home, NULL};
    char *arguments[] = {(char *)path, "-t", "-i", NULL};

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int failure = posix_spawn_file_actions_init(&actions);
    if (failure) return -failure;
    failure = posix_spawnattr_init(&attributes);
    if (failure) {
        posix_spawn_file_actions_destroy(&actions);
        return -failure;
    }
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    failure = posix_spawn_file_actions_adddup2(&actions, input, 0);
    if (!failure) {
        failure = posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    }
    if (!failure) failure = posix_spawn_file_actions_adddup2(&actions, error, 2);
    if (!failure) failure = posix_spawn_file_actions_addclosefrom_np(&actions, 3);
    if (!failure) failure = posix_spawnattr_setsigmask(&attributes, &none);
    if (!failure) failure = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!failure) {
        failure = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    pid_t process = -1;
    if (!failure) {
        failure = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return failure ? -failure : process;
}

int herse_ask_for_short_slices(uint64_t nanoseconds) {
    // The kernel's structure, for which glibc has no name before 2.41.
    struct {
        uint32_t size, policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
    } attributes = {0};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0) return -1;
    attributes.size = sizeof attributes;
    attributes.runtime = nanoseconds;
    return (int)syscall(SYS_sched_setattr, 0, &attributes, 0);
}
