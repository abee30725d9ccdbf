"""Several processes, one training: the three things they do together."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn


@dataclass(frozen=True)
class Processes:
    """This process's place among those that torchrun started.

    Attributes:
        rank: 0 writes to disk and speaks.
        world: Their number.
        restarts: How often torchrun has restarted them.
    """

    rank: int = 0
    world: int = 1
    restarts: int = 0

    @property
    def is_main(self) -> bool:
        return self.rank == 0


@contextlib.contextmanager
def processes(device_type: str) -> Iterator[Processes]:
    """Joins the process group that torchrun's environment describes; alone, there is none to join."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world == 1:
        yield Processes()
        return
    if device_type == "cuda":
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if device_type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), world, int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")))
        dist.barrier()  # gloo aborts a process whose partner leaves while they still talk
    finally:
        dist.destroy_process_group()


@contextlib.contextmanager
def main_first(who: Processes) -> Iterator[None]:
    """Rank 0 goes through the block before the others do: downloads and caches are made once."""
    if not who.is_main:
        dist.barrier()
    yield
    if who.is_main and who.world > 1:
        dist.barrier()


def from_main(text: str, who: Processes) -> str:
    """Rank 0's text, on every rank; sent as bytes, since torch's own way to send objects unpickles them."""
    if who.world == 1:
        return text
    device = "cuda" if dist.get_backend() == "nccl" else "cpu"
    length = torch.tensor(len(text.encode()), device=device)
    dist.broadcast(length, src=0)
    sent = torch.zeros(int(length), dtype=torch.uint8, device=device)
    if who.is_main:
        sent.copy_(torch.tensor(list(text.encode()), dtype=torch.uint8))
    dist.broadcast(sent, src=0)
    return bytes(sent.tolist()).decode()


def any_of(flag: bool, who: Processes) -> bool:
    """Whether the flag is set on any rank: they stop together or wait for each other for ever."""
    if who.world == 1:
        return flag
    total = torch.tensor(int(flag), device="cuda" if dist.get_backend() == "nccl" else "cpu")
    dist.all_reduce(total)
    return bool(total.item())


def weights_agree(nets: nn.Module, who: Processes) -> bool:
    """Whether every process holds rank 0's parameters, to the last bit."""
    if who.world == 1:
        return True
    ours = torch.cat([p.detach().flatten() for p in nets.parameters()])
    theirs = ours.clone()
    dist.broadcast(theirs, src=0)
    return not any_of(not torch.equal(ours, theirs), who)


def average_gradients(parameters: Iterable[nn.Parameter], who: Processes) -> None:
    """Replaces each gradient by its mean over all processes, in one all_reduce of the flattened gradients.

    The networks are not wrapped in DistributedDataParallel: two forwards before one backward, batch statistics and
    several networks in one loss are everyday here and break its hooks.
    """
    if who.world == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= who.world
    for gradient, mean in zip(gradients, torch.split(flat, [g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
