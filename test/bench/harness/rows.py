"""What a measurement gives: rows, of which the table, the JSON file, the page and the chart are made."""
import dataclasses
import statistics

LEVEL = 0.01  # so close is neither ahead nor behind


class Skip(Exception):
    """What is measured here cannot be, and why."""


@dataclasses.dataclass
class Figure:
    """The median of some rounds, and the lowest and highest of them."""
    value: float
    low: float
    high: float

    @classmethod
    def of(cls, values):
        return cls(statistics.median(values), min(values), max(values))


@dataclasses.dataclass
class Row:
    """One thing measured of eddy and its peers. Every ratio is cost over cost: below 1, eddy is ahead."""
    part: str
    name: str
    unit: str
    eddy: Figure
    peers: dict  # name: Figure
    ratios: dict  # name: median of the rounds' ratios
    against: str | None  # the limit is one of the ratio to this peer; None: of eddy's figure
    limit: float | None
    aim: float | None
    more: bool  # the higher figure is the better one
    also: dict  # name: Figure; eddy built or run in another way

    @property
    def held(self):
        return self.ratios.get(self.against) if self.against else self.eddy.value

    @property
    def verdict(self):
        if self.limit is None or self.held is None:
            return ''
        return 'ok' if self.held <= self.limit else 'MISSED'

    @property
    def aim_reached(self):
        return self.aim is not None and self.held is not None and self.held <= self.aim

    @property
    def ahead(self):
        """Who is ahead: eddy, or the peers that are ahead of it."""
        if not self.ratios:
            return ''
        better = [name for name, ratio in self.ratios.items() if ratio > 1 + LEVEL]
        if better:
            return ', '.join(better)
        level = [name for name, ratio in self.ratios.items() if ratio >= 1 - LEVEL]
        return f'level with {", ".join(level)}' if level else 'eddy'


def row(part, name, unit, rounds, against=None, limits=None, more=False, also=None):
    """A row of figures taken in turns: `rounds` is {who: [figure of a round, ...]}, `limits` (limit, aim)."""
    own = rounds['eddy']

    def share(cost, of):
        """One may be nothing, as the memory of a connection in C."""
        return min(max(cost / of if of else 1000.0 if cost else 1.0, 1 / 1000), 1000)

    def ratio(theirs):
        return statistics.median(share(t, e) if more else share(e, t) for e, t in zip(own, theirs))

    peers = {who: values for who, values in rounds.items() if who != 'eddy' and values}
    limit, aim = limits or (None, None)
    return Row(part, name, unit, Figure.of(own), {who: Figure.of(v) for who, v in peers.items()},
               {who: ratio(v) for who, v in peers.items()}, against, limit, aim, more,
               {who: Figure.of(v) for who, v in (also or {}).items()})


@dataclasses.dataclass
class Growth:
    """What one more costs when there are so many already."""
    part: str
    name: str
    unit: str
    counts: list
    costs: dict  # who: [cost at each count]; shorter than counts: not measured so far
    limit: float

    @property
    def factors(self):
        return {who: costs[-1] / costs[0] for who, costs in self.costs.items()}

    @property
    def verdict(self):
        return 'ok' if self.factors['eddy'] <= self.limit else 'MISSED'

    @property
    def ahead(self):
        """Who is cheapest at the end."""
        last = {who: costs[-1] for who, costs in self.costs.items() if len(costs) == len(self.counts)}
        return min(last, key=last.get) if len(last) > 1 else ''
