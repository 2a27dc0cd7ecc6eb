"""Markdown of the kept figures, for docs/performance.md: `python -m benchmarks.page`."""

import json

from benchmarks.record import OUT


def main() -> None:
    for path in sorted(OUT.glob("*.json")):
        record = json.loads(path.read_text())
        print(f"### {path.stem}\n\nCommit {record['commit']}, {record['date'][:10]}, `{record['command']}`\n")
        print("| figure | |\n|---|---|")
        for name, value in record["figures"].items():
            print(f"| {name} | {value} |")
        print()


if __name__ == "__main__":
    main()
