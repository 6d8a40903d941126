"""Compiles every public header as the first and only include of a file, twice in a row. One that a source of
the library includes first has been compiled so already, and only has to have its `#pragma once`.

headers_alone.py ROOT [HEADER TO LEAVE OUT...] -- COMPILER FLAGS...
"""
import concurrent.futures
import pathlib
import re
import subprocess
import sys

root = pathlib.Path(sys.argv[1])
include = root / 'lib/include'
without = sys.argv[2:sys.argv.index('--')]
compile = sys.argv[sys.argv.index('--') + 1:]


def errors(header):
    name = header.relative_to(include)
    run = subprocess.run(
        compile + ['-fsyntax-only', '-x', 'c++', '-'],
        input=f'#include <{name}>\n#include <{name}>\n', text=True, capture_output=True)
    return '' if run.returncode == 0 else f'{name} does not compile alone:\n{run.stderr}'


FIRST = re.compile(r'\A(?://.*\n|\n)*#include [<"](\S+)[>"]')
first = {name for source in (root / 'lib/src').rglob('*.cpp') for name in FIRST.findall(source.read_text())}
public = sorted(include.rglob('*.hpp'))
headers = [h for h in public if h.relative_to(include).as_posix() not in first.union(without)]
found = [f'{h}: no #pragma once' for h in public if '#pragma once\n' not in h.read_text()]
with concurrent.futures.ThreadPoolExecutor(2) as pool:
    found += [e for e in pool.map(errors, headers) if e]
print('\n'.join(found) or f'{len(headers)} headers compile alone')
sys.exit(bool(found) or not headers)
