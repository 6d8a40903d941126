"""Do ten workloads of eddy-bench still cost as many instructions as recorded? Times move with the machine; these do not.

instructions.py EDDY_BENCH CLOCK KEY [--record]   CLOCK: steady_steps.cpp as a module; KEY: compiler, flags, libuv, ...
instructions.py skip WHY                          says so, and is skipped (exit 77)

User instructions an operation, by callgrind, as the difference of two runs and one run, so that start-up and warming
up do not matter. instructions.json holds them by key: figures of another compiler or libuv say nothing. A key that it
does not have is skipped, and printed with what to add; --record adds it, or brings it up to date.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

RECORDED = pathlib.Path(__file__).with_suffix('.json')
ALLOWED = 1.05
WORKLOADS = ['ct/spawn_join', 'ct/spawn_await_each', 'ct/yield_1000tasks', 'ct/await_ready', 'ct/timeout_yield',
             'ct/mpsc_bounded_1p1c', 'ct/oneshot_pingpong', 'ct/mutex_contended_10', 'ct/select_2ch', 'ct/join_10_yield']


def instructions(program, clock, workload, times):
    """Of a whole run, and how many operations one of the `times` is."""
    with tempfile.TemporaryDirectory() as tmp:
        profile = pathlib.Path(tmp) / 'profile'
        operations = int(subprocess.run(
            ['valgrind', '--tool=callgrind', f'--callgrind-out-file={profile}', program, 'run', workload, str(times)],
            check=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            env={'PATH': os.environ['PATH'], 'LD_PRELOAD': clock}).stdout)  # meson's MALLOC_PERTURB_ would count
        return int(re.search(r'^(?:summary|totals): (\d+)', profile.read_text(), re.MULTILINE).group(1)), operations


def an_operation(program, clock, workload):
    (once, operations), (twice, _) = (instructions(program, clock, workload, times) for times in (1, 2))
    return round((twice - once) / operations, 1)


def main():
    if sys.argv[1] == 'skip' or shutil.which('valgrind') is None:
        print('skipped:', ' '.join(sys.argv[2:]) if sys.argv[1] == 'skip' else 'no valgrind here')
        sys.exit(77)
    program, clock, key = sys.argv[1:4]
    clock = str(pathlib.Path(clock).resolve())
    recorded = json.loads(RECORDED.read_text())
    seen = {name: an_operation(program, clock, name) for name in WORKLOADS}
    if '--record' in sys.argv:
        RECORDED.write_text(json.dumps(recorded | {key: seen}, indent=2, sort_keys=True) + '\n')
    before = recorded.get(key, {})
    worse = [name for name in WORKLOADS if name in before and seen[name] > before[name] * ALLOWED]
    for name in WORKLOADS:
        was = f'{before[name]:8.1f} recorded, {seen[name] / before[name]:.3f} of it' if name in before else ''
        print(f'{name:<24} {seen[name]:8.1f} instructions an operation {was} {"WORSE" if name in worse else ""}'.rstrip())
    if '--record' in sys.argv:
        return
    if worse:
        sys.exit(1)
    if not set(WORKLOADS) <= set(before):
        print(f'skipped: not all of it is recorded for this; add to {RECORDED.name} (or run with --record):')
        print(json.dumps({key: seen}))
        sys.exit(77)


main()
