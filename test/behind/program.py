"""The service the tests of the whole product stand behind the gateway: says who it is, falls ill on request, echoes, counts and pours bytes."""
import asyncio, base64, hashlib, json, os, tempfile, time

WORD = os.environ.get("WORD", "")
ME = os.urandom(4).hex()
ill = {"status": 200, "until": 0.0}


async def deaf(server, ms):
    """Nobody listens for so long; what asks how it is (port 8081) is still answered."""
    server["web"].close()
    await asyncio.sleep(ms / 1000)
    await listen(server)


async def listen(server):
    server["web"] = await asyncio.start_server(
        lambda reader, writer: serve(reader, writer, server), "0.0.0.0", 8080, limit=1 << 20, backlog=512
    )


def head(status, length, kind="application/json"):
    return f"HTTP/1.1 {status} X\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n".encode()


async def echo(reader, writer, headers):
    key = headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
    accept = base64.b64encode(hashlib.sha1(key.encode()).digest()).decode()
    lines = ["HTTP/1.1 101 X", "upgrade: websocket", "connection: upgrade", f"sec-websocket-accept: {accept}"]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    while True:
        first, size = await reader.readexactly(2)
        size &= 127
        if size == 126:
            size = int.from_bytes(await reader.readexactly(2), "big")
        mask = await reader.readexactly(4)
        text = bytes(byte ^ mask[at % 4] for at, byte in enumerate(await reader.readexactly(size)))
        if first & 15 == 8:
            writer.write(b"\x88\x00")
            return
        said = f"{WORD} {ME} {text.decode()}".encode()
        writer.write(bytes([0x81, len(said)]) + said)


async def serve(reader, writer, server):
    try:
        while True:
            lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = lines[0].split(" ")
            headers = {}
            for line in lines[1:-2]:
                name, _, value = line.partition(":")
                headers[name.lower()] = value.strip()
            path, _, query = target.partition("?")
            asked = dict(pair.split("=") for pair in query.split("&") if "=" in pair)
            left = int(headers.get("content-length", "0"))
            taken = left
            while left > 0:
                piece = await reader.read(min(left, 1 << 20))
                if not piece:
                    return
                left -= len(piece)
            if path == "/echo":
                return await echo(reader, writer, headers)
            if path == "/pour":
                size = int(asked["bytes"])
                writer.write(head(200, size, "application/octet-stream"))
                await writer.drain()
                # Zeroes that lie nowhere, sent by the kernel.
                with tempfile.TemporaryFile() as nothing:
                    nothing.truncate(size)
                    await asyncio.get_running_loop().sendfile(writer.transport, nothing)
                continue
            if path == "/ill":
                ill.update(status=int(asked["status"]), until=time.monotonic() + int(asked["ms"]) / 1000)
            if path == "/deaf":
                asyncio.ensure_future(deaf(server, int(asked["ms"])))
            is_ill = path == "/" and time.monotonic() < ill["until"]
            body = json.dumps(dict(word=WORD, me=ME, taken=taken)).encode()
            writer.write(head(ill["status"] if is_ill else 200, len(body)) + body)
            await writer.drain()
            if server["web"].is_serving() is False:
                return
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def well(reader, writer):
    try:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head(200, 2, "text/plain") + b"ok")
        await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = {}
    await listen(server)
    await asyncio.start_server(well, "0.0.0.0", 8081)
    await asyncio.Event().wait()


asyncio.run(main())
