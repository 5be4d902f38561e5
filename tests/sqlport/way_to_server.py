"""A way to a PostgreSQL server that a test can cut, as if the server were away, and mend."""

import asyncio
import contextlib
import socket
from urllib.parse import parse_qsl, urlsplit


class WayToServer:
    """A port of this machine behind which a server's socket is; refused while it is cut.

    While ``flowing`` is not set, connections stay and nothing comes through.
    """

    def __init__(self, url):
        parts = urlsplit(url)
        parameters = [text for text in parts.query.split("&") if not text.startswith("host=")]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._socket = f"{dict(parse_qsl(parts.query))['host']}/.s.PGSQL.5432"
        query = "&".join([*parameters, "sslmode=disable", "gssencmode=disable"])
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}{parts.path}?{query}"
        self._listening = None
        self._writers = set()
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._passing = set()

    async def mend(self):
        """Let connections through."""
        self._listening = await asyncio.start_server(
            self._connect, "127.0.0.1", self._port, reuse_address=True
        )

    async def cut(self):
        """End all connections, and refuse new ones."""
        self.flowing.set()
        self._listening.close()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.gather(*self._passing)
        self._writers.clear()

    async def _connect(self, reader, writer):
        self._passing.add(asyncio.current_task())
        asyncio.current_task().add_done_callback(self._passing.discard)
        with contextlib.suppress(ConnectionError):
            server_reader, server_writer = await asyncio.open_unix_connection(self._socket)
            self._writers |= {writer, server_writer}
            await asyncio.gather(
                self._pass_on(reader, server_writer), self._pass_on(server_reader, writer)
            )

    async def _pass_on(self, reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                await self.flowing.wait()
                writer.write(data)
                await writer.drain()
        writer.close()
