# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
"""cmake --install: every file is where the documents say, and works there."""
import fcntl
import hashlib
import json
import pathlib
import re
import shutil
import subprocess

import pytest

from admin import ADMIN, PASSWORD
from broker import BUILD_DIR, PLUGIN, Broker, environment, program

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOC = "share/doc/mosquitto-jitr/"
DOCUMENTS = ["README.md", "CHANGELOG.md", "NOTICE.md", "LICENSE*", "mosquitto.conf.example", "doc/*.md",
             "doc/reference/*.md", "examples/*"]
PROGRAMS = ["mosquitto_jitr.so", "mosquitto_ctrl_jitr.so", "mosquitto_jitr"]


def is_built_here():
    """A build that was carried to another machine can be run there, not installed."""
    cache = BUILD_DIR / "CMakeCache.txt"
    return (shutil.which("cmake") is not None and cache.exists()
            and "CMAKE_HOME_DIRECTORY:INTERNAL=%s\n" % ROOT in cache.read_text())


pytestmark = pytest.mark.skipif(not is_built_here(), reason="not built on this machine")


class Tree:
    """An installation below a prefix of its own."""

    def __init__(self, prefix):
        self.prefix = prefix
        with open(BUILD_DIR / "install.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the manifest is that of the last installation
            subprocess.run(["cmake", "--install", BUILD_DIR, "--prefix", prefix], check=True,
                           capture_output=True)
            self.manifest = (BUILD_DIR / "install_manifest.txt").read_text()
        self.files = {p.relative_to(prefix).as_posix() for p in prefix.rglob("*") if p.is_file()}
        self.plugin, = prefix.glob("lib/**/mosquitto_jitr.so")
        self.lib = self.plugin.parent
        self.libdir = self.lib.relative_to(prefix).as_posix()
        self.sbom = json.loads((prefix / DOC / "mosquitto-jitr.spdx.json").read_text())

    def run(self, *words):
        """Run a command to its end and return its output."""
        env = dict(environment(), LD_LIBRARY_PATH=str(self.lib))
        return subprocess.run([str(w) for w in words], check=True, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=env, timeout=60).stdout


class InstalledBroker(Broker):
    """With the plugin that was installed."""

    def __init__(self, tree, *args, **how):
        super().__init__(*args, **how)
        self.tree = tree

    def _plugin_config(self):
        return [line.replace(str(PLUGIN), str(self.tree.plugin)) for line in super()._plugin_config()]


@pytest.fixture
def tree(directory):
    return Tree(directory / "prefix")


@pytest.fixture
def installed_broker(tree, directory, pki):
    home = directory / "broker"
    home.mkdir()
    broker = InstalledBroker(tree, home, pki)
    yield broker.start()
    broker.clean_up()


def test_these_files_are_installed_and_no_others(tree):
    """doc/operations.md lists them."""
    documents = {DOC + p.relative_to(ROOT).as_posix() for pattern in DOCUMENTS
                 for p in ROOT.glob(pattern)}
    pages = {"share/man/man%s/%s" % (p.suffix[1:], p.name) for p in ROOT.glob("doc/man/*.[18]")}
    assert tree.files == documents | pages | {
        "bin/mosquitto_jitr", "libexec/mosquitto-jitr/mosquitto_jitr_registrar",
        tree.libdir + "/mosquitto_jitr.so",
        tree.libdir + "/mosquitto_ctrl_jitr.so", DOC + "mosquitto-jitr.spdx.json"}


def test_the_documents_say_what_is_installed(tree):
    text = (ROOT / "doc/operations.md").read_text().split("| Below the prefix |")[1].split("\n\n")[0]
    rows = [row.replace("LIBDIR", tree.libdir) for row in re.findall(r"^\| `([^`]*)`", text, re.M)]
    assert all(any(f == row or row.endswith("/") and f.startswith(row) for row in rows)
               for f in tree.files)
    assert all(any(f.startswith(row) for f in tree.files) for row in rows if "/man/" not in row)


def test_installed_files_can_be_removed(tree, directory):
    """With the commands of doc/operations.md; directories stay."""
    command = "xargs rm < build/install_manifest.txt"
    assert "\n%s\n" % command in (ROOT / "doc/operations.md").read_text()
    (directory / "build").mkdir()
    (directory / "build/install_manifest.txt").write_text(tree.manifest)
    subprocess.run(["sh", "-c", command], cwd=directory, check=True)
    assert [p for p in tree.prefix.rglob("*") if not p.is_dir()] == []


def test_links_lead_to_what_is_installed(tree):
    """Or the document says that the target is in the sources."""
    looked_at = 0
    for document in (tree.prefix / DOC).rglob("*.md"):
        text = re.sub(r"^ *```.*?^ *```$", "", document.read_text(), flags=re.M | re.S)
        for path in re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)(?! \(in the sources\))", text):
            looked_at += 1
            assert (document.parent / path).exists(), "%s: %s" % (document.name, path)
    assert looked_at


