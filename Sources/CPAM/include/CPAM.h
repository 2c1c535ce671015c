// CPAM.h: the door to libpam, and what of a helper process Swift cannot write: the conversation
// that libpam calls back, and a child that inherits nothing.

#ifndef HERSE_CPAM_H
#define HERSE_CPAM_H

#include <stddef.h>
#include <sys/types.h>

#include <security/pam_appl.h>

/// What a conversation may still say, and what it said. The answers are the caller's, each ends in
/// a NUL, and they are given in their order to the prompts that want one.
struct herse_conversation {
    const char *const *answers;
    int answer_count;
    /// Answers given so far.
    int given;
    /// Messages and their bytes so far, prompts and others, and how many there may be.
    int messages;
    int messages_max;
    size_t bytes;
    size_t bytes_max;
    /// Why the conversation was broken off; 0 when it was not.
    int flaw;
};

enum {
    HERSE_CONVERSATION_FLOOD = 1,
    HERSE_CONVERSATION_NO_ANSWER = 2,
    HERSE_CONVERSATION_STYLE = 3,
    HERSE_CONVERSATION_MEMORY = 4,
};

/// Begins a transaction whose prompts are answered by `conversation`; modules are kept from
/// sleeping after a failure (pam_fail_delay), since delays are the gate's business.
int herse_pam_start(const char *service, const char *user,
                    struct herse_conversation *conversation, struct pam_conv *room,
                    pam_handle_t **handle);

static inline int herse_pam_set_text(pam_handle_t *handle, int item, const char *text) {
    return pam_set_item(handle, item, text);
}

/// Starts `path` with `argument` in a session of its own: descriptor 3 is `socket`, 0 to 2 are the
/// null device, no other is open; the environment is a fixed one, and what the wrappers that tests
/// run PAM under need, if it is set. Returns the process, or minus an error number.
pid_t herse_spawn_helper(const char *path, const char *argument, int socket);

/// POLLRDHUP, which wants _GNU_SOURCE: the peer has shut down its sending half.
enum { HERSE_POLLRDHUP = 0x2000 };

/// What a process does that is going to hold passwords and run other people's code: no core file,
/// no look into its memory by others of the same user, no folder held, 256 MiB of data at most, and
/// the first to go when the machine runs out of memory.
int herse_seal_process(void);

#endif
