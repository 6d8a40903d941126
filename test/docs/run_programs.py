"""Runs the guide's two complete programs and checks their output. run_programs.py HELLO ECHO_SERVER"""
import signal
import socket
import subprocess
import sys

hello, echo_server = sys.argv[1:]

run = subprocess.run([hello], text=True, capture_output=True, timeout=30)
if (run.returncode, run.stdout, run.stderr) != (0, 'asked\n42.00\n', ''):
    sys.exit(f'hello: {run}')

with socket.socket() as probe:  # bound but not listening: reserves the port until the server has it
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(('127.0.0.1', 0))
    port = probe.getsockname()[1]
    server = subprocess.Popen([echo_server, f'127.0.0.1:{port}'])
    while server.poll() is None:
        with socket.socket() as first:
            if first.connect_ex(('127.0.0.1', port)) == 0:
                break
try:
    clients = [socket.create_connection(('127.0.0.1', port), timeout=30) for _ in range(3)]
    for n, client in enumerate(clients):
        client.sendall(b'%d' % n * 10000)
        client.shutdown(socket.SHUT_WR)
    for n, client in enumerate(clients):
        back = b''.join(iter(lambda: client.recv(65536), b''))
        if back != b'%d' % n * 10000:
            sys.exit(f'client {n} got {len(back)} bytes back')

    # A second server on the same address says why it cannot bind, and fails; without exceptions it calls abort().
    taken = subprocess.run([echo_server, f'127.0.0.1:{port}'], text=True, capture_output=True, timeout=30)
    if taken.returncode not in (1, -signal.SIGABRT) or f'bind 127.0.0.1:{port}: address already in use' not in taken.stderr:
        sys.exit(f'address in use: {taken}')
finally:
    server.kill()
    server.wait()
