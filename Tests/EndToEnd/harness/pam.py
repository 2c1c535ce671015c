"""PAM as the gate meets it, without touching the machine's own: services and users of one test.

libpam_wrapper makes libpam read its services from a folder, libnss_wrapper makes the C library know
users that do not exist. Modules that misbehave are a few lines of C, compiled when they are wanted.
"""

import base64
import hashlib
import hmac
import os
import shutil
import struct
import subprocess
import tempfile
import time
from pathlib import Path

PASSWORD = "Tr0ub4dor&3"
USER = "infirmiere1"

# The head that all modules of ours begin with; each adds `authenticate`.
HEAD = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <security/pam_appl.h>
#include <security/pam_modules.h>

/* Asks one question; the answer is the caller's to free, NULL when there is none. */
static char *ask(pam_handle_t *pamh, int style, const char *text) {
    const struct pam_conv *conv = NULL;
    struct pam_message message = { style, (char *)text };
    const struct pam_message *messages = &message;
    struct pam_response *response = NULL;
    if (pam_get_item(pamh, PAM_CONV, (const void **)&conv) != PAM_SUCCESS || !conv) return NULL;
    if (conv->conv(1, &messages, &response, conv->appdata_ptr) != PAM_SUCCESS) return NULL;
    char *answer = response ? response->resp : NULL;
    free(response);
    return answer;
}

static void count(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (file >= 0) { if (write(file, "x", 1) < 0) abort(); close(file); }
}

int pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    return PAM_SUCCESS;
}
"""

ACCOUNT = """
int pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    %s
}
"""

AUTHENTICATE = """
int pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv) {
    %s
}
"""

# What each does when it is asked who someone is.
BODIES = {
    "hangs": "for (;;) pause();",
    "hangs, deaf to signals": """
        sigset_t all; sigfillset(&all); sigprocmask(SIG_BLOCK, &all, NULL);
        for (;;) pause();""",
    "crashes": "abort();",
    "ends its process": "exit(0);",
    "floods with questions": """
        for (;;) { char *said = ask(pamh, PAM_PROMPT_ECHO_OFF, "Again: "); free(said); }""",
    "floods with messages": """
        static char text[4096]; memset(text, 'm', sizeof text - 1);
        for (;;) { char *said = ask(pamh, PAM_TEXT_INFO, text); free(said); }""",
    "asks a question without end": """
        size_t size = 64 << 20; char *text = malloc(size + 1); memset(text, 'q', size);
        text[size] = 0; char *said = ask(pamh, PAM_PROMPT_ECHO_OFF, text);
        free(text); free(said); return PAM_AUTH_ERR;""",
    "asks many questions at once": """
        const struct pam_conv *conv = NULL; struct pam_response *response = NULL;
        static struct pam_message message[4096]; static const struct pam_message *messages[4096];
        for (int i = 0; i < 4096; i++) {
            message[i].msg_style = PAM_PROMPT_ECHO_OFF; message[i].msg = "Word: ";
            messages[i] = &message[i];
        }
        pam_get_item(pamh, PAM_CONV, (const void **)&conv);
        if (conv->conv(4096, messages, &response, conv->appdata_ptr) == PAM_SUCCESS)
            return PAM_SUCCESS;
        return PAM_CONV_ERR;""",
    "writes into every descriptor": """
        for (int i = 0; i < 64; i++)
            if (write(i, "{\\"right\\":true}\\n\\001\\000\\000\\000", 20) < 0) continue;
        return PAM_AUTH_ERR;""",
    "closes every descriptor": """
        for (int i = 0; i < 64; i++) close(i);
        return PAM_AUTH_ERR;""",
    "leaves a child behind": """
        if (fork() == 0) { for (;;) pause(); }
        return PAM_AUTH_ERR;""",
    "answers a number that means nothing": "return 9999;",
    "asks for everything there is": """
        for (;;) { char *p = malloc(1 << 20); if (!p) return PAM_BUF_ERR; memset(p, 1, 1 << 20); }""",
}


class PAM:
    """Services under one folder; the gate runs with `environment`."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="herse-pam-"))
        # A helper may run as somebody else.
        self.folder.chmod(0o755)
        self.services = self.folder / "services"
        self.services.mkdir()
        self.matrix = library("pam_wrapper/pam_matrix.so", "libpam-wrapper")
        self.passwords = self.folder / "passdb"
        self.passwords.write_text("")
        self.add(USER, PASSWORD)
        self.service("herse", f"auth required {self.matrix} passdb={self.passwords}",
                     "account required pam_permit.so")

    @property
    def environment(self):
        preload = ["libpam_wrapper.so"]
        more = {}
        if (self.folder / "passwd").exists():
            preload.append("libnss_wrapper.so")
            for name in ("passwd", "group"):
                more[f"NSS_WRAPPER_{name.upper()}"] = str(self.folder / name)
        return {"LD_PRELOAD": ":".join(preload), "PAM_WRAPPER": "1",
                "PAM_WRAPPER_SERVICE_DIR": str(self.services), **more}

    def add(self, user, password, service="herse"):
        """Makes pam_matrix believe this password."""
        with self.passwords.open("a") as file:
            file.write(f"{user}:{password}:{service}\n")

    def service(self, name, *lines):
        (self.services / name).write_text("\n".join(lines) + "\n")

    def unix(self, *users, name="herse", password=PASSWORD):
        """Makes pam_unix judge, on users that no machine has.

        Their passwords stand in passwd itself: the C library's wrapper has no getspnam_r.
        """
        passwd, group = "", ""
        for number, user in enumerate(users, 20001):
            told = subprocess.run(["openssl", "passwd", "-6", password], check=True,
                                  capture_output=True, text=True).stdout.strip()
            passwd += f"{user}:{told}:{number}:{number}:{user}:/nonexistent:/bin/false\n"
            group += f"{user}:x:{number}:\n"
        (self.folder / "passwd").write_text(passwd)
        (self.folder / "group").write_text(group)
        self.service(name, "auth required pam_unix.so", "account required pam_unix.so")

    def misbehaving(self, how, name="herse"):
        """Makes a module that misbehaves judge; returns the file it writes a byte to per call."""
        calls = self.folder / "calls"
        body = f'count("{calls}"); {BODIES[how]} return PAM_AUTH_ERR;'
        module = self.compiled(how, AUTHENTICATE % body + ACCOUNT % "return PAM_SUCCESS;")
        self.service(name, f"auth required {module}", f"account required {module}")
        return calls

    def account(self, code, name="herse"):
        """Makes the password right and the account end with this code of PAM's."""
        module = self.compiled(code, AUTHENTICATE % "return PAM_SUCCESS;"
                               + ACCOUNT % f"return {code};")
        self.service(name, f"auth required {self.matrix} passdb={self.passwords}",
                     f"account required {module}")

    def compiled(self, name, source):
        """Compiles a module."""
        base = self.folder / "".join(c if c.isalnum() else "_" for c in name)
        base.with_suffix(".c").write_text(HEAD + source)
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-w", "-o", base.with_suffix(".so"),
             base.with_suffix(".c"), "-lpam"], check=True, capture_output=True, text=True)
        return base.with_suffix(".so")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def library(name, package):
    """Where Debian put a shared object."""
    for folder in sorted(Path("/usr/lib").glob(f"*/{name}")):
        return folder
    raise AssertionError(f"{name} is missing: apt-get install {package}")


# One-time codes, RFC 6238, with code that shares nothing with the gate's.


def secret_of(address):
    """The secret in an otpauth address, as bytes."""
    from urllib.parse import parse_qs, urlsplit

    text = parse_qs(urlsplit(address).query)["secret"][0]
    return base64.b32decode(text + "=" * (-len(text) % 8))


def code(secret, at=None, step=0, digits=6, period=30):
    """The code of a moment, `step` periods later."""
    counter = int(time.time() if at is None else at) // period + step
    digest = hmac.new(secret, struct.pack(">Q", counter), hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset:offset + 4])[0] & 0x7FFFFFFF
    return str(number % 10 ** digits).zfill(digits)
