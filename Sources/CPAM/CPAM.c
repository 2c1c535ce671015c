// CPAM.c: the conversation with PAM's modules, and the process they run in.

#define _GNU_SOURCE
#include "CPAM.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(HERSE_POLLRDHUP == POLLRDHUP, "as the kernel has it");

static void forget_responses(struct pam_response *responses, int count) {
    for (int index = 0; index < count; index++) {
        char *text = responses[index].resp;
        if (text) explicit_bzero(text, strlen(text));
        free(text);
    }
    free(responses);
}

static int converse(int count, const struct pam_message **messages,
                    struct pam_response **responses, void *data) {
    struct herse_conversation *state = data;
    // A flaw ends the whole conversation: a module must not get by with asking again.
    if (state->flaw) return PAM_CONV_ERR;
    if (count <= 0 || count > state->messages_max - state->messages) {
        state->flaw = HERSE_CONVERSATION_FLOOD;
        return PAM_CONV_ERR;
    }
    struct pam_response *made = calloc((size_t)count, sizeof *made);
    if (!made) {
        state->flaw = HERSE_CONVERSATION_MEMORY;
        return PAM_BUF_ERR;
    }
    for (int index = 0; index < count && !state->flaw; index++) {
        const char *text = messages[index]->msg;
        size_t room = state->bytes_max - state->bytes;
        size_t length = text ? strnlen(text, room + 1) : 0;
        if (length > room) {
            state->flaw = HERSE_CONVERSATION_FLOOD;
            break;
        }
        state->messages++;
        state->bytes += length;
        switch (messages[index]->msg_style) {
        case PAM_PROMPT_ECHO_OFF:
        case PAM_PROMPT_ECHO_ON:
            if (state->given >= state->answer_count) {
                state->flaw = HERSE_CONVERSATION_NO_ANSWER;
            } else if (!(made[index].resp = strdup(state->answers[state->given++]))) {
                state->flaw = HERSE_CONVERSATION_MEMORY;
            }
            break;
        case PAM_TEXT_INFO:
        case PAM_ERROR_MSG:
            break;
        default:
            state->flaw = HERSE_CONVERSATION_STYLE;
        }
    }
    if (state->flaw) {
        forget_responses(made, count);
        return PAM_CONV_ERR;
    }
    *responses = made;
    return PAM_SUCCESS;
}

static void no_delay(int status, unsigned microseconds, void *data) {
    (void)status;
    (void)microseconds;
    (void)data;
}

int herse_pam_start(const char *service, const char *user,
                    struct herse_conversation *conversation, struct pam_conv *room,
                    pam_handle_t **handle) {
    room->conv = converse;
    room->appdata_ptr = conversation;
    int status = pam_start(service, user, room, handle);
    if (status != PAM_SUCCESS) return status;
    void (*delay)(int, unsigned, void *) = no_delay;
    // Where there is no such item the modules' delays stay: slower, not weaker.
    (void)pam_set_item(*handle, PAM_FAIL_DELAY, (const void *)delay);
    return PAM_SUCCESS;
}

/// Whether a variable is one of the wrappers that tests run PAM under.
static int is_for_wrappers(const char *variable) {
    static const char *const names[] = {"LD_PRELOAD=", "PAM_WRAPPER", "NSS_WRAPPER", "UID_WRAPPER"};
    for (size_t index = 0; index < sizeof names / sizeof *names; index++) {
        if (strncmp(variable, names[index], strlen(names[index])) == 0) return 1;
    }
    return 0;
}

pid_t herse_spawn_helper(const char *path, const char *argument, int socket) {
    enum { kept_max = 32 };
    char *environment[kept_max + 4] = {
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8",
        // A module that crashes must not write what it held.
        "SWIFT_BACKTRACE=enable=no"};
    int kept = 3;
    for (char **variable = environ; *variable && kept < kept_max + 3; variable++) {
        if (is_for_wrappers(*variable)) environment[kept++] = *variable;
    }
    char *arguments[] = {"herse", (char *)argument, NULL};

    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return -error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&actions);
        return -error;
    }
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    error = posix_spawn_file_actions_adddup2(&actions, socket, 3);
    for (int number = 0; number <= 2 && !error; number++) {
        error = posix_spawn_file_actions_addopen(&actions, number, "/dev/null", O_RDWR, 0);
    }
    if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
    if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!error) {
        error = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    pid_t process = -1;
    if (!error) error = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    return error ? -error : process;
}

// Sanitizers map more than any module asks for.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HERSE_SANITIZED 1
#endif
#endif

int herse_seal_process(void) {
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return -1;
#ifndef HERSE_SANITIZED
    struct rlimit room = {256 << 20, 256 << 20};
    if (setrlimit(RLIMIT_DATA, &room) != 0) return -1;
#endif
    // When memory is short all the same, this process goes and not the gate. Where that cannot be
    // said the limit still holds.
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0) {
        (void)!write(score, "1000", 4);
        close(score);
    }
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
    umask(077);
    return chdir("/");
}
