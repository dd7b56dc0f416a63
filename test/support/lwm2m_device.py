"""An LwM2M device on aiocoap: registers, pulls its package block-wise, updates, registers again.

Usage: python lwm2m_device.py coap://HOST:PORT ENDPOINT VERSION. Prints one line per step.
"""

import asyncio
import hashlib
import sys

import aiocoap
from aiocoap import CHANGED, GET, POST, Context, Message, resource

SERVER, ENDPOINT, VERSION = sys.argv[1:4]


def say(*words):
    print(*words, flush=True)


class Text(resource.ObservableResource):
    """One resource as plain text, which can be observed."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def set(self, value):
        self.value = value
        self.updated_state()

    async def render_get(self, request):
        return Message(payload=self.value.encode(), content_format=0)


class PackageUri(Text):
    def __init__(self, device):
        super().__init__("")
        self.device = device

    async def render_put(self, request):
        self.value = request.payload.decode()
        self.device.state.set("0")
        self.device.result.set("0")
        if self.value:
            asyncio.ensure_future(self.device.pull(self.value))
        return Message(code=CHANGED)


class Update(resource.Resource):
    def __init__(self, device):
        super().__init__()
        self.device = device

    async def render_post(self, request):
        asyncio.ensure_future(self.device.update())
        return Message(code=CHANGED)


class Device:
    def __init__(self):
        self.state, self.result, self.version = Text("0"), Text("0"), Text(VERSION)
        self.uri = PackageUri(self)

    async def start(self):
        site = resource.Site()
        site.add_resource(["3", "0", "3"], self.version)
        for number, item in {
            "1": self.uri,
            "2": Update(self),
            "3": self.state,
            "5": self.result,
            "9": Text("0"),
        }.items():
            site.add_resource(["5", "0", number], item)
        self.context = await Context.create_server_context(site, bind=("127.0.0.1", 0))
        await self.register()

    async def register(self):
        uri = f"{SERVER}/rd?ep={ENDPOINT}&lt=300&lwm2m=1.0&b=U"
        request = Message(code=POST, uri=uri, payload=b"</1/0>,</3/0>,</5/0>", content_format=40)
        response = await self.context.request(request).response
        say("registered", response.code.dotted, "/".join(response.opt.location_path))

    async def pull(self, uri):
        self.state.set("1")
        response = await self.context.request(Message(code=GET, uri=uri)).response
        say("downloaded", response.code.dotted, hashlib.sha256(response.payload).hexdigest())
        self.target = uri.rsplit("/", 1)[1]
        self.state.set("2")

    async def update(self):
        self.state.set("3")
        await asyncio.sleep(0.2)
        await self.context.shutdown()
        self.version.value, self.state.value, self.result.value = self.target, "0", "1"
        await self.start()


async def main():
    await Device().start()
    await asyncio.get_running_loop().create_future()


asyncio.run(main())
