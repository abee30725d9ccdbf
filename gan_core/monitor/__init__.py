"""What the losses of a GAN do not tell: `Monitor` looks at a fixed batch, `diagnose` says what the numbers mean."""

from gan_core.monitor.diagnosis import advice, diagnose, findings
from gan_core.monitor.look import Monitor

__all__ = ["Monitor", "advice", "diagnose", "findings"]
