"""Jobs: the table, the processes, the doors; cancelled at each stage, killed, lost, repeated."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy
from starlette.testclient import TestClient

from api.app import create_app
from api.jobs import pool as pools
from api.jobs.kinds import KINDS, Kind
from api.jobs.pool import JobPool
from api.jobs.record import Job
from api.jobs.table import JobTable
from api.settings import load_settings
from api.stores import StoreHandle
from geo.errors import BusyError, NotFoundError, StoreReadOnlyError
from tests.api.city import make_city
from tests.api.command import run
from tests.api.conftest import TOKEN

STAFF = {"authorization": f"Bearer {TOKEN}"}
WORK = ("count", "wait", "ignore", "refuse", "crash", "die", "fill")


@pytest.fixture(autouse=True, scope="module")
def kinds():
    """Kinds of work made for tests, beside the real ones."""
    made = {name: Kind(f"tests.api.workloads:{name}", staff=False) for name in WORK}
    made["secret"] = Kind("tests.api.workloads:count", staff=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pools, "KINDS", {**KINDS, **made})
        yield


@pytest.fixture(scope="module")
def pool(city, kinds, tmp_path_factory):
    """One process, begun once, for the tests that end with nothing under way."""
    made = make_pool(city, tmp_path_factory.mktemp("jobs"))
    yield made
    made.close()


def make_pool(city, folder, **settings):
    given = {"data": folder, "store": city, "job_workers": 1, **settings}
    return JobPool(load_settings(**given), StoreHandle(city))


def until(pool, job, met):
    """Return the job once it meets a condition."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        now = pool.table.get(job.id)
        if met(now):
            return now
        time.sleep(0.02)
    raise AssertionError(now)


def ended(pool, job):
    return until(pool, job, lambda now: not now.active)


def running(pool, job):
    return until(pool, job, lambda now: now.state == "running" and now.figures)


def body_of(pool, job):
    return json.loads(pool.table.path_of(job).read_bytes())


def a_job(**given):
    values = {"id": "a", "kind": "siting", "staff": False, "inputs": {}, "hash": "h"}
    return Job(**{**values, "state": "accepted", "created": time.time(), **given})


# --- the pool -----------------------------------------------------------------------------------


def test_a_repeated_question_is_answered_at_once_until_the_store_changes(tmp_path):
    store, file = make_city(tmp_path / "hatchmap.gpkg"), tmp_path / "counted"
    pool = make_pool(store, tmp_path)
    asked = {"file": str(file), "p": 3}
    first = ended(pool, pool.submit("count", asked))
    again = pool.submit("count", dict(reversed(asked.items())))
    assert (first.state, again.state) == ("successful", "successful")
    assert again.id != first.id
    assert body_of(pool, again) == body_of(pool, first) == {"answer": 42}
    other = ended(pool, pool.submit("count", {**asked, "p": 4}))
    assert other.state == "successful"
    assert file.read_text() == "done\n" * 2
    with StoreHandle(store).edit("a change of the town") as edit:
        edit.set_meta("noticed", 1)
    assert ended(pool, pool.submit("count", asked)).state == "successful"
    assert file.read_text() == "done\n" * 3
    # Removing one of two jobs leaves the result to the other.
    pool.table.remove([first.id])
    assert body_of(pool, again) == {"answer": 42}
    pool.close()


def test_how_far_a_job_is_does_not_touch_the_store(pool, city, tmp_path):
    handle = StoreHandle(city)
    before, stat = handle.get().token(), city.stat().st_mtime_ns
    job = running(pool, pool.submit("wait", {"file": str(tmp_path / "go")}))
    assert job.percent == 50
    assert job.figures == {"found": 7.0}  # a bound that is not known yet is not told
    assert (handle.get().token(), city.stat().st_mtime_ns) == (before, stat)
    (tmp_path / "go").touch()
    done = ended(pool, job)
    assert (done.state, done.percent, done.filename) == ("successful", 100, "best.json")


def test_a_job_cancelled_while_it_waits_is_never_done(pool, tmp_path):
    first = running(pool, pool.submit("wait", {"file": str(tmp_path / "go")}))
    second = pool.submit("count", {"file": str(tmp_path / "counted")})
    assert pool.table.stop(second.id).state == "dismissed"
    (tmp_path / "go").touch()
    ended(pool, first)
    ended(pool, pool.submit("count", {"file": str(tmp_path / "other")}))
    assert not (tmp_path / "counted").exists()
    assert pool.table.get(second.id).state == "dismissed"


