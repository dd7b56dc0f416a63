"""A DDI device on rauc-hawkbit's client, whose RAUC is played: it takes whatever was downloaded.

Usage: python ddi_device.py HOST:PORT TENANT ID SECRET FILE. Prints one line per step.
"""

import asyncio
import hashlib
import sys
import types

# The client talks to RAUC by D-Bus; none of that is of interest here.
gi = types.ModuleType("gi")
gi.repository = types.ModuleType("gi.repository")
gi.repository.GLib = types.SimpleNamespace(Error=type("Error", (Exception,), {}))
gi.repository.Gio = types.SimpleNamespace()
sys.modules["gi"], sys.modules["gi.repository"] = gi, gi.repository

import aiohttp  # noqa: E402
from rauc_hawkbit.dbus_client import AsyncDBUSClient  # noqa: E402
from rauc_hawkbit.rauc_dbus_ddi_client import RaucDBUSDDIClient  # noqa: E402

HOST, TENANT, ID, SECRET, FILE = sys.argv[1:6]


def say(*words):
    print(*words, flush=True)


class Rauc:
    """What stands for the service: progress, then the result."""

    def __init__(self, device):
        self.device = device

    def Install(self, _signature, path):
        with open(path, "rb") as file:
            say("installing", hashlib.sha256(file.read()).hexdigest())
        asyncio.ensure_future(self.report())

    async def report(self):
        device = self.device
        for percentage in (0, 50, 100):
            await device.progress_callback(*[None] * 5, (percentage, "installing", 1))
        device.attributes["version.APP"] = "1.1.0"
        await device.complete_callback(*[None] * 5, (0,))


class Device(RaucDBUSDDIClient):
    new_property_subscription = new_signal_subscription = lambda self, *_: None
    cleanup_dbus = lambda self: None

    def new_proxy(self, *_):
        return Rauc(self)

    async def sleep(self, base):
        say("polled", base["config"]["polling"]["sleep"])
        await asyncio.sleep(0.2)


async def main():
    AsyncDBUSClient.__init__ = lambda self: None
    attributes = {"version.APP": "1.0.0"}
    async with aiohttp.ClientSession() as session:
        await Device(
            session,
            HOST,
            False,
            TENANT,
            ID,
            SECRET,
            attributes,
            FILE,
            lambda result: say("completed", result),
        ).start_polling(wait_on_error=1)


asyncio.run(main())
