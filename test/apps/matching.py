"""Checks the order-matching example: accepted orders survive SIGTERM and SIGKILL, and the journal gives the same book.
matching.py EXAMPLE_MATCHING"""
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile

program = sys.argv[1]
limit = 60  # seconds; no step here takes as long as one


def check(ok, what):
    if not ok:
        sys.exit(f'matching.py: {what}')


def run(*args):
    return subprocess.run([program, *args], text=True, capture_output=True, timeout=limit)


class Book:
    """A plain second implementation of the rules."""

    def __init__(self):
        self.waiting = []  # [side, price, open, id], oldest first
        self.last = 0

    def do(self, line):
        """Applies a command and returns the answer."""
        verb, *numbers = line.split()
        numbers = [int(n) for n in numbers]
        if verb == 'cancel':
            for order in self.waiting:
                if order[3] == numbers[0]:
                    self.waiting.remove(order)
                    return f'cancelled {order[3]} {order[2]}'
            return f'no order {numbers[0]}'
        price, size = numbers
        self.last += 1
        left = size
        better = 1 if verb == 'buy' else -1
        others = [o for o in self.waiting if o[0] != verb and (price - o[1]) * better >= 0]
        for order in sorted(others, key=lambda o: (o[1] * better, o[3])):
            traded = min(left, order[2])
            left -= traded
            order[2] -= traded
            if order[2] == 0:
                self.waiting.remove(order)
            if left == 0:
                break
        if left:
            self.waiting.append([verb, price, left, self.last])
        return f'accepted {self.last} {size - left}'

    def text(self):
        key = lambda o: (o[0], -o[1] if o[0] == 'buy' else o[1], o[3])
        return ''.join(f'{side} {price} {size} #{id}\n' for side, price, size, id in sorted(self.waiting, key=key))


