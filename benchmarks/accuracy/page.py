"""Write the tables of docs/accuracy.md from what run.py measured: `.venv/bin/python benchmarks/accuracy/page.py`."""

import json
from pathlib import Path
from typing import Any

from logs import PROTOCOLS

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "accuracy.md"
BEGIN, END = "<!-- {}:begin -->", "<!-- {}:end -->"


def main() -> None:
    text = PAGE.read_text("utf-8")
    for log in PROTOCOLS:
        file = HERE / f"{log}.json"
        if file.exists():
            before, rest = text.split(BEGIN.format(log))
            after = rest.split(END.format(log))[1]
            table = table_of(log, json.loads(file.read_text("utf-8")))
            text = f"{before}{BEGIN.format(log)}\n{table}{END.format(log)}{after}"
    PAGE.write_text(text, "utf-8")


def table_of(log: str, report: dict[str, Any]) -> str:
    """The rows of a log, networks as means over seeds, with the bars below."""
    protocol = PROTOCOLS[log]
    apart = sorted({name for row in report["rows"] for name in row["groups"] if "@" in name})
    heads = ["model", *protocol.shown, *apart, "parameters", "training, s"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in report["rows"]:
        name = row["model"] if row["baseline"] else f"**{row['model']}**, mean of {report['seeds']} seeds"
        figures = [figure(row["metrics"][metric]) for metric in protocol.shown]
        figures += [figure(row["groups"][name]) if name in row["groups"] else "" for name in apart]
        parameters = row["settings"].get("parameters")
        figures += ["" if parameters is None else f"{parameters:,}"]
        figures += ["" if row["baseline"] else f"{row['seconds']:,.0f}"]
        lines.append(f"| {' | '.join([name, *figures])} |")
    for word, bars in (("must", protocol.must), ("goal", protocol.goal)):
        blank = [""] * (len(heads) - 3)
        lines.append(f"| *{word}* | {' | '.join([*(f'{bar:.3f}' for bar in bars), *blank])} |")
    return "\n".join(lines) + "\n"


def figure(value: dict[str, float | None]) -> str:
    """A figure with its interval, where it has one."""
    if value["value"] is None:
        return ""
    interval = "" if value.get("low") is None else f" ({value['low']:.4f} to {value['high']:.4f})"
    return f"{value['value']:.4f}{interval}"


if __name__ == "__main__":
    main()