def test_the_installed_plugin_works(installed_broker, tree):
    """With both forms of the command line that were installed."""
    connection = ["-h", "127.0.0.1", "-p", installed_broker.ports["plain"], "-u", ADMIN, "-P", PASSWORD]
    for command in ([program("mosquitto_ctrl"), *connection, "jitr"],
                    [tree.prefix / "bin/mosquitto_jitr", *connection]):
        answer = json.loads(tree.run(*command, "get-registration-code"))
        assert re.fullmatch(r"[0-9a-f]{64}", answer["registrationCode"])
    maps = pathlib.Path("/proc/%d/maps" % installed_broker.process.pid).read_text()
    assert str(tree.plugin) in maps and str(PLUGIN) not in maps


def test_help_and_version_need_no_broker(tree):
    version = re.search(r"^project\(\S+ VERSION (\S+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
    own = tree.prefix / "bin/mosquitto_jitr"

    assert "get-registration-code" in tree.run(program("mosquitto_ctrl"), "jitr", "help")
    assert "get-registration-code" in tree.run(own, "--help")
    assert version in tree.run(own, "--version")


def test_the_example_has_the_plugins_path(tree):
    """Otherwise it is the one of the source tree."""
    example = (tree.prefix / DOC / "mosquitto.conf.example").read_text()
    plugin = re.search(r"^plugin (.*)/mosquitto_jitr\.so$", example, re.M)[1]

    assert plugin.endswith("/" + tree.libdir)
    assert re.sub(r"^plugin .*$", "", example, flags=re.M) == re.sub(
        r"^plugin .*$", "", (ROOT / "mosquitto.conf.example").read_text(), flags=re.M)


def test_the_bill_of_materials_names_each_file(tree):
    """With its checksum, and no other files."""
    listed = {f["fileName"]: {c["algorithm"]: c["checksumValue"] for c in f["checksums"]}
              for f in tree.sbom["files"]}
    there = {".%s" % (tree.prefix / f): (tree.prefix / f).read_bytes() for f in tree.files
             if not f.endswith(".spdx.json")}

    assert listed == {name: {"SHA1": hashlib.sha1(data).hexdigest(),
                             "SHA256": hashlib.sha256(data).hexdigest()}
                      for name, data in there.items()}


def test_the_bill_of_materials_names_each_library(tree):
    """Those that the loader looks for, each with a version and the licence of NOTICE.md."""
    linked = set()
    for name in PROGRAMS:
        path, = [tree.prefix / f for f in tree.files if f.endswith("/" + name)]
        out = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True)
        linked |= set(re.findall(r"\(NEEDED\).*\[(?!lib\w+san\.)(.*)\]", out.stdout))
    parts = {p["packageFileName"]: p for p in tree.sbom["packages"] if "packageFileName" in p}
    notice = dict(re.findall(r"^\|[^|]*\| `([^`|]*)` \| ([^|]*) \|", (ROOT / "NOTICE.md").read_text(), re.M))

    assert set(parts) == linked
    assert all(re.match(r"\d+\.\d+", p["versionInfo"]) for p in parts.values())
    assert {library: p["licenseDeclared"] for library, p in parts.items()} == notice


def test_the_bill_of_materials_is_spdx(tree):
    """All that SPDX 2.3, sections 6 to 11, requires, and every referenced name."""
    sbom = tree.sbom
    ids = [x["SPDXID"] for x in [sbom, *sbom["packages"], *sbom["files"]]]
    package = sbom["packages"][0]

    assert (sbom["spdxVersion"], sbom["dataLicense"], sbom["SPDXID"]) == (
        "SPDX-2.3", "CC0-1.0", "SPDXRef-DOCUMENT")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", sbom["documentNamespace"]) and sbom["name"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", sbom["creationInfo"]["created"])
    assert all(re.match(r"(Tool|Organization|Person): ", c) for c in sbom["creationInfo"]["creators"])
    assert all(re.fullmatch(r"SPDXRef-[A-Za-z0-9.-]+", i) for i in ids) and len(set(ids)) == len(ids)
    assert all(p["name"] and p["downloadLocation"] for p in sbom["packages"])
    assert package["name"] == "mosquitto-jitr" and package["filesAnalyzed"]
    sums = sorted(c["checksumValue"] for f in sbom["files"] for c in f["checksums"]
                  if c["algorithm"] == "SHA1")
    assert package["packageVerificationCode"]["packageVerificationCodeValue"] == hashlib.sha1(
        "".join(sums).encode()).hexdigest()
    assert {x for r in sbom["relationships"] for x in (
        r["spdxElementId"], r["relatedSpdxElement"])} == set(ids)
    assert sbom["relationships"][0]["relationshipType"] == "DESCRIBES"
