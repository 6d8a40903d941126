"""What is measured inside one process: the workloads of eddy-bench beside those of the same name in Rust."""
import os
import pathlib
import re
import tempfile

from .peers import output
from .rows import Growth, Skip, row

ROUNDS = 3

# name: (limit, aim) as a share of Tokio's time; None: shown only
TIMES = {
    'ct/spawn_join': (0.35, 0.15),
    'ct/spawn_await_each': (0.25, 0.08),
    'ct/yield_1task': (0.15, 0.05),
    'ct/yield_1000tasks': (0.5, 0.25),
    'ct/await_ready': (1.1, 0.7),
    'ct/timeout_ready': (0.4, 0.2),
    'ct/timeout_yield': (0.25, 0.1),
    'ct/sleep_100k_concurrent': (0.4, 0.2),
    'ct/spawn_blocking_each': None,
}
SYNC = {
    'ct/mpsc_bounded_1p1c': (0.4, 0.2),
    'ct/mpsc_bounded32_1p1c': (0.4, 0.2),
    'ct/mpsc_bounded_5p1c': (0.4, 0.2),
    'ct/mpsc_unbounded_1p1c': (0.4, 0.2),
    'ct/mpsc_pingpong': (0.4, 0.2),
    'ct/mpsc_from_4_threads': (1.0, None),
    'ct/oneshot_pingpong': (0.4, 0.2),
    'ct/mutex_contended_10': (0.4, 0.2),
    'ct/mutex_across_yield_10': (0.4, 0.2),
    'ct/semaphore_contended_10': (0.4, 0.2),
    'ct/broadcast_1to10': (0.4, 0.2),
    'ct/watch_send_changed': (0.4, 0.2),
    'ct/notify_pingpong': (0.4, 0.2),
}
COMBINATORS = {
    'ct/select_2ch': (0.4, 0.25),
    'ct/select_of_2': (0.5, None),
    'ct/select_of_8': (0.5, None),
    'ct/select_of_64': (0.5, None),
    'ct/join_10_ready': (0.5, None),
    'ct/join_10_yield': (0.5, None),
    'ct/interval_tick': (0.5, None),
    'ct/timeout_recv': (0.5, None),
    'ct/timers_cancel_1k': (0.5, None),
    'ct/timers_cancel_10k': (0.5, None),
    'ct/timers_cancel_100k': (0.5, None),
    'ct/timers_cancel_1M': (0.5, None),
}
IO = {
    'ct/lines_memory': (1.0, None),
    'ct/lines_duplex': (1.0, None),
    'ct/copy_mem_to_mem': (1 / 0.95, None),
}
FS = {
    'ct/fs_read_each': (1.0, None),
    'ct/fs_read_by_16': (1.0, None),
    'ct/fs_read_all': (1.0, None),
}
FILES, FILE_BYTES = 10_000, 1000
POOL = {
    f'mt2/{name}': (0.6, 0.3)
    for name in (
        'spawn_many_local', 'spawn_many_remote', 'yield_many', 'ping_pong', 'chained_spawn', 'mpsc_bounded_1p1c',
        'mpsc_bounded32_1p1c', 'mpsc_bounded_5p1c', 'mpsc_unbounded_1p1c', 'mpsc_pingpong', 'mutex_contended_10',
        'mutex_across_yield_10', 'semaphore_contended_10', 'broadcast_1to10', 'watch_send_changed', 'notify_pingpong',
        'timeout_yield')
} | {
    'mt2/skynet_1M': (0.3, 0.12),
    'mt2/fib_24_spawn': (0.3, 0.12),
    'mt2/spawn_blocking_each': (1.0, None),
}
TIMERS = {1000: '1k', 10_000: '10k', 100_000: '100k', 1_000_000: '1M'}
TIMER_GROWTH, TASK_GROWTH = 2, 1.5
SLEEP_FLOOR = 99e6 / 100_000  # ns an operation: the longest of its sleeps is 99 ms
LINE = re.compile(r'^(\S+)\s+([\d.]+) ns/op', re.MULTILINE)


def time_of(program, name, *words):
    """ns an operation: the median of 7 runs in one process."""
    return float(dict(LINE.findall(output(program, name, *words)))[name])


def in_turns(b, name, peer, **others):
    """{who: [time of a round, ...]}; `others`: more commands that are taken in turns with these."""
    commands = {'eddy': (b.program('test', 'eddy-bench'),)} | others
    try:
        commands['Tokio'] = (b.tokio(peer),)
    except Skip:
        pass
    rounds = {who: [] for who in commands}
    for _ in range(ROUNDS):
        for who, (program, *words) in commands.items():
            rounds[who].append(time_of(program, name, *words))
    return rounds


def compare(b, part, limits, peer='micro'):
    for name, limit in limits.items():
        yield row(part, name, 'ns', in_turns(b, name, peer), against='Tokio', limits=limit)


def times(b):
    for name, limit in TIMES.items():
        rounds = in_turns(b, name, 'micro')
        yield row('times', name, 'ns', rounds, against='Tokio', limits=limit)
        if 'sleep_100k' in name:
            above = {who: [t - SLEEP_FLOOR for t in values] for who, values in rounds.items()}
            yield row('times', f'{name}, without its longest sleep', 'ns', above)


def sync(b):
    """Channels and locks: the build as it is, once the process has had a second thread, and without the pool."""
    for name, limit in SYNC.items():
        others = {'with a second thread': (b.program('test', 'eddy-bench'), 'threads')}
        if 'threads' not in name:
            others['without the pool'] = (b.without_pool(),)
        rounds = in_turns(b, name, 'micro', **others)
        also = {who: rounds.pop(who) for who in others}
        yield row('sync', name, 'ns', rounds, against='Tokio', limits=limit, also=also)


def combinators(b):
    seen = {}
    for each in compare(b, 'combinators', COMBINATORS):
        seen[each.name] = each
        yield each
    at = [seen[f'ct/timers_cancel_{size}'] for size in TIMERS.values()]
    costs = {'eddy': [r.eddy.value for r in at]}
    if all('Tokio' in r.peers for r in at):
        costs['Tokio'] = [r.peers['Tokio'].value for r in at]
    yield Growth('combinators', 'a timer, armed and cancelled', 'ns', list(TIMERS), costs, TIMER_GROWTH)


def io(b):
    yield from compare(b, 'io', IO)


def files(b):
    with tempfile.TemporaryDirectory(prefix='eddy-bench-') as folder:
        for i in range(FILES):
            pathlib.Path(folder, str(i)).write_bytes(b'x' * FILE_BYTES)
        os.environ['EDDY_BENCH_FILES'] = folder
        yield from compare(b, 'fs', FS, peer='fs')


def pool(b):
    yield from compare(b, 'pool', POOL)


def memory(b):
    """Tasks asleep."""
    programs = {'eddy': (b.program('test', 'eddy-bench'), 'mem')}
    try:
        programs['Tokio'] = (b.tokio('mem'),)
    except Skip:
        pass
    bytes_each, costs = {}, {}
    for who, command in programs.items():
        text = output(*command)
        bytes_each[who] = [int(re.search(r'(\d+) B/task', text).group(1))]
        costs[who] = {int(n): float(ns) for n, ns in re.findall(r'one more of (\d+) sleeping tasks: ([\d.]+)', text)}
    yield row('memory', 'a task asleep, of a million', 'bytes', bytes_each, limits=(256, 192))
    counts = sorted(costs['eddy'])
    yield Growth('memory', 'a task that sleeps, started and aborted', 'ns', counts,
                 {who: [c[n] for n in counts] for who, c in costs.items()}, TASK_GROWTH)
