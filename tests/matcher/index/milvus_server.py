"""Run a command beside a throw-away Milvus server: python -m tests.matcher.index.milvus_server FOLDER COMMAND…

The server of the package `milvus` (in FOLDER/package) listens on every address and asks for no password, whatever its
settings say. So it starts only in a network namespace that has nothing but the loopback (`unshare --user
--map-root-user --net`). Its data are in FOLDER/data, emptied first.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PORT = 19530
START_SECONDS = 180
SERVER = """
import sys
from milvus import MilvusServer, MilvusServerConfig
server = MilvusServer(MilvusServerConfig(data_dir=sys.argv[1], proxy_port=int(sys.argv[2])), wait_for_started=True)
server.start()
print("ready", flush=True)
server.server_proc.wait()
"""


def main(folder: Path, command: list[str]) -> int:
    """Start the server, run the command with GUITU_TEST_MILVUS_URL set, stop the server; the command's exit status.

    Exits with a sentence where the server may not or does not start.
    """
    interfaces = [name for _, name in socket.if_nameindex()]
    if interfaces != ["lo"]:
        sys.exit(
            f"Not in a network namespace of its own (there are {', '.join(interfaces)}): the server is not started."
        )
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    data = folder.resolve() / "data"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as home, (folder / "server.log").open("w") as log:
        # A home of its own: nothing of the package's defaults may end up in the user's.
        environment = {**os.environ, "HOME": home, "PYTHONPATH": str(folder.resolve() / "package")}
        server = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(data), str(PORT)], env=environment, stdout=subprocess.PIPE, stderr=log
        )
        try:
            if not _ready(server):
                sys.exit(f"The server did not start: see {folder / 'server.log'} and {data / 'logs'}.")
            url = f"http://127.0.0.1:{PORT}"
            return subprocess.run(command, env={**os.environ, "GUITU_TEST_MILVUS_URL": url}, check=False).returncode
        finally:
            # The server itself is its child; the end of the process namespace (--kill-child) ends both.
            server.terminate()
            server.wait()


def _ready(server: "subprocess.Popen[bytes]") -> bool:
    assert server.stdout is not None
    os.set_blocking(server.stdout.fileno(), False)
    for _ in range(START_SECONDS):
        if server.stdout.read():
            return True
        if server.poll() is not None:
            return False
        time.sleep(1)
    return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
