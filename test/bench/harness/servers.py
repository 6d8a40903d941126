"""Server processes, and what a load costs them."""
import os
import pathlib
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

from .peers import output
from .rows import Skip


def free_port():
    with socket.socket() as s:
        s.bind(('127.0.0.1', 0))
        return s.getsockname()[1]


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server:
    """A server process for a while; `command(port)` starts it, perhaps behind `prefix`."""

    def __init__(self, command, prefix=()):
        self.port = free_port()
        self.process = subprocess.Popen([*prefix, *command(self.port)], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, preexec_fn=raise_descriptor_limit)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def wait_until_listening(self):
        for _ in range(500):
            with socket.socket() as s:
                if s.connect_ex(('127.0.0.1', self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise Skip('the server does not listen')

    def memory_kb(self, field):
        text = pathlib.Path(f'/proc/{self.process.pid}/status').read_text()
        return int(re.search(rf'^{field}:\s+(\d+)', text, re.MULTILINE).group(1))

    def cpu_ns(self):
        """Of all its threads."""
        tasks = pathlib.Path(f'/proc/{self.process.pid}/task')
        return sum(int((t / 'schedstat').read_text().split()[0]) for t in tasks.iterdir())

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def settled_descriptors(self):
        """Once it has closed the connection of `wait_until_listening`."""
        seen = []
        while len(seen) < 10 or len(set(seen[-10:])) > 1:
            seen.append(self.descriptors())
            time.sleep(0.02)
        return seen[-1]


def instructions_in(profile):
    return int(re.search(r'^(?:summary|totals): (\d+)', profile.read_text(), re.MULTILINE).group(1))


def counted_instructions(*command):
    """User instructions of a program from its beginning to its end."""
    with tempfile.TemporaryDirectory() as tmp:
        profile = pathlib.Path(tmp) / 'profile'
        output('valgrind', '--tool=callgrind', f'--callgrind-out-file={profile}', *command)
        return instructions_in(profile)


def counted_server_instructions(command, load):
    """User instructions of a server for `load(server)`, its beginning and end among them."""
    with tempfile.TemporaryDirectory() as tmp:
        profile = pathlib.Path(tmp) / 'profile'
        with Server(command, ['valgrind', '--tool=callgrind', f'--callgrind-out-file={profile}']) as s:
            load(s)
        return instructions_in(profile)


def traced_calls(command, load):
    """System calls of a server for `load(server)`, its beginning and end among them."""
    with tempfile.TemporaryDirectory() as tmp:
        summary = pathlib.Path(tmp) / 'summary'
        with Server(command, ['strace', '-D', '-f', '-c', '-o', str(summary)]) as s:
            load(s)
        for _ in range(500):  # the tracer writes it after the server's end
            if summary.exists() and 'total' in summary.read_text():
                break
            time.sleep(0.01)
        rows = re.findall(r'^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)(?:\s+\d+)?\s+(\w+)$', summary.read_text(), re.MULTILINE)
        return sum(int(calls) for calls, name in rows if name != 'total')
