"""The tabs meet the same small Hub as the engine does."""

from tests.gan_core.conftest import connect, hub  # noqa: F401  fixtures
