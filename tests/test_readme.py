"""The README tells the truth: its table, its links, its commands."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import gan_core
from gan_core.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
COMMAND_LINES = [
    line.split("   ")[0].split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.splitlines()
]


def test_the_table_of_recipes_is_the_registrys(capsys):
    main(["list", "--markdown"])
    table = re.search(r"<!-- python -m gan_core list --markdown -->\n(.*?)<!-- end -->", README, re.S)
    assert table.group(1).strip() == capsys.readouterr().out.strip()


def test_every_link_leads_to_a_file():
    for document in [ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "weights" / "README.md"]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("line", [line for line in COMMAND_LINES if line.startswith(("python train", "torchrun"))])
def test_training_commands_parse(line, tmp_path):
    from gan_core.cli.training import planned

    words = shlex.split(line)[1:]
    words = words[words.index("train.py") + 1 :]
    if "--resume" not in words:
        plan, place = planned(words, "train")
        assert plan.run.steps is None or plan.run.steps > 0


def test_module_commands_exist():
    named = {shlex.split(line)[3] for line in COMMAND_LINES if line.startswith("python -m gan_core")}
    assert named and named <= set(COMMANDS)


def test_the_generate_commands_and_the_python_example(tmp_path):
    commands = [line for line in COMMAND_LINES if line.startswith("python generate.py")]
    assert commands
    for command in commands:
        words = [sys.executable, str(ROOT / "generate.py"), *shlex.split(command)[2:]]
        subprocess.run(words, cwd=tmp_path, check=True)
        assert (tmp_path / "samples.png").stat().st_size > 1000
        (tmp_path / "samples.png").unlink()
    code = re.search(r"```python\n(.*?)```", README, re.S).group(1)
    scope = {"gan_core": gan_core}
    exec(code, scope)
    assert scope["images"].shape == (16, 1, 32, 32)


def test_the_translate_commands(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for file in ("sketch.png", "photo.jpg"):
        Image.effect_noise((70, 50), 90).save(file)
    commands = [line for line in COMMAND_LINES if line.startswith("python -m gan_core translate")]
    assert commands
    for command in commands:
        main(shlex.split(command)[3:])
    with Image.open("cloth.png") as cloth, Image.open("twice.png") as twice:
        assert (cloth.size, twice.size) == ((70, 50), (140, 100))


def test_the_first_training_command_of_the_source_works_as_written(tmp_path, monkeypatch, capsys):
    # `--dataset mnist --epochs 100` with what needs no network and little time
    monkeypatch.setenv("GAN_PLAYGROUND_RUNS", str(tmp_path))
    monkeypatch.setattr("gan_core.probe.TIMED", 1)
    main(["train", "--dataset", "digits", "--epochs", "0.02", "--batch_size", "64"])
    assert gan_core.load(tmp_path / "dcgan-digits").training["images_seen"] == 128