def test_a_job_cancelled_while_it_runs_keeps_the_best_found(pool, tmp_path):
    asked = {"file": str(tmp_path / "never"), "keeps": True}
    job = running(pool, pool.submit("wait", asked))
    assert pool.table.stop(job.id).stopping
    done = ended(pool, job)
    assert (done.state, body_of(pool, done)) == ("dismissed", {"best": 7})
    # What was stopped is no answer to the same question.
    again = pool.submit("wait", asked)
    assert again.active
    pool.table.stop(again.id)
    ended(pool, again)


def test_a_job_without_a_best_found_is_stopped_with_nothing(pool, tmp_path):
    job = running(pool, pool.submit("wait", {"file": str(tmp_path / "never")}))
    pool.table.stop(job.id)
    done = ended(pool, job)
    assert (done.state, done.result, done.message) == ("dismissed", "", "stopped")


def test_a_job_cancelled_as_it_finishes_keeps_its_result(pool, tmp_path):
    asked = {"file": str(tmp_path / "never"), "keeps": True, "ends": True}
    job = running(pool, pool.submit("wait", asked))
    pool.table.stop(job.id)
    done = ended(pool, job)
    assert (done.state, body_of(pool, done)) == ("successful", {"best": 8})
    after = pool.table.stop(job.id)
    assert (after.state, body_of(pool, after)) == ("successful", {"best": 8})


def test_a_job_that_does_not_stop_is_ended(pool, monkeypatch):
    monkeypatch.setattr(pools, "_GRACE_S", 0.3)
    job = pool.submit("ignore", {})
    until(pool, job, lambda now: now.stage == "busy")
    pool.table.stop(job.id)
    assert ended(pool, job).state == "dismissed"


def test_a_job_that_lasts_too_long_is_ended(pool, monkeypatch):
    short = pool._settings.model_copy(update={"job_minutes": 0.01})
    monkeypatch.setattr(pool, "_settings", short)
    done = ended(pool, pool.submit("ignore", {}))
    assert (done.state, done.problem["status"]) == ("failed", 504)


@pytest.mark.parametrize(
    ("kind", "status", "said"),
    [("refuse", 422, "p: is 0"), ("crash", 500, "log"), ("fill", 507, "disk is full")],
)
def test_a_job_that_fails_says_why(pool, kind, status, said):
    done = ended(pool, pool.submit(kind, {}))
    assert (done.state, done.problem["status"]) == ("failed", status)
    assert said in done.message
    assert "secret" not in json.dumps(done.to_json())
    if kind == "refuse":
        assert done.problem["errors"][0]["fix"] == "give 1 or more"


def test_a_killed_process_fails_its_job_and_the_next_one_is_done(pool, tmp_path):
    killed = ended(pool, pool.submit("die", {}))
    assert (killed.state, killed.problem["status"]) == ("failed", 500)
    assert "signal 9" in killed.message
    after = ended(pool, pool.submit("count", {"file": str(tmp_path / "counted")}))
    assert after.state == "successful"


def test_a_burst_waits_in_order_staff_first_and_no_more_than_there_is_room_for(
    pool, tmp_path, monkeypatch
):
    narrow = pool._settings.model_copy(update={"job_queue": 6})
    monkeypatch.setattr(pool, "_settings", narrow)
    blocker = running(pool, pool.submit("wait", {"file": str(tmp_path / "go")}))
    file = str(tmp_path / "counted")
    public = [pool.submit("count", {"file": file, "n": n}) for n in range(3)]
    with pytest.raises(BusyError, match="3 long questions wait"):
        pool.submit("count", {"file": file, "n": 9})
    staff = [pool.submit("count", {"file": file, "s": n}, staff=True) for n in range(3)]
    with pytest.raises(BusyError):
        pool.submit("count", {"file": file, "s": 9}, staff=True)
    (tmp_path / "go").touch()
    done = [ended(pool, job) for job in (blocker, *staff, *public)]
    assert {job.state for job in done} == {"successful"}
    begun = [job.started for job in done]
    assert begun == sorted(begun)


def test_a_closed_pool_says_what_it_left(city, tmp_path):
    pool = make_pool(city, tmp_path)
    job = running(pool, pool.submit("wait", {"file": str(tmp_path / "never")}))
    pool.close()
    again = JobTable(tmp_path / "jobs")
    assert again.get(job.id).state == "failed"
    assert "server was stopped" in again.get(job.id).message


SERVER = """
import sys, time
from api.jobs import pool as pools
from api.jobs.kinds import Kind
from tests.api.test_jobs import make_pool
from pathlib import Path
work = ("ignore", "count")
pools.KINDS = {name: Kind(f"tests.api.workloads:{name}", staff=False) for name in work}
if __name__ == "__main__":
    pool = make_pool(Path(sys.argv[1]), Path(sys.argv[2]))
    pool.submit("ignore", {})
    pool.submit("count", {"file": sys.argv[2] + "/counted"})
    time.sleep(600)
"""


