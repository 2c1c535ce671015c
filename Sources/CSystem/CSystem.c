// CSystem.c: the calls that want _GNU_SOURCE, which the header must not define: with it, the
// system's types would differ from those that Swift's own Glibc module has.

#define _GNU_SOURCE
#include "CSystem.h"

#include <sched.h>
#include <string.h>

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
