"""Rows as lines on the terminal, as a JSON file, as a page and as a chart."""
import dataclasses
import html
import json
import math

from .rows import Row

TITLES = {
    'times': 'Tasks and timers',
    'sync': 'Channels and locks',
    'combinators': 'Select, join, timers',
    'pool': 'A pool of two threads',
    'io': 'Readers and writers in memory',
    'fs': 'Files: 10 000 of 1000 bytes',
    'echo': 'TCP echo: 50 connections, a request of 64 bytes',
    'loops': 'A pool of two loops: TCP echo, fairness, idleness',
    'net': 'One TCP connection copied in blocks of 64 kB, datagrams, short connections',
    'memory': 'Memory of tasks',
    'connections': 'Memory of connections',
    'size': 'Size',
    'compile': 'Compilation',
}
BY_HAND = '<!-- by hand: -->', '<!-- end of what is by hand -->'


def number(value):
    if value == int(value):
        return str(int(value))
    digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2 if abs(value) >= 10 else 3
    return f'{value:.{digits}f}'


def spread(figure):
    if figure.low == figure.high:
        return number(figure.value)
    return f'{number(figure.value)} ({number(figure.low)}-{number(figure.high)})'


def limit_of(row):
    if row.limit is None:
        return ''
    what = f' of {row.against}' if row.against else ''
    aim = '' if row.aim is None else f', aim {row.aim:g}{" reached" if row.aim_reached else ""}'
    return f'{number(row.limit)}{what}{aim}'


def count(n):
    power = math.log10(n)
    return f'10^{power:.0f}' if power.is_integer() else str(n)


# ---- the terminal

def line(row):
    if not isinstance(row, Row):
        costs = '; '.join(f'{who} ' + ' '.join(f'{number(c)}' for c in costs) + f' ({row.factors[who]:.2f} x)'
                          for who, costs in row.costs.items())
        return (f'{row.name}, {row.unit}, one more at {", ".join(map(count, row.counts))}: {costs}  '
                f'limit {row.limit:g}  {row.verdict}  ahead: {row.ahead or "-"}')
    peers = ['  '.join([who, spread(f), f'{row.ratios[who]:.3f}']) for who, f in row.peers.items()]
    also = [f'{who} {spread(f)}' for who, f in row.also.items()]
    return '  '.join([f'{row.name + (", " + row.unit if row.unit else ""):<44} {spread(row.eddy):>24}', *also,
                      *(f'| {p}' for p in peers), f'| limit {limit_of(row)}  {row.verdict}' if row.limit is not None else '|',
                      f'ahead: {row.ahead or "-"}'])


def summary(rows, skipped):
    verdicts = [r.verdict for r in rows]
    compared = [r for r in rows if r.ahead]
    return (f'{verdicts.count("ok")} ok, {verdicts.count("MISSED")} MISSED, {len(skipped)} parts skipped; '
            f'eddy is ahead in {sum(r.ahead == "eddy" for r in compared)} of {len(compared)}')


# ---- the files

def as_json(run):
    """`run`: {machine, versions, rows, skipped}."""
    def plain(row):
        kind = 'row' if isinstance(row, Row) else 'growth'
        return {'kind': kind} | dataclasses.asdict(row) | {'verdict': row.verdict, 'ahead': row.ahead}
    return json.dumps(run | {'rows': [plain(r) for r in run['rows']]}, indent=1, ensure_ascii=False) + '\n'


def table(head, rows):
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in [head, ['---'] * len(head), *rows]) + '\n'


def row_cells(row):
    name = row.name + (f', {row.unit}' if row.unit else '')
    also = ''.join(f'; {who} {number(f.value)}' for who, f in row.also.items())
    peers = '; '.join(f'{who} {number(f.value)}' + (f': {row.ratios[who]:.2f}' if f.value else '') for who, f in row.peers.items())
    verdict = f'**{row.verdict}**' if row.verdict == 'MISSED' else row.verdict
    ahead = row.ahead if row.ahead in ('', 'eddy') else f'**{row.ahead}**'
    return [name, spread(row.eddy) + also, peers, limit_of(row), verdict, ahead]


