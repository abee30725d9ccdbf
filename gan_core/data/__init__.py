"""Pictures to learn from: embedded sets, sets torchvision downloads, and a person's own folders."""

from gan_core.data.images import Attribute, ImageData, Images, Split
from gan_core.data.registry import DATASETS, DatasetEntry, list_datasets, load_data

__all__ = ["DATASETS", "Attribute", "DatasetEntry", "ImageData", "Images", "Split", "list_datasets", "load_data"]
