#!/usr/bin/python3
# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""Runs the integration tests, or those named, several at a time where pytest-xdist is
installed: they wait for their brokers most of the time."""
import importlib.util
import os
import pathlib
import sys

import pytest

os.environ["JITR_BUILD_DIR"] = os.path.abspath(os.environ.get("JITR_BUILD_DIR", "build"))
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
sys.dont_write_bytecode = True
os.chdir(pathlib.Path(__file__).resolve().parent)

workers = []
if importlib.util.find_spec("xdist"):
    workers = ["-n", str(4 * len(os.sched_getaffinity(0)))]
sys.exit(pytest.main(workers + sys.argv[1:]))
