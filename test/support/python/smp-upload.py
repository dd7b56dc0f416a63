"""Uploads an image with smpclient, starts it on trial, and prints the slots as JSON: PORT IMAGE."""

import asyncio
import json
import sys

from smpclient import SMPClient
from smpclient.generics import success
from smpclient.requests.image_management import ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import EchoWrite, ResetWrite
from smpclient.transport.serial import SMPSerialTransport


async def main(port: str, path: str) -> None:
    with open(path, "rb") as file:
        image = file.read()
    async with SMPClient(SMPSerialTransport(), port) as client:
        echo = await client.request(EchoWrite(d="hello"))
        assert success(echo) and echo.r == "hello", echo
        async for _ in client.upload(image):
            pass
        state = await client.request(ImageStatesRead())
        assert success(state), state
        new = next(slot for slot in state.images if slot.slot == 1)
        assert success(await client.request(ImageStatesWrite(hash=new.hash)))
        assert success(await client.request(ResetWrite()))
        await asyncio.sleep(1.5)
        state = await client.request(ImageStatesRead())
        assert success(state), state
        slots = [
            {"slot": s.slot, "version": s.version, "active": s.active, "confirmed": s.confirmed}
            for s in state.images
        ]
        print(json.dumps(slots))


asyncio.run(main(*sys.argv[1:]))
