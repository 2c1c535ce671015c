"""A headless Chromium: its own home, certificates and policies, security keys made of software.

Nothing of the machine's is read or changed: the profile, the certificates and the policy that
chooses a client certificate lie in a temporary folder, which Chromium sees at its place because
it runs in a mount namespace of its own.
"""

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12
from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.virtual_authenticator import (
    Credential, VirtualAuthenticatorOptions,
)

from .waiting import PATIENCE, until

# Where Debian's Chromium looks for policies, and nowhere else.
POLICIES = "/etc/chromium"

WRAPPER = """#!/bin/sh
# Chromium with the policies of one test: seen by it alone, gone with it.
exec unshare --mount {root} sh -c 'mount --bind "$0" {place} && exec "$@"' "{policies}" \\
    "{chromium}" "$@"
"""


def program(name):
    """Its path; every test needs it, none is skipped without it."""
    path = shutil.which(name)
    assert path, f"{name} is missing: script/test installs chromium, chromium-driver, libnss3-tools"
    return path


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{command[0]} failed: {done.stdout}{done.stderr}"


class Browser:
    """One Chromium; `remove` ends it and all that was made for it.

    `card` is a pair of files, certificate with chain and key, shown to whoever asks. `hosts`
    tells where names lead: {"gate.example.test": port} on the loopback address, for the default
    port, so that origins need none. `language` is what pages are asked for in.
    """

    def __init__(self, authorities, card=None, hosts=None, language="en", script=True):
        self.folder = Path(tempfile.mkdtemp(prefix="herse-browser-"))
        self.driver = None
        try:
            self.certificates(authorities, card)
            policies = self.policies(language, script)
            self.start(policies, hosts or {}, language)
        except BaseException:
            self.remove()
            raise

    def certificates(self, authorities, card):
        """The NSS store of this home: whom it trusts, and the card in its reader."""
        store = self.folder / ".pki" / "nssdb"
        store.mkdir(parents=True)
        where = f"sql:{store}"
        tool = program("certutil")
        run(tool, "-d", where, "-N", "--empty-password")
        for index, authority in enumerate(authorities):
            run(tool, "-d", where, "-A", "-t", "C,,", "-n", f"authority-{index}", "-i", authority)
        if card:
            certificate, *chain = x509.load_pem_x509_certificates(Path(card[0]).read_bytes())
            key = serialization.load_pem_private_key(Path(card[1]).read_bytes(), None)
            wrapped = self.folder / "card.p12"
            # NSS of Debian 12 reads this, and what is newer too.
            wrapped.write_bytes(
                pkcs12.serialize_key_and_certificates(
                    b"card", key, certificate, chain,
                    serialization.BestAvailableEncryption(b"card"),
                )
            )
            run(program("pk12util"), "-d", where, "-i", wrapped, "-W", "card", "-K", "")

    def policies(self, language, script):
        """Every site that asks for a certificate gets the one there is, without a question."""
        folder = self.folder / "policies"
        (folder / "policies" / "managed").mkdir(parents=True)
        policy = {
            "AutoSelectCertificateForUrls": [json.dumps({"pattern": "*", "filter": {}})],
            "ForcedLanguages": [language],
            "BackgroundModeEnabled": False,
            "MetricsReportingEnabled": False,
            "DefaultJavaScriptSetting": 1 if script else 2,
        }
        (folder / "policies" / "managed" / "test.json").write_text(json.dumps(policy))
        return folder

    def start(self, policies, hosts, language):
        wrapper = self.folder / "chromium"
        wrapper.write_text(
            WRAPPER.format(
                root="" if os.geteuid() == 0 else "--map-root-user", place=POLICIES,
                policies=policies, chromium=program("chromium"),
            )
        )
        wrapper.chmod(0o700)
        options = webdriver.ChromeOptions()
        options.binary_location = str(wrapper)
        for argument in (
            "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--window-size=1000,800", f"--lang={language}",
            f"--user-data-dir={self.folder / 'profile'}",
        ):
            options.add_argument(argument)
        rules = [f"MAP {name}:443 127.0.0.1:{port}" for name, port in hosts.items()]
        # What is not on this machine does not exist.
        rules += ["MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1"]
        options.add_argument(f"--host-resolver-rules={','.join(rules)}")
        options.accept_insecure_certs = False
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        environment = {**os.environ, "HOME": str(self.folder), "TMPDIR": str(self.folder)}
        # A session bus of the machine's has nothing to do with this.
        environment.pop("DBUS_SESSION_BUS_ADDRESS", None)
        service = Service(
            program("chromedriver"), env=environment,
            log_output=str(self.folder / "chromedriver.log"),
        )
        try:
            self.driver = webdriver.Chrome(options=options, service=service)
        except WebDriverException as error:
            log = (self.folder / "chromedriver.log").read_text(errors="replace")[-3000:]
            raise AssertionError(f"no browser: {error.msg}\n{log}") from error
        self.driver.set_page_load_timeout(20 * PATIENCE)
        self.driver.set_script_timeout(20 * PATIENCE)

    def remove(self):
        if self.driver:
            self.driver.quit()
            self.driver = None
        shutil.rmtree(self.folder, ignore_errors=True)

    # Pages.

    def open(self, url):
        self.driver.get(url)
        return self

    @property
    def url(self):
        return self.driver.current_url

    @property
    def title(self):
        return self.driver.title

    @property
    def text(self):
        """What a reader sees of the page."""
        return self.driver.find_element(By.TAG_NAME, "body").text

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def fill(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def press(self, selector="button[type=submit]"):
        self.find(selector).click()

    def wait_for(self, selector, text="", within=15):
        """The element, once it is there and has `text`."""
        def there():
            found = self.driver.find_elements(By.CSS_SELECTOR, selector)
            try:
                return next((each for each in found if text in each.text), None)
            except WebDriverException:  # the page changed while it was looked at
                return None

        return until(there, within=within, what=f"`{selector}` with `{text}` at {self.url}", every=0.05)

    def console(self):
        """Errors and warnings since it was last asked, such as of content policies."""
        return [
            entry["message"] for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    # Security keys.

    def plug(self, verified=True, internal=False):
        """A security key that needs no finger; `verified` says whether its PIN is right."""
        options = VirtualAuthenticatorOptions()
        options.protocol = "ctap2"
        options.transport = "internal" if internal else "usb"
        options.has_resident_key = True
        options.has_user_verification = True
        options.is_user_verified = verified
        options.is_user_consenting = True
        self.driver.add_virtual_authenticator(options)
        return self

    def verify(self, verified):
        """From now on the key's PIN is right, or wrong."""
        self.driver.set_user_verified(verified)

    def keys(self):
        """What the plugged key holds."""
        return [credential.to_dict() for credential in self.driver.get_credentials()]

    def move_counter(self, count):
        """Makes the plugged key one that signed `count` times, as a copy of it would be."""
        (credential,) = self.driver.get_credentials()
        values = credential.to_dict()
        self.driver.remove_all_credentials()
        self.driver.add_credential(Credential.from_dict({**values, "signCount": count}))

    def unplug(self):
        self.driver.remove_virtual_authenticator()
