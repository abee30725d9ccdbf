"""The house: arrows between modules point down, and no file is a catch-all."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FRONTS = {"streamlit", "gradio", "fastapi"}
LAYERS = {
    3: {"cli", "__main__"},
    2: {
        "__init__", "callbacks", "card", "catalogue", "conditional", "deploy", "evaluate", "examples", "export",
        "extractors", "fidelity", "hub", "hub_errors", "library", "loading", "model", "model_folder", "monitor", "plan",
        "probe", "readable", "reals", "report", "runs", "trainer", "training", "traits", "translate",
    },
    1: {"checkpoint", "recipes"},
    0: {
        "atomic", "augment", "data", "distributed", "double_backward", "edges", "ema", "errors", "fields",
        "figures", "growing", "image_networks", "labels", "latent", "layers", "losses", "metrics", "noise", "pictures",
        "progress", "recipe", "spectral", "train_options", "translation", "version",
    },
}  # fmt: skip
LAYER = {module: layer for layer, modules in LAYERS.items() for module in modules}


def files():
    return sorted((ROOT / "gan_core").rglob("*.py"))


def imports(path):
    """Dotted names that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(path):
    """The module below gan_core that a file belongs to: a top-level file or a package."""
    return path.relative_to(ROOT / "gan_core").parts[0].removesuffix(".py")


def inner_arrows():
    for path in files():
        for name in imports(path):
            parts = name.split(".")
            if parts[0] == "gan_core" and len(parts) > 1:
                is_module = any((ROOT / "gan_core" / f"{parts[1]}{suffix}").exists() for suffix in ("", ".py"))
                target = parts[1] if is_module else "__init__"
                if target != module_of(path):
                    yield path, module_of(path), target


def test_every_module_has_its_layer():
    assert {module_of(path) for path in files()} == set(LAYER)


def test_arrows_point_down():
    upward = [f"{path}: {target}" for path, here, target in inner_arrows() if LAYER[target] > LAYER[here]]
    assert not upward


def test_modules_make_no_circle():
    arrows = {}
    for _, here, target in inner_arrows():
        arrows.setdefault(here, set()).add(target)
    done, path = set(), []

    def visit(module):
        assert module not in path, " -> ".join([*path, module])
        if module not in done:
            path.append(module)
            for target in arrows.get(module, ()):
                visit(target)
            done.add(path.pop())

    for module in list(arrows):
        visit(module)


def test_recipes_import_each_other_only_as_variant_from_parent():
    for path in (ROOT / "gan_core" / "recipes").glob("*.py"):
        bases = {
            ast.unparse(base).split(".")[-1]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ClassDef)
            for base in node.bases
        }
        for name in imports(path):
            if name.startswith("gan_core.recipes."):
                assert name.split(".")[-1] in bases, f"{path}: {name} is imported, but not varied"


@pytest.mark.parametrize("folder", ["gan_core", "tabs", "pages"])
def test_who_may_import_a_front_end(folder):
    for path in (ROOT / folder).rglob("*.py"):
        found = {name.split(".")[0] for name in imports(path)} & FRONTS
        allowed = {"gan_core": set(), "tabs": {"gradio"}, "pages": {"streamlit"}}[folder]
        assert found <= allowed, path


def test_there_is_no_catch_all_file():
    names = {path.stem for path in ROOT.rglob("*.py") if "venv" not in path.parts}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


def test_nothing_is_unpickled():
    for path in files():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"torch.load", "pickle.load", "pickle.loads"}:
                assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords), path
