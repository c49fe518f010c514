"""Fetching a file from a server on loopback: whole, resumed, or one clear error."""

import errno
import hashlib
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import layers.fetch
from geo.errors import InputError
from layers.fetch import fetch_file

BODY = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(BODY).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves `BODY`, with ranges except at /whole; breaks off at /broken when asked from 0."""

    def do_GET(self):
        start = 0
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        self.server.asked.append((self.path, self.headers.get("Range")))
        if self.path == "/missing.pbf":
            self.send_error(404)
            return
        if asked and self.path != "/whole.pbf":
            start = int(asked[1])
            if start >= len(BODY):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(BODY)}")
                self.end_headers()
                return
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(BODY) - start))
        self.end_headers()
        end = len(BODY) // 2 if self.path == "/broken.pbf" and not start else len(BODY)
        self.wfile.write(BODY[start:end])

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def base(server):
    server.asked.clear()
    return f"http://127.0.0.1:{server.server_port}"


def test_a_whole_file(base, tmp_path):
    told = []
    report = fetch_file(
        f"{base}/a.pbf", tmp_path / "a.pbf", sha256=DIGEST.upper(),
        progress=lambda stage, share: told.append(share),
    )  # fmt: skip
    assert (tmp_path / "a.pbf").read_bytes() == BODY
    assert (report.size_bytes, report.resumed_bytes, report.sha256) == (len(BODY), 0, DIGEST)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["a.pbf"]


def test_goes_on_where_it_stopped(base, server, tmp_path):
    target = tmp_path / "a.pbf"
    with pytest.raises(InputError, match=r"goes on from a\.pbf\.part"):
        fetch_file(f"{base}/broken.pbf", target, sha256=DIGEST)
    assert not target.exists()
    report = fetch_file(f"{base}/broken.pbf", target, sha256=DIGEST)
    assert target.read_bytes() == BODY
    assert report.resumed_bytes == len(BODY) // 2
    assert server.asked[-1] == ("/broken.pbf", f"bytes={len(BODY) // 2}-")


def test_a_server_that_cannot_resume_begins_anew(base, tmp_path):
    (tmp_path / "a.pbf.part").write_bytes(b"old")
    report = fetch_file(f"{base}/whole.pbf", tmp_path / "a.pbf", sha256=DIGEST)
    assert report.resumed_bytes == 0
    assert (tmp_path / "a.pbf").read_bytes() == BODY


@pytest.mark.parametrize("beside", [BODY, BODY + b"more"])
def test_a_part_that_is_complete_or_too_long(base, tmp_path, beside):
    (tmp_path / "a.pbf.part").write_bytes(beside)
    fetch_file(f"{base}/a.pbf", tmp_path / "a.pbf", sha256=DIGEST)
    assert (tmp_path / "a.pbf").read_bytes() == BODY


def test_a_wrong_checksum_leaves_nothing(base, tmp_path):
    (tmp_path / "a.pbf").write_bytes(b"before")
    with pytest.raises(InputError, match="the checksum is") as caught:
        fetch_file(f"{base}/a.pbf", tmp_path / "a.pbf", sha256="00" * 32)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "a.pbf").read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.pbf"]


def test_what_is_not_there(base, tmp_path):
    with pytest.raises(InputError, match="404"):
        fetch_file(f"{base}/missing.pbf", tmp_path / "a.pbf")
    assert list(tmp_path.iterdir()) == []


def test_no_network(tmp_path):
    with pytest.raises(InputError, match="hatchmap import streets"):
        fetch_file("http://127.0.0.1:9/a.pbf", tmp_path / "a.pbf")


def test_full_disk(base, tmp_path, monkeypatch):
    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(layers.fetch, "_copy", fail)
    with pytest.raises(InputError, match="disk is full"):
        fetch_file(f"{base}/a.pbf", tmp_path / "a.pbf")


@pytest.mark.parametrize("url", ["", "ftp://host/a", "file:///etc/passwd", "a.pbf"])
def test_addresses_that_are_none(url, tmp_path):
    with pytest.raises(InputError, match="is not an address"):
        fetch_file(url, tmp_path / "a.pbf")


def test_places_that_are_none(base, tmp_path):
    with pytest.raises(InputError, match="no folder"):
        fetch_file(f"{base}/a.pbf", tmp_path / "no" / "a.pbf")
    with pytest.raises(InputError, match="is a folder"):
        fetch_file(f"{base}/a.pbf", tmp_path)
