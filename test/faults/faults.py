#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Breaks a broker in many ways and prints a table of what held; see scripts/faults.sh."""
import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import sys
import time
import traceback

sys.dont_write_bytecode = True
os.environ["JITR_BUILD_DIR"] = os.path.abspath(os.environ.get("JITR_BUILD_DIR", "build"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "integration"))

from broker import new_directory  # noqa: E402
import memory  # noqa: E402,F401
import restarts  # noqa: E402,F401
from pki import Pki  # noqa: E402
from rows import ROWS  # noqa: E402
from scene import Scene, Shim, Skip  # noqa: E402


class Totals:
    """What was tried and held by earlier runs: with a file, a run goes on where one ended."""

    def __init__(self, path=None):
        self.path, self.rows = path and pathlib.Path(path), {}
        if self.path and self.path.exists():
            self.rows = json.loads(self.path.read_text())

    def of(self, row):
        kept = self.rows.get(row, {})
        return kept.get("tried", 0), kept.get("held", 0)

    def keep(self, row, tried, held, failures):
        if self.path is None:
            return
        kept = self.rows.setdefault(row, {"failures": []})
        kept.update(tried=tried, held=held)
        kept["failures"] += [f for f in failures if f not in kept["failures"]]
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps(self.rows, indent=1))
        new.rename(self.path)

    def failures(self, row):
        return self.rows.get(row, {}).get("failures", [])


class Bench:
    """Runs one row: its attempts, and its scenes, which are removed afterwards."""

    def __init__(self, pki, row, seed, kills, totals):
        self.pki, self.row, self.totals = pki, row, totals
        self.tried, self.held = totals.of(row)
        self.kills = max(0, kills - self.tried)
        self.random = random.Random("%d %s %d" % (seed, row, self.tried))
        self.failures, self.notes = [], []

    @contextlib.contextmanager
    def scene(self, prepare=None, shim=False, plugin=None):
        """prepare: makes the broker's disk, with the broker's maker and a directory."""
        home = new_directory()
        how = {"plugin": {name: str(home / "jitr.log") if value == "LOG" else value
                          for name, value in (plugin or {}).items()}}
        faults = Shim(home) if shim else None
        if faults:
            how["wrapper"] = faults.wrapper
        scene = Scene(home, self.pki, (lambda make: prepare(make, home)) if prepare else None,
                      **how)
        scene.shim = faults
        try:
            yield scene
        finally:
            scene.close()
            if os.environ.get("JITR_FAULTS_KEEP"):
                print("kept: %s" % home)
            else:
                shutil.rmtree(home, ignore_errors=True)

    @contextlib.contextmanager
    def attempt(self):
        self.tried += 1
        try:
            yield
            self.held += 1
        except Skip:
            self.tried -= 1
            raise
        except Exception as problem:  # what did not hold, or a client that could not go on
            self.failures.append(describe(problem))
            raise Broken from problem
        finally:
            self.totals.keep(self.row, self.tried, self.held, self.failures)

    def note(self, text):
        if text and text not in self.notes:
            self.notes.append(text)


def describe(problem):
    """What it says, and where."""
    place = traceback.extract_tb(problem.__traceback__)[-1]
    return "%s: %s (%s, %d: %s)" % (type(problem).__name__, str(problem)[:2000],
                                    os.path.basename(place.filename), place.lineno, place.line)


class Broken(Exception):
    """An attempt failed: the scene is not used any further."""


def run(name, function, bench):
    """The row's result: a word and what to say."""
    try:
        function(bench)
    except Skip as reason:
        return "skipped", str(reason)
    except Broken:
        return "FAILED", bench.failures[-1]
    except Exception as problem:  # before the first attempt
        return "FAILED", describe(problem)
    earlier = bench.totals.failures(name)
    return ("FAILED", earlier[-1]) if earlier else ("held", "; ".join(bench.notes))


def main():
    parser = argparse.ArgumentParser(prog="scripts/faults.sh", description=__doc__)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--kills", type=int, default=20, help="of each process, up to 500")
    parser.add_argument("--only", default="", help="rows whose name has this")
    parser.add_argument("--resume", metavar="FILE", help="goes on with the totals in this file")
    options = parser.parse_args()
    if not 1 <= options.kills <= 500:
        parser.error("--kills: 1 to 500")
    print("seed %d (repeat with --seed %d --kills %d)" % (options.seed, options.seed,
                                                        options.kills), flush=True)
    home, table = new_directory(), []
    pki, totals = Pki(home), Totals(options.resume)
    for name, checked, function in ROWS:
        if options.only not in name:
            continue
        bench = Bench(pki, name, options.seed, options.kills, totals)
        start = time.monotonic()
        result, said = run(name, function, bench)
        table.append((name, bench.tried, bench.held, result, checked, said))
        print("%-34s %-8s %3d s  %s" % (name, result, time.monotonic() - start, said), flush=True)
    shutil.rmtree(home, ignore_errors=True)
    show(table)
    return 1 if not table or any(result == "FAILED" for _, _, _, result, *_ in table) else 0


def show(table):
    print("\n| Fault | Tried | Held | What was checked |\n|---|---|---|---|")
    for name, tried, held, result, checked, said in table:
        if result == "skipped":
            print("| %s | 0 | 0 | skipped: %s |" % (name, said))
        else:
            print("| %s | %d | %d | %s |" % (name, tried, held, checked))
    failed = sum(result == "FAILED" for _, _, _, result, *_ in table)
    skipped = sum(result == "skipped" for _, _, _, result, *_ in table)
    print("\n%d held, %d failed, %d skipped" % (len(table) - failed - skipped, failed, skipped))


if __name__ == "__main__":
    sys.exit(main())
