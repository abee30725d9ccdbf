"""DCGAN training as a textbook writes it, to compare with: fp32, a DataLoader, one loop."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


class Pictures(Dataset[torch.Tensor]):
    """The pictures of a flat folder, decoded and transformed whenever they are asked for."""

    def __init__(self, folder: Path, image_size: int) -> None:
        self.files = sorted(folder.iterdir())
        self.transform = transforms.Compose(
            [
                transforms.Resize(image_size),
                transforms.CenterCrop(image_size),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * 3, (0.5,) * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> torch.Tensor:
        pixels: torch.Tensor = self.transform(Image.open(self.files[index]).convert("RGB"))
        return pixels


def of_files(folder: Path, image_size: int, batch_size: int) -> DataLoader[torch.Tensor]:
    """Batches of a folder's pictures.

    The loader has no worker processes: reading a batch takes 40 ms of a step of more than a second, and workers would
    take cores from whoever else is measured, and read ahead in the other's turn.
    """
    return DataLoader(Pictures(folder, image_size), batch_size, shuffle=True, drop_last=True)


def in_memory(images: torch.Tensor, batch_size: int) -> DataLoader[torch.Tensor]:
    """Batches of pictures [N, C, H, W] uint8, brought to [-1, 1] once for all: the fastest that a tutorial has."""
    scaled: Any = images / 127.5 - 1
    return DataLoader(scaled, batch_size, shuffle=True, drop_last=True)


def textbook_steps(
    generator: nn.Module, critic: nn.Module, loader: DataLoader[torch.Tensor], latent_dim: int
) -> Iterator[None]:
    """Trains as it is iterated: every `next` is one update of the critic and one of the generator.

    The pictures are made once a step and shared by both updates, as tutorials do; that saves a forward of the
    generator that the playground's trainer spends.
    """
    batch_size = loader.batch_size or 1
    criterion = nn.BCEWithLogitsLoss()
    optimizer_d = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
    optimizer_g = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    ones, zeros = torch.ones(batch_size), torch.zeros(batch_size)
    while True:
        for real in loader:
            fake = generator(torch.randn(batch_size, latent_dim))

            optimizer_d.zero_grad()
            criterion(critic(real), ones).backward()
            criterion(critic(fake.detach()), zeros).backward()
            optimizer_d.step()

            optimizer_g.zero_grad()
            criterion(critic(fake), ones).backward()
            optimizer_g.step()
            yield
