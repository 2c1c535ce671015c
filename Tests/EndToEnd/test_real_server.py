"""A FHIR server and a FHIR client that nobody here wrote talk through the gate.

The server is the implementation that fhirstarter ships, on uvicorn; the client is fhirpy, on
aiohttp. Both install from PyPI with the other needs of these tests.
"""

import asyncio
import os
import subprocess
import sys
import urllib.request

import pytest

from fhirpy import AsyncFHIRClient
from fhirpy.base.exceptions import OperationOutcome, ResourceNotFound

from harness.client import request
from harness.pki import PHYSICIAN
from harness.ports import free_port
from harness.waiting import until


class RealServer:
    """A server process of somebody else's."""

    def __init__(self, *command, healthy="/metadata", folder=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "uvicorn", *command, "--port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder,
            env=dict(os.environ),
        )
        try:
            until(lambda: self.answers(healthy), within=40, what="the server answers", every=0.1)
        except AssertionError:
            self.stop()
            raise AssertionError(self.process.stderr.read()) from None

    def answers(self, path):
        assert self.process.poll() is None, self.process.stderr.read()
        try:
            return urllib.request.urlopen(self.url + path, timeout=5).status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def server():
    server = RealServer("fhirstarter.examples.example:app", "--log-level", "error")
    yield server
    server.stop()


@pytest.fixture
def front(server, config, make_gate):
    """A gate whose identity server is the real one, and which shows it at the root."""
    config["identity_servers"][0]["endpoints"] = [server.url]
    config["routes"] = [{
        "name": "fhir", "path": "/", "methods": ["GET", "POST", "PUT", "DELETE"],
        "identity_server": "mpi", "lookups": "fhir", "require": ["certificate"],
        "limits": "standard", "vague": "allow",
    }]
    config["limits"]["standard"].append({"count": "patients", "limit": 1000000, "per": "1h"})
    return make_gate(config)


def through(gate, work, card="physician"):
    """Runs `work(client)` with a FHIR client that presents a card to the gate."""
    host, port = gate.address()

    async def run():
        client = AsyncFHIRClient(
            f"https://localhost:{port}",
            aiohttp_config={"ssl": gate.pki.context(card)},
        )
        return await work(client)

    return asyncio.run(run())


def patient(client, family, given="Anne"):
    return client.resource(
        "Patient", name=[{"family": family, "given": [given]}], birthDate="1970-01-01",
        identifier=[{"system": "urn:oid:1.2.250.1.213.1.4.8", "value": "270017512345678"}],
    )


async def make(client, family):
    """Creates a patient and finds it, since this server answers a creation without a body."""
    await patient(client, family).create()
    return await client.resources("Patient").search(family=family).first()


def test_a_patient_is_created_found_and_read(front):
    async def work(client):
        found = await make(client, "GAUTIER")
        read = await client.reference("Patient", found.id).to_resource()
        return read["name"][0]

    assert through(front, work)["family"] == "GAUTIER"
    entries = [entry for entry in front.record() if entry["decision"] == "allow"]
    assert len(entries) >= 3
    assert {entry["professional"] for entry in entries} == {PHYSICIAN}
    assert [entry["status"] for entry in entries][0] == 201
    assert "GAUTIER" not in (front.folder / "state" / "record").joinpath(
        sorted(os.listdir(front.folder / "state" / "record"))[0]).read_text()


def test_patients_of_a_real_server_are_counted_by_their_ins(front):
    async def work(client):
        return {(await make(client, family)).id for family in ("ROUSSEAU", "ROUSSEAU-LEBRUN")}

    assert len(through(front, work)) == 2
    # Two resources of one INS.
    assert front.used("patients", PHYSICIAN) == 1
    line = front.newest(interaction="search")
    assert line["finding"] == "understood" and len(line["persons"]) == 1


def test_a_patient_is_updated_and_deleted(front):
    async def work(client):
        one = await make(client, "LEROY")
        one["name"][0]["family"] = "LEROY-MARTIN"
        await one.save()
        again = await client.reference("Patient", one.id).to_resource()
        assert again["name"][0]["family"] == "LEROY-MARTIN"
        await one.delete()
        with pytest.raises((ResourceNotFound, OperationOutcome)):
            await client.reference("Patient", one.id).to_resource()

    through(front, work)


def test_an_error_of_the_server_comes_through_as_it_is(front, server):
    with front.connect() as connection:
        reply = connection.get("/Patient/nobody")
        assert reply.status == 404
        assert reply.json()["resourceType"] == "OperationOutcome"
        connection.send(request("/Patient", ["Content-Type: application/fhir+json"], "POST",
                                b'{"resourceType":"Patient","birthDate":"never"}'))
        reply = connection.answer()
        assert 400 <= reply.status < 500
        assert reply.json()["resourceType"] == "OperationOutcome"


def test_a_search_by_form_works(front):
    async def work(client):
        await patient(client, "FORMULAIRE").create()

    through(front, work)
    with front.connect() as connection:
        connection.send(request(
            "/Patient/_search", ["Content-Type: application/x-www-form-urlencoded"], "POST",
            b"family=FORMULAIRE"))
        reply = connection.answer()
    assert reply.status == 200
    assert reply.json()["total"] == 1


def test_many_clients_read_at_once(front):
    async def work(client):
        made = [await make(client, f"FOULE{number}") for number in range(20)]
        read = await asyncio.gather(*(
            client.reference("Patient", one.id).to_resource() for one in made for _ in range(5)))
        return [one["name"][0]["family"] for one in read]

    families = through(front, work)
    assert families == [f"FOULE{number}" for number in range(20) for _ in range(5)]


def test_the_client_understands_the_limit(front, config):
    front.config["limits"] = {"standard": [{"count": "requests", "limit": 2, "per": "1h"}]}
    front.reload()

    async def work(client):
        for _ in range(2):
            await client.resources("Patient").search(family="X").fetch()
        with pytest.raises(OperationOutcome) as refused:
            await client.resources("Patient").search(family="X").fetch()
        return refused.value.resource["issue"][0]["code"]

    assert through(front, work, card="pharmacist") == "throttled"


def test_the_neutralized_client_gets_no_further(front):
    async def work(client):
        await client.resources("Patient").search(family="X").fetch()
        front.do("neutralize", PHYSICIAN, "--reason", "test")
        with pytest.raises(Exception) as refused:
            await client.resources("Patient").search(family="X").fetch()
        return repr(refused.value)

    assert through(front, work)


def test_the_capability_statement_comes_through(front):
    reply = front.get("/metadata")
    assert reply.status == 200
    assert reply.json()["resourceType"] == "CapabilityStatement"