def growth_table(growth):
    rows = [[who, *(number(c) for c in costs), *[''] * (len(growth.counts) - len(costs)), f'{growth.factors[who]:.2f}']
            for who, costs in growth.costs.items()]
    text = table([f'{growth.name}, {growth.unit}', *map(count, growth.counts), 'last / first'], rows)
    ahead = f'; cheapest at the end: {growth.ahead}' if growth.ahead else ''
    return text + f'\nLimit for eddy: {growth.limit:g} times. {growth.verdict}{ahead}.\n'


def as_page(run, old):
    """The page; what is written by hand in the old one stays."""
    rows = [r for r in run['rows'] if isinstance(r, Row)]
    growths = [r for r in run['rows'] if not isinstance(r, Row)]
    begin, end = BY_HAND
    by_hand = old[old.index(begin) + len(begin):old.index(end)] if begin in old and end in old else '\n\n## What each change gave\n\n'
    facts = [[name, str(value)] for name, value in (run['machine'] | run['versions']).items()]
    text = f'''# Benchmarks

Written by `./dev bench --page`; the [figures](benchmarks.json) as JSON. {summary(run['rows'], run['skipped'])}.

Both sides of a ratio are measured in turns in one run. A figure is the median of the rounds, in brackets the lowest
and the highest. A ratio is eddy's cost over the peer's: **below 1 eddy is ahead**. `ahead` names whoever is; a name
in bold is a peer that beats eddy. A limit is one of eddy's figure, or of its ratio to the peer that is named. `ct/` is
one loop (current_thread), `mt2/` a pool of two threads.

{table(['run', ''], facts)}
![eddy's cost as a share of its peers'](benchmarks.svg)
'''
    for part in dict.fromkeys(r.part for r in rows):
        text += f'\n## {TITLES[part]}\n\n' + table(['', 'eddy', 'peers: ratio', 'limit', '', 'ahead'],
                                                  [row_cells(r) for r in rows if r.part == part])
    if growths:
        text += '\n## How costs grow\n\nWhat one more costs when there are so many already.\n'
        text += ''.join('\n' + growth_table(g) for g in growths)
    if run['skipped']:
        text += '\n## Not measured\n\n' + ''.join(f'- {part}: {reason}\n' for part, reason in run['skipped'].items())
    return text + f'\n{begin}{by_hand}{end}\n'


# ---- the chart: a bar a ratio, on a scale of powers of two

WIDTH, NAMES, BAR, LOWEST, HIGHEST = 900, 330, 14, 1 / 64, 64


def as_chart(run):
    bars = [(f'{r.name} : {who}', ratio) for r in run['rows'] if isinstance(r, Row) for who, ratio in r.ratios.items()]

    def x(ratio):
        share = math.log(min(max(ratio, LOWEST), HIGHEST) / LOWEST) / math.log(HIGHEST / LOWEST)
        return NAMES + share * (WIDTH - NAMES - 60)
    height = (len(bars) + 3) * BAR
    text = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" '
            'font-size="10">', '<rect width="100%" height="100%" fill="#fff"/>',
            f'<text x="{x(1):.0f}" y="11" text-anchor="middle">eddy\'s cost / the peer\'s; left of 1 eddy is ahead</text>']
    for power in range(-6, 7):
        at = x(2.0**power)
        mark = f'1/{2**-power}' if power < 0 else str(2**power)
        text += [f'<path d="M{at:.1f} {BAR * 2}V{height - BAR}" stroke="{"#000" if power == 0 else "#ddd"}"/>',
                 f'<text x="{at:.1f}" y="{BAR * 2 - 3}" text-anchor="middle" fill="#666">{mark}</text>']
    for i, (name, ratio) in enumerate(bars):
        y = (i + 2) * BAR + 2
        left, right = sorted((x(1), x(ratio)))
        colour = '#3a7d44' if ratio <= 1 else '#b5482f'
        text += [f'<text x="{NAMES - 6}" y="{y + 9}" text-anchor="end">{html.escape(name)}</text>',
                 f'<rect x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" height="{BAR - 4}" fill="{colour}"/>',
                 f'<text x="{right + 3:.1f}" y="{y + 9}">{ratio:.2f}</text>']
    return '\n'.join([*text, '</svg>']) + '\n'
