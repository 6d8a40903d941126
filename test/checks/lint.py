"""Looks for co_await expressions that g++ 12.2 miscompiles (lint.q), in the library, the programs, the benchmarks and
what the documents show. In another test they show when it is run.

lint.py CLANG_QUERY ROOT BUILD

BUILD has a compile_commands.json written for the same clang. `// lint-ok: reason` on the line found, or on
the line above, excuses it.
"""
import concurrent.futures
import json
import pathlib
import re
import subprocess
import sys

query, root, build = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3])
checks = pathlib.Path(__file__).resolve().parent
FOUND = re.compile(r'^(.+?):(\d+):\d+: note: "g12" binds here', re.MULTILINE)
EXCUSE = re.compile(r'//\s*lint-ok:\s*\S')


def excused(path, line):
    lines = pathlib.Path(path).read_text().splitlines()
    return any(EXCUSE.search(lines[n - 1]) for n in (line - 1, line) if n > 0)


def places(source, *flags):
    """The flagged (path, line) pairs of one translation unit, its own headers included."""
    run = subprocess.run([query, *flags[:2], '-f', checks / 'lint.q', source, *flags[2:]],
                         text=True, capture_output=True)
    output = run.stdout + run.stderr
    if run.returncode or re.search(r'\berror: |^Error', output, re.MULTILINE):
        sys.exit(f'{source} cannot be read:\n{output}')
    found = {(str(pathlib.Path(path).resolve()), int(line)) for path, line in FOUND.findall(output)}
    return {(path, line) for path, line in found
            if pathlib.Path(path).is_relative_to(root) and not excused(path, line)}


# A lint that finds nothing is worth nothing unless it has just found what it should.
fixture = checks / 'lint_fixture.cpp'
marked = {n for n, text in enumerate(fixture.read_text().splitlines(), 1) if '// BAD' in text}
flagged = {line for path, line in places(fixture, '--extra-arg=-w', '--extra-arg=-std=c++20', '--')}
if flagged != marked:
    sys.exit(f'{fixture}: lines {sorted(marked)} are bad, lines {sorted(flagged)} were found')

areas = [root / area for area in ('lib', 'apps', 'docs', 'test/docs', 'test/bench')]


def is_asked(unit):
    """A unity build's unit is a list of includes."""
    text = unit.read_text()
    parts = [pathlib.Path(part).resolve() for part in re.findall(r'#include<(/.*)>', text)]
    return any('co_await' in part.read_text() and any(part.is_relative_to(a) for a in areas) for part in parts or [unit])


units = {(build / entry['directory'] / entry['file']).resolve()
         for entry in json.loads((build / 'compile_commands.json').read_text())}
units = sorted(filter(is_asked, units))
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    found = set().union(*pool.map(lambda unit: places(unit, '-p', str(build)), units))
for path, line in sorted(found):
    print(f'{path}:{line}: g++ 12.2 miscompiles this (docs/pitfalls.md has the table); name a local')
print(f'{len(units)} files, {len(found)} places')
sys.exit(bool(found) or not units)
