#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Runs the integration tests, several at a time where pytest-xdist is installed: they wait
for their brokers most of the time."""
import importlib.util
import os
import pathlib
import sys

import pytest

arguments = [str(pathlib.Path(__file__).parent), *sys.argv[1:]]
if importlib.util.find_spec("xdist"):
    arguments += ["-n", str(2 * len(os.sched_getaffinity(0)))]
sys.dont_write_bytecode = True
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
sys.exit(pytest.main(arguments))
