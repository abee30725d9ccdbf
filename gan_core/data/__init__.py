"""Pictures to learn from: embedded sets, sets torchvision downloads, and a person's own folders."""

from gan_core.data.images import ImageData, Images
from gan_core.data.registry import DATASETS, list_datasets, load_data

__all__ = ["DATASETS", "ImageData", "Images", "list_datasets", "load_data"]