class Server:
    def __init__(self, journal, *args):
        self.process = subprocess.Popen([program, 'serve', journal, '127.0.0.1:0', *args], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline()
        check(line.startswith('listening on '), f'first line: {line!r} {self.process.poll()}')
        self.port = int(line.rpartition(':')[2])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def connect(self):
        return socket.create_connection(('127.0.0.1', self.port), timeout=limit)


def random_commands(seed, count):
    draw = random.Random(seed)
    for n in range(count):
        if n > 10 and draw.random() < 0.2:
            yield f'cancel {draw.randint(1, n)}'
        else:
            yield f'{draw.choice(["buy", "sell"])} {draw.randint(95, 105)} {draw.randint(1, 9)}'


def read_back(journal):
    r = run('book', journal)
    check(r.returncode == 0 and r.stderr == '', f'book: {r}')
    count, _, text = r.stdout.partition(' commands\n')
    return int(count), text


def talks(folder):
    journal = str(folder / 'talks')
    with Server(journal, '--durable') as server, server.connect() as client:
        client.sendall(b'sell 101 5\nsell 100 5\nbuy 99 1\nbuy 101 7\ncancel 3\ncancel 3\n')
        client.shutdown(socket.SHUT_WR)
        answers = b''.join(iter(lambda: client.recv(65536), b'')).decode()
        check(answers == 'accepted 1 0\naccepted 2 0\naccepted 3 0\naccepted 4 7\ncancelled 3 1\nno order 3\n', f'answers: {answers!r}')
        with server.connect() as other:
            other.sendall(b'bye\nbuy 1 2 3\nbuy 1 0\nsell x 1\ncancel\n' + b'x' * 200 + b'\n')
            other.shutdown(socket.SHUT_WR)
            answers = b''.join(iter(lambda: other.recv(65536), b'')).decode()
        check(answers == 'error: not buy, sell or cancel\nerror: there is text after the command\n'
              "error: the size is not a whole number above 0\nerror: the price is not a whole number\n"
              "error: the order's number is missing\nerror: the line is too long\n", f'answers: {answers!r}')
        busy = run('book', journal)
        check(busy.returncode == 1 and 'lock' in busy.stderr, f'a journal in use: {busy}')
        server.process.send_signal(signal.SIGTERM)
        out, err = server.process.communicate(timeout=limit)
        check((server.process.returncode, err) == (0, ''), f'SIGTERM: {server.process.returncode} {err!r}')
        check(out == 'trade: #4 with #2, 5 at 100\ntrade: #4 with #1, 2 at 101\n6 commands in the journal\n', f'{out!r}')
    check(read_back(journal) == (6, 'sell 101 3 #1\n'), 'the book after SIGTERM')


def ends_in_the_middle(folder, number):
    """Sends the signal while orders are in flight: every accepted order is in the journal."""
    journal = str(folder / f'ends{number}')
    commands = list(random_commands(number, 20_000))
    answers = []
    with Server(journal) as server, server.connect() as client:
        lines = client.makefile('rb')
        for start in range(0, len(commands), 100):
            client.sendall(''.join(c + '\n' for c in commands[start:start + 100]).encode())
            answers.append(lines.readline())
            if start == 3000:
                server.process.send_signal(number)
                break
        try:
            answers += iter(lines.readline, b'')
        except ConnectionResetError:
            pass
        server.process.communicate(timeout=limit)
        status = 0 if number == signal.SIGTERM else -number
        check(server.process.returncode == status, f'{number.name}: {server.process.returncode}')
    answers = [a.decode().removesuffix('\n') for a in answers if a.endswith(b'\n')]
    count, text = read_back(journal)
    check(len(answers) >= 31 and count >= len(answers), f'{number.name}: {len(answers)} answers, {count} in the journal')
    if number == signal.SIGTERM:
        check(count == len(answers), f'SIGTERM: {count} in the journal, but {len(answers)} answers')
    book = Book()
    expected = [book.do(c) for c in commands[:count]]
    check(answers == expected[:len(answers)], f'{number.name}: the answers differ')
    check(text == book.text(), f'{number.name}: the book differs')
    # A new server continues from the journal.
    with Server(journal) as server, server.connect() as client:
        for command in commands[count:count + 200]:
            client.sendall(command.encode() + b'\n')
            got = client.makefile('rb', buffering=0).readline().decode()
            check(got == book.do(command) + '\n', f'{number.name}: {command} after the restart: {got!r}')


def damaged(folder):
    path = folder / 'damaged'
    with Server(str(path)) as server, server.connect() as client:
        client.sendall(b'buy 1 1\nbuy 2 1\nbuy 3 1\n')
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            pass
    whole = path.read_bytes()
    check(len(whole) == 32 + 3 * 32, f'{len(whole)} bytes')
    path.write_bytes(whole[:-7])  # as after a kill during a write: the last order was not acknowledged
    check(read_back(str(path)) == (2, 'buy 2 1 #2\nbuy 1 1 #1\n'), 'a torn record')
    check(len(path.read_bytes()) == 32 + 2 * 32, 'the torn record is still there')
    path.write_bytes(whole[:40] + b'\xff' + whole[41:])
    r = run('book', str(path))
    check(r.returncode == 1 and 'a record is damaged' in r.stderr and str(path) in r.stderr, f'damaged: {r}')
    path.write_bytes(b'Dear diary, this is none of your business at all.\n')
    before = path.read_bytes()
    r = run('book', str(path))
    check(r.returncode == 1 and 'not a journal' in r.stderr and path.read_bytes() == before, f'foreign: {r}')


def figures(folder):
    r = run('bench', str(folder / 'bench'), '20000')
    check(r.returncode == 0 and r.stdout.startswith('20000 orders and cancellations, '), f'bench: {r}')
    check(read_back(str(folder / 'bench'))[0] == 20000, 'the journal of the bench')


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    talks(folder)
    ends_in_the_middle(folder, signal.SIGTERM)
    ends_in_the_middle(folder, signal.SIGKILL)
    damaged(folder)
    figures(folder)
    wrong = run('serve')
    check(wrong.returncode == 2 and wrong.stderr.startswith('usage: '), f'usage: {wrong}')
