"""The one training loop: it executes what a recipe declares."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor, nn

from gan_core.data import Images
from gan_core.distributed import Processes, any_of, average_gradients, weights_agree
from gan_core.ema import EMA
from gan_core.errors import UsageError
from gan_core.examples import Examples
from gan_core.layers import memory_format
from gan_core.model import Model
from gan_core.recipe import Phase, Recipe

Callback = Callable[["Trainer"], None]
Precision = Literal["fp32", "bf16"]  # no fp16: its loss scaling and gradient penalties do not mix


class Trainer:
    """Trains a recipe's networks on images; everything it does is reproducible from its arguments.

    The random state of a step follows from (seed, rank, step) and the order of the data from (seed, images seen), so
    a checkpoint holds neither: with the same threads, torch and processor, an interrupted run continues bit for bit.

    Args:
        recipe: With a resolved config.
        data: Images of the recipe's size and channels.
        seed: Of initial weights, data order and noise.
        device: Where to train.
        precision: "fp32", or "bf16" for autocast.
        processes: This process's place among several.
        callbacks: Called in order after every step.
        examples: What a model that translates is shown with.

    Attributes:
        nets: The networks as trained.
        ema: Their averaged generators.
        step: Steps done.
        images_seen: Real images consumed, by all processes together.
        seconds: Spent in steps so far, over all sessions of the run.
        logs: The last value of every term and watched number, `<phase>/<name>`.
    """

    def __init__(
        self,
        recipe: Recipe,
        data: Images,
        *,
        seed: int = 0,
        device: torch.device | str = "cpu",
        precision: str = "fp32",
        processes: Processes | None = None,
        callbacks: Sequence[Callback] = (),
        examples: Examples | None = None,
    ) -> None:
        if precision not in get_args(Precision):
            raise UsageError(f"precision is {precision!r}; it takes {' or '.join(get_args(Precision))}.")
        self.recipe, self.data, self.seed = recipe, data, seed
        self.device, self.precision = torch.device(device), precision
        self.processes = processes or Processes()
        self.callbacks = list(callbacks)
        self.examples = examples

        torch.manual_seed(seed)  # the same first weights on every rank
        self.nets = recipe.build().to(self.device)
        self.memory_format = memory_format(self.nets)
        self.nets.to(memory_format=self.memory_format)
        generators = nn.ModuleDict({name: self.nets[name] for name in recipe.generators})
        self.ema = EMA(generators, recipe.options.ema_half_life)
        self.optimizers = {
            phase.nets: recipe.optimizer(phase, self.parameters(phase)) for phase in reversed(recipe.phases)
        }
        self.step = self.images_seen = 0
        self.seconds = 0.0
        self.logs: dict[str, Tensor] = {}
        self._stop = False

    def parameters(self, phase: Phase) -> list[nn.Parameter]:
        """The parameters that a phase updates."""
        return list(chain.from_iterable(self.nets[name].parameters() for name in phase.nets))

    def stop(self) -> None:
        """Asks for an end after the current step."""
        self._stop = True

    @property
    def stopping(self) -> bool:
        """Whether any process has asked for an end."""
        return any_of(self._stop, self.processes)

    def run(self, steps: int) -> None:
        """Trains until `steps` steps are done in total, or until asked to stop.

        Raises:
            FloatingPointError: A loss is not finite; step, phase and terms are named.
            RuntimeError: Several processes have ended with different weights.
        """
        who = self.processes
        batches = self.data.batches(
            self.recipe.options.batch_size, seed=self.seed, start=self.images_seen, rank=who.rank, world=who.world
        )
        while self.step < steps and not self.stopping:
            began, seen_before = time.perf_counter(), self.images_seen
            torch.manual_seed(int(np.random.SeedSequence((self.seed, who.rank, self.step)).generate_state(1)[0]))
            batch = None
            for phase in self.recipe.phases:
                if self.step % phase.every:
                    continue
                for repeat in range(phase.repeats):
                    if batch is None or repeat:  # n_critic: every repeat sees fresh images
                        batch = next(batches).to(self.device, self.memory_format)
                        self.images_seen += len(batch.images) * who.world
                    self.update(phase, batch)
            self.ema.update(self.nets, self.images_seen - seen_before, self.images_seen)
            self.step += 1
            self.seconds += time.perf_counter() - began
            for callback in self.callbacks:
                callback(self)
        if not weights_agree(self.nets, who):
            raise RuntimeError(f"step {self.step}: the {who.world} processes hold different weights")

    def update(self, phase: Phase, batch: Any) -> None:
        """One optimizer step of one phase; none where it has no losses."""
        for name, net in self.nets.items():
            net.train().requires_grad_(name in phase.nets)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            losses = self.recipe.losses(phase.name, self.nets, batch, self.images_seen)
        if not losses:
            return
        total = torch.stack(list(losses.values())).sum()
        if not total.isfinite():
            terms = ", ".join(f"{name} = {value.item():g}" for name, value in losses.items())
            raise FloatingPointError(f"step {self.step}, phase {phase.name}: the loss is not finite ({terms})")
        optimizer = self.optimizers[phase.nets]
        for group in optimizer.param_groups:
            group.update(self.recipe.schedule(phase, self.images_seen))
        optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        average_gradients(self.parameters(phase), self.processes)
        optimizer.step()
        self.recipe.after_update(phase.name, self.nets)
        watched, self.recipe.watched = self.recipe.watched, {}
        self.logs |= {f"{phase.name}/{name}": value.detach() for name, value in (losses | watched).items()}

    def model(self, **training: Any) -> Model:
        """The averaged generators as they are now, settled, and the critics, whose memory the model shares."""
        generators = copy.deepcopy(self.ema.nets)
        self.recipe.settle(generators)
        critics = nn.ModuleDict({name: net for name, net in self.nets.items() if name not in self.recipe.generators})
        facts = {"images_seen": self.images_seen, "steps": self.step, "seconds": round(self.seconds, 1)}
        classes = None if self.recipe.num_classes is None else self.data.classes
        return Model(
            self.recipe, generators, critics, classes=classes, examples=self.examples, training=training | facts
        )

    def state_dict(self) -> dict[str, Any]:
        """Everything a run needs to continue."""
        return {
            "nets": self.nets.state_dict(),
            "ema": self.ema.nets.state_dict(),
            "optimizers": {"+".join(nets): optimizer.state_dict() for nets, optimizer in self.optimizers.items()},
            "recipe": self.recipe.state_dict(),
            "step": self.step,
            "images_seen": self.images_seen,
            "seconds": self.seconds,
            "images": len(self.data),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continues where `state_dict` was taken.

        Raises:
            UsageError: The networks or the data are not those of the state.
        """
        if (now := len(self.data)) != (then := state["images"]):
            raise UsageError(f"The data had {then:,} pictures and has {now:,} now: a resumed run needs those it had.")
        try:
            self.nets.load_state_dict(state["nets"])
        except RuntimeError:
            raise UsageError(
                "The checkpoint holds networks of another size: the pictures are not what they were."
            ) from None
        self.ema.nets.load_state_dict(state["ema"])
        for nets, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"]["+".join(nets)])
        self.recipe.load_state_dict(state["recipe"])
        self.step, self.images_seen, self.seconds = state["step"], state["images_seen"], state["seconds"]
