"""What `run` makes of figures: verdicts, who is ahead, the page, the JSON file and the chart."""
import json
import xml.dom.minidom

from harness import report
from harness.rows import Growth, row

won = row('times', 'won', 'ns', {'eddy': [10, 12, 11], 'Tokio': [20, 24, 33]}, against='Tokio', limits=(0.6, 0.4))
assert (won.eddy.value, won.eddy.low, won.eddy.high) == (11, 10, 12)
assert (won.ratios['Tokio'], won.verdict, won.aim_reached, won.ahead) == (0.5, 'ok', False, 'eddy')

lost = row('echo', 'lost', '', {'eddy': [100], 'epoll in C': [50], 'Tokio': [200]}, limits=(90, None))
assert (lost.verdict, lost.ahead) == ('MISSED', 'epoll in C')

rate = row('echo', 'rate', '', {'eddy': [200], 'Tokio': [100]}, more=True)
assert (rate.ratios['Tokio'], rate.verdict, rate.ahead) == (0.5, '', 'eddy')

level = row('times', 'level', 'ns', {'eddy': [100.5], 'Tokio': [100]})
assert level.ahead == 'level with Tokio'

assert row('connections', 'memory', 'bytes', {'eddy': [8], 'epoll in C': [0]}).ahead == 'epoll in C'

alone = row('times', 'alone', 'ns', {'eddy': [1]}, against='Tokio', limits=(1, None))
assert (alone.verdict, alone.ahead) == ('', '')

growth = Growth('memory', 'one more', 'ns', [1000, 1_000_000], {'eddy': [10, 14], 'Tokio': [5, 50]}, 1.5)
assert (growth.verdict, growth.ahead, growth.factors['Tokio']) == ('ok', 'eddy', 10)

run = {'machine': {'cores': 2}, 'versions': {'eddy': '1'}, 'rows': [won, lost, rate, level, alone, growth],
       'skipped': {'net': 'no strace'}}
begin, end = report.BY_HAND
page = report.as_page(run, f'Gone.\n{begin}\nKept.\n{end}\nGone.\n')
assert f'{begin}\nKept.\n{end}' in page and 'Gone' not in page
for text in ('| lost | 100 | epoll in C 50: 2.00; Tokio 200: 0.50 | 90 | **MISSED** | **epoll in C** |',
             '2 ok, 1 MISSED, 1 parts skipped; eddy is ahead in 3 of 5', '10^3 | 10^6', '- net: no strace'):
    assert text in page, text
assert report.as_page(run, page) == page
assert [r['kind'] for r in json.loads(report.as_json(run))['rows']] == ['row'] * 5 + ['growth']
assert len(xml.dom.minidom.parseString(report.as_chart(run)).getElementsByTagName('rect')) == 1 + 5
for each in run['rows']:
    assert each.name in report.line(each)