def test_a_killed_server_loses_what_ran_and_its_successor_goes_on_with_what_waits(city, tmp_path):
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    root = Path(__file__).resolve().parents[2]
    server = subprocess.Popen(
        [sys.executable, script, city, tmp_path], env={**os.environ, "PYTHONPATH": str(root)}
    )
    try:
        table = JobTable(tmp_path / "jobs")
        end = time.monotonic() + 60
        while not any(job.stage == "busy" for job in table.latest()) and time.monotonic() < end:
            time.sleep(0.05)
        # A second server in the same folder leaves the living one's work alone.
        beside = make_pool(city, tmp_path)
        beside._begin = lambda: None
        beside.start()
        beside.close()
        assert [job.state for job in table.latest()].count("running") == 1
    finally:
        server.send_signal(signal.SIGKILL)
        server.wait()
    pool = make_pool(city, tmp_path)
    pool.start()
    jobs = {job.kind: job for job in pool.table.latest()}
    assert jobs["ignore"].state == "failed"
    assert "server stopped" in jobs["ignore"].message
    assert ended(pool, jobs["count"]).state == "successful"
    pool.close()


# --- the table ----------------------------------------------------------------------------------


def test_results_leave_by_age_by_size_and_by_number(tmp_path):
    table, now = JobTable(tmp_path), time.time()
    for n in range(6):
        name = f"{n}.result"
        (table.results / name).write_bytes(b"x" * 10)
        table.add(
            a_job(
                id=str(n), state="successful", result=name, size_bytes=10, finished=now - n * 100
            ),
            room=1,
        )
    waiting = table.add(a_job(id="w"), room=1)
    (table.results / "w.part").touch()
    (table.results / "stray").touch()
    table.clean(max_bytes=1000, max_age_s=450, max_jobs=100)
    assert {job.id for job in table.latest()} == {"w", "0", "1", "2", "3", "4"}
    table.clean(max_bytes=35, max_age_s=1e6, max_jobs=100)
    assert {job.id for job in table.latest()} == {"w", "0", "1", "2"}
    table.clean(max_bytes=1000, max_age_s=1e6, max_jobs=1)
    assert [job.id for job in table.latest()] == [waiting.id, "0"]
    assert {file.name for file in table.results.iterdir()} == {"0.result", "w.part"}
    assert table.remove(["w"]) == 0  # under way


def test_what_has_ended_stays_as_it_ended(tmp_path):
    table = JobTable(tmp_path)
    table.add(a_job(), room=1)
    assert table.take("me").state == "running"
    assert table.take("me") is None
    table.end("a", "successful", result="r")
    for change in (
        lambda: table.end("a", "failed"),
        lambda: table.tell("a", 1, "late", {}),
        lambda: table.stop("a"),
        lambda: table.lose([], {"detail": "lost"}),
    ):
        change()
        assert (table.get("a").state, table.get("a").percent) == ("successful", 100)
    with pytest.raises(NotFoundError, match="no job 'zzz'"):
        table.get("zzz")


def test_a_folder_that_is_none_is_one_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreReadOnlyError, match="cannot be written to"):
        JobTable(tmp_path / "file" / "jobs")


def test_a_full_disk_is_one_clear_error(tmp_path):
    table = JobTable(tmp_path)
    table.close()
    sqlalchemy.event.listen(
        table._engine, "connect", lambda one, _: one.execute("PRAGMA max_page_count = 1")
    )
    with pytest.raises(StoreReadOnlyError, match=r"full.*make room"):
        table.add(a_job(inputs={"text": "x" * 1_000_000}), room=1)
    assert table.latest() == []


# --- the doors ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(city, kinds, tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    settings = load_settings(store=city, data=data, staff_token=TOKEN, job_queue=2)
    with TestClient(create_app(settings), raise_server_exceptions=False) as client:
        yield client


def submit(client, kind, *, staff=False, **asked):
    return client.app.state.jobs.submit(kind, asked, staff=staff)


def read_events(text):
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "event" in lines:
            yield lines["event"], int(lines["id"]), json.loads(lines["data"])


