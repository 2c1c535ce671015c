"""Configurations for proofs of identity other than cards: tokens, sessions, local accounts."""

import json
import os

from .ports import free_port

# What an access token is for, as `Issuer.claims` writes it.
AUDIENCE = "https://gate.example.fr"


def bearing(token, *fields):
    """Header fields of a request that bears this token."""
    return [f"Authorization: Bearer {token}", *fields]


def proving(token, proof, *fields):
    """Header fields of a request with a token that is tied to a key, and a proof of it."""
    return [f"Authorization: DPoP {token}", f"DPoP: {proof}", *fields]


def optional(config, listener=0, value="optional"):
    """Lets clients without a certificate in."""
    config["listeners"][listener]["tls"]["client_certificate"] = value
    return config


def accept(config, *rules, require=("token",), **route):
    """Makes every route accept tokens of these issuers; `route` holds more keys of the routes."""
    optional(config)
    config["authentication"]["issuers"] = list(rules)
    for one in config["routes"]:
        one["require"] = list(require)
        one.update(route)
    return config


def keys_file(folder, issuer):
    """The keys of an issuer as a file in a gate's folder."""
    path = folder / "issuer.keys.json"
    path.write_text(json.dumps({"keys": [key.jwk() for key in issuer.keys]}))
    return path.name


def secret_file(folder, name, text):
    path = folder / name
    path.write_text(text)
    os.chmod(path, 0o600)
    return name


class Portal:
    """The gate's own pages on a listener of their own, at an address browsers know."""

    def __init__(self, config, **sign_in):
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        first = config["listeners"][0]
        config["listeners"].append({
            "name": "portal", "address": f"127.0.0.1:{self.port}",
            "tls": {**first["tls"], "client_certificate": "optional"},
        })
        config["authentication"]["sign_in"] = {
            "url": self.url, "listeners": ["portal"], **sign_in}

    def page(self, path):
        return self.url + path

    @property
    def sign_in(self):
        return self.page("/.herse/sign-in")

    def callback(self, name):
        return self.page(f"/.herse/openid/{name}/callback")

    def back_channel(self, name):
        return self.page(f"/.herse/openid/{name}/logout")
