"""Prints `N passed, N failed` over the meson test logs of the build folders given.

A test that reports doctest cases counts as those, any other as one; a folder without a log did not build
and counts as one failure. Skipped tests do not count.
"""
import json
import pathlib
import re
import sys

CASES = re.compile(r'\[doctest\] test cases:.*?(\d+) passed.*?(\d+) failed')
passed = failed = 0
for folder in sys.argv[1:]:
    log = pathlib.Path(folder) / 'meson-logs/testlog.json'
    if not log.exists():
        print(f'{folder}: did not build')
        failed += 1
        continue
    for line in log.read_text().splitlines():
        test = json.loads(line)
        cases = CASES.findall(test.get('stdout', ''))
        good, bad = (sum(int(n) for n in column) for column in zip(*cases)) if cases else (0, 0)
        if test['result'] == 'OK':
            good = good if cases else 1
        elif test['result'] != 'SKIP':
            bad = bad or 1  # it may have died before it could count
            print(f'{folder}: {test["name"]}: {test["result"]}')
        passed += good
        failed += bad
print(f'{passed} passed, {failed} failed', flush=True)
sys.exit(failed > 0 or passed == 0)
