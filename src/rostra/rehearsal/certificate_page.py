"""A certificate as one page that stands alone, with its curves drawn, in Dutch or English. Pure."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from rostra.core.errors import BadInputError
from rostra.rehearsal.certificate import Certificate, Episode, Stage
from rostra.rehearsal.certificate_words import WORDS

_WIDTH: Final = 640
_HEIGHT: Final = 260
_LEFT: Final = 64
_BOTTOM: Final = 36
_TOP: Final = 12
_RIGHT: Final = 16
_STYLE: Final = """
:root{color-scheme:light dark;--ink:#1b1b1f;--soft:#5b6070;--paper:#fff;--line:#d8dbe4;--a:#1d4ed8;--b:#b45309;--c:#047857}
@media(prefers-color-scheme:dark){:root{--ink:#eceef4;--soft:#a6acbd;--paper:#14161c;--line:#343947;--a:#8ab4ff;--b:#f5b05a;--c:#5fd6a5}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:46rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2rem 0 .5rem}p{margin:.4rem 0}
.soft{color:var(--soft)}.verdict{font-size:1.2rem;margin:1rem 0;padding:.8rem 1rem;border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .5rem;border-bottom:1px solid var(--line);vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}svg{width:100%;height:auto}
.grid{stroke:var(--line)}.a{stroke:var(--a)}.b{stroke:var(--b)}.c{stroke:var(--c)}.fa{fill:var(--a)}.fb{fill:var(--b)}.fc{fill:var(--c)}
path{fill:none;stroke-width:2.2}text{fill:var(--soft);font-size:12px}.dash{stroke-dasharray:5 4}
code{overflow-wrap:anywhere;font-size:.85em}
"""  # noqa: E501 # a style sheet


def render(certificate: Certificate, key: str, language: str) -> str:
    """The whole page. BadInputError for a language that there is not."""
    if language not in WORDS:
        raise BadInputError(f"There is no language {language!r}: choose one of {', '.join(WORDS)}.")
    return _Page(certificate, key, language).html()


class _Page:
    def __init__(self, certificate: Certificate, key: str, language: str) -> None:
        self._certificate = certificate
        self._key = key
        self._language = language
        self._words = WORDS[language]

    def html(self) -> str:
        words, certificate = self._words, self._certificate
        parts = [
            f"<h1>{escape(words['title'])}: {escape(certificate.script)}</h1>",
            f"<p class=soft>{escape(certificate.made)} · {escape(certificate.target)}</p>",
            f"<div class=verdict>{self._verdict()}</div>",
            f"<h2>{words['crowd']}</h2>{self._arrivals()}",
            *(self._stage(stage) for stage in certificate.stages),
            self._heard(),
            self._episodes(words["faults"], certificate.faults),
            self._episodes(words["attacks"], certificate.attacks),
            self._surroundings(),
        ]
        return (
            f"<!doctype html><html lang={self._language}><meta charset=utf-8>"
            '<meta name=viewport content="width=device-width">'
            f"<title>{escape(words['title'])}</title><style>{_STYLE}</style><main>{''.join(parts)}</main></html>\n"
        )

    def _number(self, value: float) -> str:
        text = f"{value:,.0f}" if abs(value) >= 10 or value == int(value) else f"{value:,.2f}"
        return text.replace(",", " ").replace(".", ",") if self._language == "nl" else text

    def _verdict(self) -> str:
        words, failed = self._words, self._certificate.failed
        said = [
            words[stage.name if stage.known else f"{stage.name}_floor"].format(
                number=self._number(stage.holds), workers=stage.workers
            )
            for stage in self._certificate.stages
        ]
        said.append(words["all_held"] if not failed else words["failed"])
        return "".join(f"<p>{escape(sentence)}</p>" for sentence in said) + "".join(
            f"<p>✗ {escape(sentence)}</p>" for sentence in failed
        )

    def _arrivals(self) -> str:
        words, rows = self._words, self._certificate.arrivals
        at_s = [row.at_s for row in rows]
        series = [
            (words["come"], "a", [float(row.come) for row in rows]),
            (words["heard"], "c dash", [float(row.heard) for row in rows]),
            (words["listening"], "b", [float(row.listening) for row in rows]),
        ]
        if any(row.waiting for row in rows):
            series.append((words["waiting"], "a dash", [float(row.waiting) for row in rows]))
        return _plot(
            [(name, look, list(zip(at_s, values, strict=True))) for name, look, values in series], words["seconds"]
        )

    def _stage(self, stage: Stage) -> str:
        words = self._words
        points = [(point.offered, point.served) for point in stage.points]
        most = max(offered for offered, _ in points)
        series = [
            (words["offered"], "b dash", [(0.0, 0.0), (most, most)]),
            (words["served"], "a dots", points),
        ]
        law = ""
        if stage.law is not None:
            loads = np.linspace(most / 60, most, 60)
            series.append(
                (words["law"], "c", list(zip(loads.tolist(), stage.law.served(loads).tolist(), strict=True)))
            )
            law = (
                f"<p class=soft>{words['law_is']}: λ={stage.law.rate:.3g}, σ={stage.law.contention:.3g}, "
                f"κ={stage.law.coherence:.3g}; {words['residual']} {stage.law.residual_rms:.1%}</p>"
            )
        head = "".join(f"<th class=n>{words[name]}</th>" for name in ("offered", "served", "slowest"))
        rows = "".join(
            f"<tr><td class=n>{self._number(point.offered)}<td class=n>{self._number(point.served)}<td class=n>"
            f"{'' if point.wait_p99_ms is None else self._number(point.wait_p99_ms) + ' ms'}"
            for point in stage.points
        )
        heading = words[f"{stage.name}_heading"]
        return f"<h2>{heading}</h2>{_plot(series, words[stage.name + '_axis'])}{law}<table><tr>{head}{rows}</table>"

    def _heard(self) -> str:
        heard, words = self._certificate.heard, self._words
        if heard is None:
            return ""
        rows = [
            (words["all_listeners"], self._number(heard.listeners)),
            (words["heard"], self._number(heard.heard)),
            (words["with_gaps"], self._number(heard.listeners_with_gaps)),
            (words["with_pauses"], self._number(heard.paused_listeners)),
            (words["first_sound"], f"{heard.first_sound_p50_ms} / {heard.first_sound_p99_ms} ms"),
            (words["longest_pause"], f"{heard.longest_pause_ms} ms"),
        ]
        if heard.estimate_error_median is not None:
            rows.append((words["estimate_error"], f"{heard.estimate_error_median:.0%}"))
        return f"<h2>{words['ears']}</h2>" + self._table(rows)

    def _episodes(self, heading: str, episodes: Sequence[Episode]) -> str:
        if not episodes:
            return ""
        words = self._words
        rows = []
        for each in episodes:
            outcome = (
                words["survived"] if each.survived else words["not_survived"] if each.done else words["not_done"]
            )
            pause = each.counted.get("pause_max_ms", 0.0)
            remark = escape(each.remark) + (
                f" · {words['longest_pause']}: {self._number(pause)} ms" if pause else ""
            )
            rows.append(
                f"<tr><td class=n>{self._number(each.at_s)} s<td>{escape(each.kind)} {escape(each.about)}"
                f"<td>{outcome}<td class=soft>{remark}"
            )
        return f"<h2>{heading}</h2><table>{''.join(rows)}</table>"

    def _surroundings(self) -> str:
        words, where = self._words, self._certificate.surroundings
        machine = where.machine
        shared = words["shared"] if self._certificate.generator_shares_machine else ""
        rows = [
            (
                words["machine"],
                f"{machine.cores} × {machine.model}, {machine.memory_bytes / 2**30:.0f} GiB, {machine.kernel}",
            ),
            (words["identity"], machine.identity),
            (words["generator"], f"{self._certificate.generator}. {shared}"),
            (words["versions"], ", ".join(f"{name} {version[:12]}" for name, version in where.versions.items())),
            (words["configuration"], where.configuration_sha256),
            (words["script"], self._certificate.script_sha256),
            (words["signed"], self._key),
        ]
        return f"<h2>{words['voids']}</h2><p>{words['voids_why']}</p>" + self._table(
            (name, f"<code>{escape(value)}</code>") for name, value in rows
        )

    @staticmethod
    def _table(rows: Iterable[tuple[str, str]]) -> str:
        return "<table>" + "".join(f"<tr><th>{escape(name)}<td>{value}" for name, value in rows) + "</table>"


# --- drawing -------------------------------------------------------------------------------------------------


def _plot(series: Sequence[tuple[str, str, Sequence[tuple[float, float]]]], axis: str) -> str:
    """Curves over one axis from zero on; a look of `dots` marks each point."""
    most_x = max((x for _, _, points in series for x, _ in points), default=1.0) or 1.0
    most_y = max((y for _, _, points in series for _, y in points), default=1.0) or 1.0
    step_x, step_y = _step(most_x), _step(most_y)
    wide, high = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM

    def at(x: float, y: float) -> tuple[float, float]:
        return _LEFT + wide * x / most_x, _TOP + high * (1 - y / (most_y * 1.05))

    drawn = []
    for n in range(int(most_y / step_y) + 1):
        _, y = at(0, n * step_y)
        drawn.append(f"<line class=grid x1={_LEFT} x2={_WIDTH - _RIGHT} y1={y:.1f} y2={y:.1f} />")
        drawn.append(f"<text x={_LEFT - 6} y={y + 4:.1f} text-anchor=end>{n * step_y:g}</text>")
    for n in range(int(most_x / step_x) + 1):
        x, _ = at(n * step_x, 0)
        drawn.append(f"<text x={x:.1f} y={_HEIGHT - _BOTTOM + 16} text-anchor=middle>{n * step_x:g}</text>")
    drawn.append(f"<text x={_WIDTH - _RIGHT} y={_HEIGHT - 4} text-anchor=end>{escape(axis)}</text>")
    legend_x = float(_LEFT)
    for name, look, points in series:
        places = [at(x, y) for x, y in points]
        colour = look.split()[0]
        if "dots" in look:
            drawn += [f"<circle class=f{colour} cx={x:.1f} cy={y:.1f} r=4 />" for x, y in places]
        else:
            line = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
            drawn.append(f'<path class="{look}" d="{line}"/>')
        drawn.append(f"<circle class=f{colour} cx={legend_x + 5:.0f} cy={_HEIGHT - 8} r=4 />")
        drawn.append(f"<text x={legend_x + 14:.0f} y={_HEIGHT - 4}>{escape(name)}</text>")
        legend_x += 26 + 7 * len(name)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role=img aria-label="{escape(axis)}">{"".join(drawn)}</svg>'


def _step(most: float) -> float:
    """A round step that makes four to eight marks."""
    power = math.pow(10, math.floor(math.log10(most / 4)))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if most / (factor * power) <= 8)
