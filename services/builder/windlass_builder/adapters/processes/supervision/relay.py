"""A command's input and outputs, passed on to whoever is connected: the builder, or its next life.

While nobody is, or takes what is there, nothing is read, and the command waits: so nothing is lost and nothing grows.
Standard library only: supervisors import this.
"""

import fcntl
import os
import pty
import selectors
import socket
import struct
import termios

_CHUNK = 32 * 1024
_OUT = struct.Struct(">BxxxL")
_IN = struct.Struct(">BL")
_DATA, _END, _SIZE = 0, 1, 2
_WINDOW = struct.Struct(">HH")
_END_OF_FILE = b"\x04"


class Relay:
    """Between one command and one connection at a time. `rows_and_columns` is empty where there is no terminal."""

    def __init__(self, selector: selectors.BaseSelector, rows_and_columns: list[int]) -> None:
        self._selector = selector
        self._terminal = bool(rows_and_columns)
        self._connection: socket.socket | None = None
        self._outgoing = bytearray()
        self._coming = bytearray()
        self._to_input = bytearray()
        self._ends_input = False
        self._said_end = False
        if self._terminal:
            master, slave = pty.openpty()
            self._input: int | None = os.dup(master)
            self._outputs = {master: 1}
            self.command_ends = (slave, slave, slave)
            self._resize(*rows_and_columns)
        else:
            (reading, self._input), out, err = os.pipe(), os.pipe(), os.pipe()
            self._outputs = {out[0]: 1, err[0]: 2}
            self.command_ends = (reading, out[1], err[1])
        for descriptor in (self._input, *self._outputs):
            os.set_blocking(descriptor, False)

    @property
    def drained(self) -> bool:
        """Whether all is passed on, and whoever was connected has let go; until then what they send is thrown away.

        Were the connection closed under their hands, they would lose what they have not read yet.
        """
        return self._connection is None

    def begun(self) -> None:
        """Let go of the ends that the command has now."""
        for descriptor in set(self.command_ends):
            os.close(descriptor)

    def connect(self, connection: socket.socket) -> None:
        """Pass everything on to this connection from now on; one that was there before is closed."""
        self.disconnect()
        connection.settimeout(0)
        self._connection = connection
        self._watch()

    def disconnect(self) -> None:
        if self._connection is None:
            return
        self._unwatch(self._connection)
        self._connection.close()
        self._connection = None
        self._outgoing.clear()
        self._coming.clear()
        self._watch()

    def _watch(self) -> None:
        """Have the selector tell of what can be passed on now."""
        listened = self._connection is not None
        for output in self._outputs:
            self._wish(output, selectors.EVENT_READ if listened and not self._outgoing else 0, self._read_output)
        if self._input is not None:
            self._wish(self._input, selectors.EVENT_WRITE if self._to_input else 0, self._write_input)
        if self._connection is not None:
            if not self._outputs:
                self._to_input.clear()
            if not self._outputs and not self._outgoing and not self._said_end:
                self._said_end = True
                self._connection.shutdown(socket.SHUT_WR)
            reads = selectors.EVENT_READ if len(self._to_input) < _CHUNK else 0
            writes = selectors.EVENT_WRITE if self._outgoing else 0
            self._wish(self._connection, reads | writes, self._move)

    def _wish(self, file: int | socket.socket, events: int, call: object) -> None:
        known = file in self._selector.get_map()
        if events and known:
            self._selector.modify(file, events, call)
        elif events:
            self._selector.register(file, events, call)
        elif known:
            self._selector.unregister(file)

    def _unwatch(self, file: int | socket.socket) -> None:
        self._wish(file, 0, None)

    def _read_output(self, descriptor: int) -> None:
        if descriptor not in self._outputs:
            return
        try:
            data = os.read(descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # what a terminal says whose last program has ended
            data = b""
        if data:
            self._outgoing += _OUT.pack(self._outputs[descriptor], len(data)) + data
        else:
            self._unwatch(descriptor)
            del self._outputs[descriptor]
            os.close(descriptor)
        self._flush()
        self._watch()

    def _move(self, _: int) -> None:
        self._flush()
        self._receive()
        self._watch()

    def _flush(self) -> None:
        if self._connection is None or not self._outgoing:
            return
        try:
            sent = self._connection.send(self._outgoing)
        except BlockingIOError:
            return
        except OSError:
            self.disconnect()
            return
        del self._outgoing[:sent]

    def _receive(self) -> None:
        if self._connection is None or len(self._to_input) >= _CHUNK:
            return
        try:
            data = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.disconnect()
            return
        self._coming += data
        while len(self._coming) >= _IN.size:
            kind, length = _IN.unpack_from(self._coming)
            if len(self._coming) < _IN.size + length:
                break
            self._obey(kind, bytes(self._coming[_IN.size : _IN.size + length]))
            del self._coming[: _IN.size + length]
        self._write_input(0)

    def _obey(self, kind: int, data: bytes) -> None:
        if kind == _SIZE and self._terminal:
            self._resize(*_WINDOW.unpack(data))
        elif kind == _DATA and self._input is not None:
            self._to_input += data
        elif kind == _END and self._terminal:
            self._to_input += _END_OF_FILE
        elif kind == _END:
            self._ends_input = True

    def _write_input(self, _: int) -> None:
        if self._input is None:
            return
        try:
            if self._to_input:
                del self._to_input[: os.write(self._input, self._to_input)]
        except BlockingIOError:
            return
        except OSError:  # the command takes no more
            self._to_input.clear()
            self._ends_input = True
        if self._ends_input and not self._to_input:
            self._unwatch(self._input)
            os.close(self._input)
            self._input = None
        self._watch()

    def _resize(self, rows: int, columns: int) -> None:
        if self._outputs:
            fcntl.ioctl(next(iter(self._outputs)), termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