def test_a_job_is_told_as_ogc_does_and_its_events_go_on_where_they_were_left(client, tmp_path):
    job = submit(client, "wait", file=str(tmp_path / "go"))
    running(client.app.state.jobs, job)
    said = client.get(job.url).json()
    assert {"jobID", "processID", "type", "status", "created", "links"} <= set(said)
    assert (said["status"], said["progress"], said["type"]) == ("running", 50, "process")
    early = client.get(f"{job.url}/results")
    assert early.status_code == 404
    assert early.json()["type"].endswith("result-not-ready")
    (tmp_path / "go").touch()
    events = list(read_events(client.get(f"{job.url}/events").text))
    assert [event[0] for event in events if event[2]["status"] == "successful"] == ["status"]
    numbers = [event[1] for event in events]
    assert numbers == sorted(set(numbers))
    result = client.get(f"{job.url}/results")
    assert (result.status_code, result.json()) == (200, {"best": 8})
    assert result.headers["content-disposition"] == 'attachment; filename="best.json"'
    last = {"last-event-id": str(numbers[-1])}
    assert client.get(f"{job.url}/events", headers=last).status_code == 204
    before = {"last-event-id": str(numbers[-1] - 1)}
    assert len(list(read_events(client.get(f"{job.url}/events", headers=before).text))) == 1


def test_a_job_is_stopped_then_removed(client, tmp_path):
    job = submit(client, "wait", file=str(tmp_path / "never"), keeps=True)
    running(client.app.state.jobs, job)
    assert client.delete(job.url).json()["stopping"] is True
    ended(client.app.state.jobs, job)
    assert client.delete(f"{job.url}?keep=true").json()["status"] == "dismissed"
    assert client.get(f"{job.url}/results").json() == {"best": 7}
    assert client.delete(job.url).json()["status"] == "dismissed"
    assert client.get(job.url).status_code == 404
    assert client.get(f"{job.url}/results").status_code == 404


def test_a_job_stopped_with_nothing_has_no_result(client, tmp_path):
    job = submit(client, "wait", file=str(tmp_path / "never"))
    running(client.app.state.jobs, job)
    client.delete(job.url)
    ended(client.app.state.jobs, job)
    assert client.get(f"{job.url}/results").status_code == 410


def test_a_failed_job_answers_with_its_problem(client):
    job = submit(client, "refuse")
    ended(client.app.state.jobs, job)
    answer = client.get(f"{job.url}/results")
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["errors"][0]["where"] == "p"


def test_staff_jobs_and_lists_are_for_staff(client, tmp_path):
    job = submit(client, "secret", file=str(tmp_path / "counted"))
    ended(client.app.state.jobs, job)
    for path in (job.url, f"{job.url}/results", f"{job.url}/events", "/api/jobs", "/jobs"):
        assert client.get(path).status_code == 401, path
    assert client.delete(job.url).status_code == 401
    assert client.delete("/api/jobs").status_code == 401
    assert client.get(f"{job.url}/results", headers=STAFF).json() == {"answer": 42}
    assert job.id in client.get("/api/jobs", headers=STAFF).text
    assert job.id in client.get("/jobs", headers=STAFF).text
    assert all("asked" in one for one in client.get("/api/jobs", headers=STAFF).json()["jobs"])
    assert client.delete("/api/jobs", headers=STAFF).json()["removed"] >= 1
    assert client.get("/api/jobs", headers=STAFF).json()["jobs"] == []


def test_the_long_matching_is_a_job(client):
    asked = {"mode": "best"}
    assert client.post("/api/match", json=asked).status_code == 401
    whole = client.post("/api/match", json=asked, headers=STAFF)
    assert whole.json()["mode"] == "best"
    taken = client.post("/api/match", json=asked, headers={**STAFF, "prefer": "respond-async"})
    assert (taken.status_code, taken.json()["status"]) == (201, "successful")
    assert client.get(f"{taken.headers['location']}/results").status_code == 401
    result = client.get(f"{taken.headers['location']}/results", headers=STAFF)
    assert result.json() == whole.json()


def test_too_much_at_once_is_put_off(client, tmp_path):
    for n in range(2):  # one for each process
        running(client.app.state.jobs, submit(client, "wait", file=str(tmp_path / "go"), n=n))
    submit(client, "count", file=str(tmp_path / "counted"))
    asked = {"model": "towns", "alternatives": 7}
    for accept in ("application/json", "text/event-stream"):
        refused = client.post("/api/siting", json=asked, headers={"accept": accept})
        assert refused.status_code == 503
        assert int(refused.headers["retry-after"]) > 0
    (tmp_path / "go").touch()
    for job in client.app.state.jobs.table.latest():
        ended(client.app.state.jobs, job)


def test_the_command_lists_and_cancels(city, tmp_path, monkeypatch):
    monkeypatch.setenv("HATCHMAP_DATA", str(tmp_path))
    assert json.loads(run("jobs", "list", "--json").out) == {"jobs": []}
    assert run("jobs", "cancel", "zzz").code == 2
    table = JobTable(tmp_path / "jobs")
    table.add(a_job(id="waits"), room=1)
    assert "waits" in run("jobs", "list").out
    assert "dismissed" in run("jobs", "cancel", "waits").out
    assert table.get("waits").state == "dismissed"
    assert run("jobs", "cancel", "zzz").code == 2
