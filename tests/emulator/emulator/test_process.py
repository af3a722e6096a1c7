from __future__ import annotations

import contextlib
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gen_infra import emulator
from gen_infra.errors import MissingError, ToolError, UsageError

PARENT = """
import signal, sys
from pathlib import Path
from gen_infra import emulator
running = emulator.start(seed=False, log=Path(sys.argv[1]))
print(running.port, flush=True)
signal.pause()
"""
FOREGROUND = """
from gen_infra import emulator
running = emulator.start(seed=False)
emulator.serve_forever(running, lambda: print(running.port, flush=True))
print("stopped")
"""


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def caller(aws: emulator.Emulator) -> str:
    return str(aws.client("sts").get_caller_identity()["Account"])


def test_it_answers_when_start_returns_and_not_after_stop() -> None:
    with emulator.start(seed=False, account_id="210987654321") as running:
        assert running.endpoint == f"http://127.0.0.1:{running.port}"
        assert caller(running) == "210987654321"
    assert not answers(running.port)
    assert running.process.returncode == 0
    running.stop()  # a second call has no effect


def test_it_listens_on_the_loopback_interface_only() -> None:
    with emulator.start(seed=False) as running:
        process = Path("/proc") / str(running.pid)
        inodes = {str(each.readlink()) for each in (process / "fd").iterdir()}
        rows = [line.split() for line in (process / "net" / "tcp").read_text().splitlines()[1:]]
        listening = {row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in inodes}
    assert listening == {f"0100007F:{running.port:04X}"}


def test_two_emulators_share_no_state(aws: emulator.Emulator) -> None:
    with emulator.start(seed=False) as other:
        other.client("s3").create_bucket(Bucket="only-in-the-other")
        assert other.port != aws.port
        assert "only-in-the-other" not in {each["Name"] for each in aws.client("s3").list_buckets()["Buckets"]}


def test_its_environment_variables_are_all_that_a_client_needs(aws: emulator.Emulator) -> None:
    script = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run([sys.executable, "-c", script], env=kept | aws.environ, capture_output=True, check=True)
    assert done.stdout.strip() == b"123456789012"
    assert aws.environ["AWS_EC2_METADATA_DISABLED"] == "true"
    assert aws.environ["CHECKPOINT_DISABLE"] == "1"


def test_the_callers_aws_settings_do_not_affect_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("MOTO_ACCOUNT_ID", "999999999999")
    with emulator.start() as running:
        monkeypatch.delenv("AWS_PROFILE")
        assert caller(running) == "123456789012"


def test_a_port_in_use_is_a_usage_error() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port} .* Address already in use") as caught:
            emulator.start(port=port)
    assert "--port" in caught.value.hint


def test_a_missing_moto_is_named_with_its_install_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "moto", None)
    with pytest.raises(MissingError, match="needs moto") as caught:
        emulator.start()
    assert caught.value.hint == "run pip install 'gen-infra[emulator]'"


def test_a_failed_start_gives_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEN_INFRA_EMULATOR_JOB_SECONDS", "soon")
    with pytest.raises(ToolError, match="GEN_INFRA_EMULATOR_JOB_SECONDS"):
        emulator.start()


def test_requests_go_to_the_log_file(tmp_path: Path) -> None:
    log = tmp_path / "emulator.log"
    with emulator.start(seed=False, log=log) as running:
        caller(running)
    assert '"POST / HTTP/1.1" 200' in log.read_text()


def test_it_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    os.mkfifo(log)  # its reader gets end of file only when every writing process has ended
    reader = os.open(log, os.O_RDONLY | os.O_NONBLOCK)
    parent = subprocess.Popen([sys.executable, "-c", PARENT, log], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent, parent.stdout:
        port = int(parent.stdout.readline())
        assert answers(port)
        parent.kill()
    os.set_blocking(reader, True)
    while select.select([reader], [], [], 10)[0]:
        if not os.read(reader, 65536):
            break
    else:
        pytest.fail("it still runs ten seconds after its parent was killed")
    os.close(reader)
    assert not answers(port)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_signal_stops_it_cleanly(signum: signal.Signals) -> None:
    parent = subprocess.Popen([sys.executable, "-c", FOREGROUND], stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent, parent.stdout:
        port = int(parent.stdout.readline())
        parent.send_signal(signum)
        assert parent.stdout.read() == b"stopped\n"
    assert parent.returncode == 0
    assert not answers(port)


def test_ctrl_c_in_the_terminal_does_not_reach_it(aws: emulator.Emulator) -> None:
    assert os.getsid(aws.pid) != os.getsid(0)


def test_an_emulator_that_dies_in_the_foreground_is_an_error() -> None:
    running = emulator.start(seed=False)
    running.process.kill()
    with pytest.raises(ToolError, match="exit code -9"):
        emulator.serve_forever(running, lambda: None)


def test_it_leaves_no_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with emulator.start(seed=False) as running:
        assert [each.name for each in tmp_path.iterdir()] != []
        assert caller(running)
    assert list(tmp_path.iterdir()) == []


def test_importing_it_is_cheap() -> None:
    heavy = ("moto", "boto3", "botocore", "flask", "werkzeug")
    script = f"import sys, gen_infra.emulator; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.strip() == b"[]"


def test_it_speaks_http_1_1(aws: emulator.Emulator) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", aws.port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", "/")
        with connection.getresponse() as answer:
            assert (answer.status, answer.version) == (403, 11)  # S3 lists no buckets for unsigned requests
