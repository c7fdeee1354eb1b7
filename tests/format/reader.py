#!/usr/bin/env python3
"""Restores a snapshot of a TARzan repository, written from docs/FORMAT.md alone and sharing no code with TARzan.

    reader.py REPOSITORY BUNDLE.json INDEX.json [--stream FILE] [--names FILE]

BUNDLE.json is what a key slot holds: a full key restores the stream, a list key writes names only. --names writes the raw
name of every entry as a line of hex. Needs the packages blake3, cryptography and zstandard, and age 1.3 or later (the
environment variable AGE may name it). Exit code 0: everything that was read passed every check of the document.
"""
import argparse
import base64
import hashlib
import hmac
import json
import os
import re
import struct
import subprocess
import sys
import tempfile
from collections import OrderedDict
from pathlib import Path

import zstandard
from blake3 import blake3
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KIB, MIB, GIB = 2**10, 2**20, 2**30
BIGGEST = 2**53 - 1
NOTHING = bytes(32)
STAMP = re.compile(
    r"[0-9]{4}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]Z-[0-9a-f]{8}"
)


class Damage(Exception):
    """Bytes are not what was written."""


class Unsupported(Exception):
    """Written by something newer."""


def need(condition, why):
    if not condition:
        raise Damage(why)


# Keys


def derive(secret, label, salt=b"", length=32):
    """HKDF-SHA-256 (RFC 5869) with the info "tarzan v1 " + label."""
    key = hmac.digest(salt or bytes(32), secret, "sha256")
    info, out, block, i = b"tarzan v1 " + label.encode(), b"", b"", 0
    while len(out) < length:
        i += 1
        block = hmac.digest(key, block + info + bytes([i]), "sha256")
        out += block
    return out[:length]


def identity_text(seed):
    """A seed as an age identity: Bech32 with the prefix age-secret-key-pq-, in upper case."""
    prefix = "age-secret-key-pq-"
    number = int.from_bytes(seed, "big") << 4
    digits = [number >> 5 * i & 31 for i in reversed(range(52))]
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + digits
    check = 1
    for value in values + [0] * 6:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for i, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> i & 1 else 0
    check ^= 1
    digits += [check >> 5 * i & 31 for i in reversed(range(6))]
    return (prefix + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[digit] for digit in digits)).upper()


def stanza_types(file, what):
    """The types of the stanzas of a binary age file."""
    header = file[: 16 * KIB]
    end = header.find(b"\n---")
    need(header.startswith(b"age-encryption.org/v1\n") and end > 0, f"{what} is no age file")
    return [line.split(b" ")[1] for line in header[:end].split(b"\n") if line.startswith(b"-> ")]


def age_open(file, identity, what):
    types = stanza_types(file, what)
    if types != [b"mlkem768x25519"]:
        raise Unsupported(f"{what} is sealed by {types}")
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as key:
        key.write(identity + "\n")
        key.flush()
        command = [os.environ.get("AGE", "age"), "-d", "-i", key.name]
        done = subprocess.run(command, input=file, capture_output=True)
    need(done.returncode == 0, f"age does not open {what}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout


class Keys:
    """What a bundle gives; body keys and the data identity are None for a list key."""

    def __init__(self, bundle):
        need(bundle.get("format") == "tarzan key", "this is no key of TARzan")
        check_version(bundle, "the key")
        self.role = bundle["role"]
        self.repository = bundle["repository"]
        self.config = bundle["config"]
        need(json.loads(self.config)["repository"] == self.repository, "the key contradicts itself")
        if self.role == "full":
            root = bytes.fromhex(bundle["root"])
            self.shapes, self.bodies = derive(root, "shapes"), derive(root, "bodies")
            self.meta_identity = identity_text(derive(root, "meta identity 1"))
            self.data_identity = identity_text(derive(root, "data identity 1"))
        elif self.role == "list":
            self.shapes, self.bodies = bytes.fromhex(bundle["shapes"]), None
            self.meta_identity, self.data_identity = bundle["metaIdentity"], None
        else:
            raise Unsupported(f"a key of the role {self.role} reads nothing")

    def shape(self, domain, label):
        return derive(derive(self.shapes, domain), label)

    def data_id(self, domain):
        return None if self.bodies is None else derive(derive(self.bodies, domain), "data id")


def check_version(members, what):
    version, requires = members.get("version"), members.get("requires")
    need(isinstance(version, int) and version >= 1 and isinstance(requires, list), f"{what} has no version")
    if version > 1 or requires:
        raise Unsupported(f"{what} is of version {version} and requires {requires}")


def signed_json(file, key, what):
    """The members of a signed JSON object."""
    need(len(file) <= 256 * MIB, f"{what} is too long")
    match = re.fullmatch(rb',"mac":"([0-9a-f]{64})"}\n', file[-75:])
    need(match, f"{what} does not end with a MAC")
    mac = hmac.digest(key, file[:-75], "sha256").hex().encode()
    need(hmac.compare_digest(mac, match[1]), f"the MAC of {what} is wrong")
    members = parse(file[:-75] + b"}", what)
    check_version(members, what)
    return members


def parse(text, what):
    try:
        members = json.loads(text.decode())
    except ValueError:
        raise Damage(f"{what} is not JSON") from None
    need(isinstance(members, dict), f"{what} is no JSON object")
    return members


# Bricks and ledger


class Toc:
    """Blocks as (offset, sealed length, raw length, chunk lengths and ids); offsets count from the end of the header."""

    def __init__(self, plain, what):
        need(len(plain) >= 8, f"the toc of {what} is cut short")
        blocks, chunks = struct.unpack_from("<II", plain)
        end = 8 + 12 * blocks + 36 * chunks
        need(blocks <= 65536, f"{what} has too many blocks")
        need(len(plain) + 16 == round_up(end + 16, 4 * KIB), f"the toc of {what} has a wrong length")
        need(not any(plain[end:]), f"the toc of {what} does not end in zeros")
        self.bytes = plain[:end]
        self.blocks = []
        self.sealed_bytes = 0
        at = 8 + 12 * blocks
        for i in range(blocks):
            sealed, raw, count = struct.unpack_from("<III", plain, 8 + 12 * i)
            need(1 <= count <= (end - at) // 36, f"blocks and chunks of {what} do not add up")
            need(raw <= 17 * MIB and 18 <= sealed <= 17 + raw, f"a block of {what} has an impossible length")
            records = [(plain[j : j + 32], u32(plain, j + 32)) for j in range(at, at + 36 * count, 36)]
            need(all(1 <= length <= 16 * MIB for _, length in records), f"a chunk of {what} has an impossible length")
            need(sum(length for _, length in records) == raw, f"the chunks of a block of {what} do not add up")
            self.blocks.append((self.sealed_bytes, sealed, raw, records))
            self.sealed_bytes += sealed
            at += 36 * count
        need(at == end, f"{what} has chunks in no block")


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def round_up(number, step):
    return -(-number // step) * step


def file_size(least):
    exponent = least.bit_length() - 1
    step = min(MIB, max(64 * KIB, 1 << max(0, exponent - exponent.bit_length())))
    return round_up(least, step)


class Brick:
    """A brick in the store. Opens blocks; `check` looks at everything else in the file."""

    def __init__(self, repository, name, kind, domain):
        self.path = repository.path / ("bricks" if kind == "D" else "meta") / name[:2] / name
        self.name, self.kind, self.domain, self.keys = name, kind, domain, repository.keys
        need(self.path.is_file() and not self.path.is_symlink(), f"brick {name} is missing")
        self.size = self.path.stat().st_size
        need(self.size <= 8 * GIB, f"brick {name} is too long")
        start = self.read(0, 32)
        need(len(start) == 32 and start[:7] == b"TARZANB", f"{name} is no brick")
        # A ledger record of type 1 says version 1, so another digit is damage here.
        need(start[7:8] == b"1", f"brick {name} has another version than the ledger says")
        n = u32(start, 12)
        need(1 <= n <= 16 * KIB, f"the key of brick {name} has an impossible length")
        header = self.read(0, 64 + n)
        need(len(header) == 64 + n, f"brick {name} is cut short")
        self.header_bytes = 64 + n
        self.mac = header[-32:]
        mac = hmac.digest(self.keys.shape(domain, "mac brick"), header[:-32], "sha256")
        need(hmac.compare_digest(mac, self.mac), f"the header of brick {name} is forged or damaged")
        if header[8:9] not in (b"D", b"M") or any(header[9:12]):
            raise Unsupported(f"brick {name} is of an unknown kind")
        need(header[8:9] == kind.encode(), f"brick {name} is of another kind")
        need(header[16:32].hex() == domain, f"brick {name} is of another domain")
        self.age_file = header[32:-32]
        self.toc_key = AESGCM(derive(self.keys.shape(domain, "toc"), "toc", self.mac))
        self.block_key = None

    def read(self, at, length):
        with open(self.path, "rb") as file:
            file.seek(at)
            return file.read(length)

    def toc(self):
        """The toc in the brick itself."""
        trailer = self.read(self.size - 12, 12)
        need(trailer[4:] == b"TARZANE1", f"brick {self.name} does not end as a brick")
        length = u32(trailer, 0)
        at = self.size - 12 - length
        need(length <= 64 * MIB and at >= self.header_bytes, f"the toc of brick {self.name} does not fit")
        plain = unseal(self.toc_key, bytes(12), self.read(at, length), self.mac + b"T", f"toc of {self.name}")
        toc = Toc(plain, f"brick {self.name}")
        least = self.header_bytes + toc.sealed_bytes + 16 + length + 12
        need(self.size == file_size(least), f"the parts of brick {self.name} do not add up")
        return toc

    def check(self, toc):
        """Name, toc and padding of the file: everything but the blocks."""
        digest = hashlib.sha256()
        with open(self.path, "rb") as file:
            while piece := file.read(MIB):
                digest.update(piece)
        need(digest.hexdigest() == self.name, f"brick {self.name} was altered")
        own = self.toc()
        need(own.bytes == toc.bytes, f"brick {self.name} holds other chunks than the ledger says")
        at = self.header_bytes + own.sealed_bytes
        length = self.size - 12 - u32(self.read(self.size - 12, 4), 0) - at
        nonce = struct.pack("<I", 1) + bytes(8)
        zeros = unseal(self.toc_key, nonce, self.read(at, length), self.mac + b"P", f"padding of {self.name}")
        need(not any(zeros), f"the padding of brick {self.name} is not zero")

    def block(self, toc, number):
        offset, sealed, raw, _ = toc.blocks[number]
        what = f"block {number} of brick {self.name}"
        if self.block_key is None:
            identity = self.keys.data_identity if self.kind == "D" else self.keys.meta_identity
            self.block_key = AESGCM(age_open(self.age_file, identity, f"the key of brick {self.name}"))
        place = struct.pack("<I", number)
        frame = self.read(self.header_bytes + offset, sealed)
        packed = unseal(self.block_key, place + bytes(8), frame, self.mac + b"B" + place, what)
        return unpack(packed, raw, what)


def unseal(key, nonce, frame, associated, what):
    need(len(frame) >= 16, f"{what} is cut short")
    try:
        return key.decrypt(nonce, frame, associated)
    except InvalidTag:
        raise Damage(f"{what} does not open") from None


def unpack(packed, raw, what):
    codec, payload = packed[0], packed[1:]
    if codec == 0:
        need(len(payload) == raw, f"{what} has another length")
        return payload
    if codec != 1:
        raise Unsupported(f"{what} has the codec {codec}")
    need(payload[:4] == b"\x28\xb5\x2f\xfd", f"{what} is no zstd frame")
    frame = zstandard.get_frame_parameters(payload)
    need(frame.content_size == raw, f"{what} has another content size")
    need(frame.dict_id == 0 and frame.window_size <= 128 * MIB, f"{what} is no frame of TARzan")
    decompressor = zstandard.ZstdDecompressor().decompressobj()
    data = decompressor.decompress(payload)
    need(decompressor.eof and decompressor.unused_data == b"", f"{what} is not one whole frame")
    need(len(data) == raw, f"{what} gives another length")
    return data


class Ledger:
    """Every brick that the ledger of a domain tells of, in ledger order, and where each chunk is."""

    def __init__(self, repository, domain):
        self.tocs = OrderedDict()
        self.places = {}
        key = repository.keys.shape(domain, "ledger")
        folder = repository.path / "ledger" / domain
        for path in sorted(folder.iterdir() if folder.is_dir() else []):
            if not STAMP.fullmatch(path.name) or path.is_symlink() or not path.is_file():
                continue
            try:
                need(path.stat().st_size <= 256 * MIB, f"ledger object {path.name} is too long")
                self.take(path.read_bytes(), f"ledger/{domain}/{path.name}", domain, key)
            except (Damage, Unsupported) as problem:
                print(f"warning: {problem}", file=sys.stderr)

    def take(self, file, name, domain, key):
        frame = file[64:]
        need(file[:7] == b"TARZANL" and len(frame) > 0 and len(frame) % 4096 == 0, f"{name} is no ledger object")
        if file[7:8] in b"23456789":
            raise Unsupported(f"{name} is of a newer version")
        need(file[7:8] == b"1" and file[16:32].hex() == domain, f"{name} is of another domain")
        sealer = AESGCM(derive(key, "ledger", file[32:64]))
        plain = unseal(sealer, bytes(12), frame, file[:64] + name.encode(), name)
        if any(file[8:16]):
            raise Unsupported(f"{name} uses reserved bits")
        found, at = [], 0
        while at + 8 <= len(plain) and plain[at + 4] != 0:
            length, kind, reserved = u32(plain, at), plain[at + 4], plain[at + 5 : at + 8]
            payload = plain[at + 8 : at + 8 + length]
            need(len(payload) == length, f"a record of {name} reaches past its end")
            if kind not in (1, 4) or any(reserved):
                raise Unsupported(f"{name} has a record of type {kind}")
            if kind == 1:
                found.append(self.brick(payload, name))
            else:
                need(length == 32, f"a record of {name} has a wrong length")
            at += 8 + length
        need(not any(plain[at:]), f"{name} does not end in zeros")
        for brick, kind, size, toc in found:
            if brick in self.tocs:
                continue
            self.tocs[brick] = (kind, size, toc)
            for number, (_, _, _, records) in enumerate(toc.blocks):
                at = 0
                for chunk, length in records:
                    self.places.setdefault((kind, chunk), []).append((brick, number, at, length))
                    at += length

    def brick(self, payload, name):
        need(len(payload) >= 80, f"a record of {name} is cut short")
        kind = payload[72:73].decode("latin-1")
        if kind not in "DM" or any(payload[73:80]):
            raise Unsupported(f"{name} has a brick of kind {kind}")
        brick = payload[:32].hex()
        size = struct.unpack_from("<Q", payload, 64)[0]
        need(size <= 8 * GIB, f"brick {brick} is said to be too long")
        return brick, kind, size, Toc(payload[80:], f"brick {brick} in {name}")


class Repository:
    """A repository in a directory, and the chunks of one of its domains."""

    def __init__(self, path, keys, domain):
        self.path, self.keys, self.domain = Path(path), keys, domain
        config = self.path / "tarzan.json"
        need(not config.exists() or config.read_text() == keys.config, "tarzan.json is not that of the key")
        self.ledger = Ledger(self, domain)
        self.id_keys = {"M": keys.shape(domain, "meta id"), "D": keys.data_id(domain)}
        self.bricks = {}
        self.blocks = OrderedDict()

    def chunk(self, kind, wanted, length=None):
        """A chunk by its id, from the first brick that gives it intact."""
        problem = Damage(f"chunk {wanted.hex()} is in no brick")
        for brick, block, at, stored in self.ledger.places.get((kind, wanted), []):
            try:
                data = self.block(brick, block)[at : at + stored]
                need(blake3(data, key=self.id_keys[kind]).digest() == wanted, f"a chunk of brick {brick} is damaged")
                need(length is None or length == stored, f"chunk {wanted.hex()} has another length than its record")
                return data
            except Damage as found:
                problem = found
        raise problem

    def block(self, name, number):
        if (name, number) not in self.blocks:
            kind, size, toc = self.ledger.tocs[name]
            if name not in self.bricks:
                brick = Brick(self, name, kind, self.domain)
                need(brick.size == size, f"brick {name} has another length than the ledger says")
                brick.check(toc)
                self.bricks[name] = brick
            self.blocks[name, number] = self.bricks[name].block(toc, number)
            if len(self.blocks) > 32:
                self.blocks.popitem(last=False)
        else:
            self.blocks.move_to_end((name, number))
        return self.blocks[name, number]


# Recipes


class Reader:
    """Numbers and bytes out of a recipe."""

    def __init__(self, data, what):
        self.data, self.at, self.what = data, 0, what

    @property
    def done(self):
        return self.at == len(self.data)

    def bytes(self, length):
        need(length <= len(self.data) - self.at, f"{self.what} is cut short")
        self.at += length
        return self.data[self.at - length : self.at]

    def number(self):
        value = 0
        for i in range(8):
            byte = self.bytes(1)[0]
            value |= (byte & 127) << 7 * i
            if byte < 128:
                need((byte != 0 or i == 0) and value <= BIGGEST, f"a number in {self.what} is not in its shortest form")
                return value
        raise Damage(f"a number in {self.what} is too long")


def records_of(data, what):
    need(len(data) % 36 == 0, f"{what} ends inside a record")
    return [(data[i : i + 32], u32(data, i + 32)) for i in range(0, len(data), 36)]


def read_stream(repository, reader):
    """The bytes of the stream whose root comes next."""
    depth, length, count = reader.number(), reader.number(), reader.number()
    need(depth <= 8 and count <= 64, f"{reader.what} has an impossible root")
    data = reader.bytes(36 * count)
    for _ in range(depth + 1):
        data = b"".join(repository.chunk("M", chunk, size) for chunk, size in records_of(data, reader.what))
    need(len(data) == length, f"a stream in {reader.what} has another length than its root says")
    return data


def read_root(repository, text, what):
    reader = Reader(base64.b64decode(text, validate=True), what)
    data = read_stream(repository, reader)
    need(reader.done, f"something stands behind {what}")
    return data


def read_page(repository, record, bodies):
    """The operations of a page: (name, bytes); without `bodies` only those of raw and entry, and lengths of the others."""
    heads, lists = record[:32], record[32:64]
    length = struct.unpack_from("<Q", record, 68)[0]
    need(length <= BIGGEST, "a page has an impossible length")
    reader = Reader(repository.chunk("M", heads), "heads of a page")
    ops, total = [], 0
    while not reader.done:
        size, code = divmod(reader.number(), 8)
        if code > 3:
            raise Unsupported(f"operation {code}")
        ops.append((code, size, reader.bytes(size) if code < 2 else None))
        total += size
    need(total == length, "the operations of a page do not add up to its length")
    expected = sum(code == 2 for code, _, _ in ops)
    small, chunk_lists = read_lists(repository, lists, expected)
    if not bodies:
        return [(code, data if code < 2 else size) for code, size, data in ops]
    need(small is not None or all(code != 3 for code, _, _ in ops), "the small bodies of a page are missing")
    gathered = Reader(repository.chunk("D", small) if small is not None else b"", "small bodies of a page")
    result = []
    for code, size, data in ops:
        if code == 2:
            records = chunk_lists.pop(0)
            need(sum(length for _, length in records) == size, "a list of chunks does not add up to its body")
            data = b"".join(repository.chunk("D", chunk, length) for chunk, length in records)
        elif code == 3:
            data = gathered.bytes(size)
        result.append((code, data))
    need(gathered.done, "the small chunk of a page is longer than its small bodies")
    return result


def read_lists(repository, wanted, bodies):
    if wanted == NOTHING:
        need(bodies == 0, "a page has bodies and no lists")
        return None, []
    reader = Reader(repository.chunk("M", wanted), "lists of a page")
    small = reader.bytes(32)
    lists = []
    while not reader.done:
        word = reader.number()
        if word == 1:
            lists.append(records_of(read_stream(repository, reader), "a long list of chunks"))
        elif word % 2 == 1:
            raise Unsupported(f"list number {word}")
        else:
            need(1 <= word // 2 <= 64, "a list of chunks has an impossible length")
            lists.append(records_of(reader.bytes(36 * (word // 2)), "a list of chunks"))
    need(len(lists) == bodies, "operations and lists of a page do not belong together")
    return (None if small == NOTHING else small), lists


class TreeHash:
    """Amazon Glacier's."""

    def __init__(self):
        self.leaves, self.rest = [], b""

    def update(self, data):
        self.rest += data
        while len(self.rest) >= MIB:
            self.leaves.append(hashlib.sha256(self.rest[:MIB]).digest())
            self.rest = self.rest[MIB:]

    def hexdigest(self):
        level = self.leaves + ([hashlib.sha256(self.rest).digest()] if self.rest or not self.leaves else [])
        while len(level) > 1:
            pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
            level = [hashlib.sha256(b"".join(pair)).digest() if len(pair) == 2 else pair[0] for pair in pairs]
        return level[0].hex()


# Entries


def raw_name(header):
    """The full raw name in all header bytes of an entry."""
    pax, long_name, at = {}, None, 0
    while at + 512 <= len(header):
        block = header[at : at + 512]
        kind = block[156:157]
        if kind not in (b"x", b"g", b"X", b"L", b"K", b"A"):
            break
        size = number_field(block[124:136])
        data = header[at + 512 : at + 512 + size]
        if kind in (b"x", b"X"):
            pax = dict(pax_records(data))
        elif kind == b"L":
            long_name = data.split(b"\0")[0]
        at += 512 + round_up(size, 512)
    path = pax.get(b"GNU.sparse.name") or pax.get(b"path") or long_name
    if path:
        return path
    name, prefix = block[:100].split(b"\0")[0], block[345:500].split(b"\0")[0]
    posix = block[257:262] == b"ustar" and block[262:263] != b" "
    return prefix + b"/" + name if posix and prefix else name


def number_field(field):
    if field[0] & 0x80:
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    return int(field.strip(b" \0") or b"0", 8)


def pax_records(data):
    while data and data[:1] != b"\0":
        digits = data.split(b" ", 1)[0]
        key, value = data[len(digits) + 1 : int(digits) - 1].split(b"=", 1)
        yield key, value
        data = data[int(digits) :]


# Snapshots


def read_index(path, keys):
    need(path.stat().st_size <= 16 * MIB, "the index is too long")
    file = path.read_bytes()
    # Nothing of this is proved yet: it only says which key to check the MAC with.
    claimed = re.search(rb'"domain":"([0-9a-f]{32})"', file[: 16 * KIB])
    need(claimed, "the index names no domain")
    claimed = claimed[1].decode()
    index = signed_json(file, keys.shape(claimed, "mac index"), "the index")
    need(index["format"] == "tarzan index", "this is no index")
    need(index["repository"] == keys.repository, "the index is of another repository")
    need(index["domain"] == claimed, "the index is of another domain")
    need(STAMP.fullmatch(index["snapshot"]), "the index has no name")
    if path.parent.parent.name == "index":
        need(path.parent.name == claimed and path.stem == index["snapshot"], "the index has another name inside")
    sealed = age_open(base64.b64decode(index["sealed"], validate=True), keys.meta_identity, "the index")
    need(len(sealed) % 1024 == 0, "the sealed part of the index has a wrong length")
    opened = parse(sealed, "the index")
    finished = path.suffix != ".open"
    need(finished or not index["complete"], "the index is a finished one under the name of an unfinished one")
    need(not finished or index["complete"] or "incomplete" in opened, "the index is a checkpoint, not a finished one")
    return index, opened


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("repository")
    parser.add_argument("bundle")
    parser.add_argument("index")
    parser.add_argument("--stream")
    parser.add_argument("--names")
    options = parser.parse_args()
    keys = Keys(json.loads(Path(options.bundle).read_text()))
    index, sealed = read_index(Path(options.index), keys)
    repository = Repository(options.repository, keys, index["domain"])
    check_bricks(repository, sealed)
    bodies = options.stream is not None
    table = read_root(repository, sealed["pageTable"], "the page table")
    need(len(table) == 76 * sealed["pages"], "the page table has another length than the index says")
    tree, length, entries = TreeHash(), 0, 0
    with open(options.stream or os.devnull, "wb") as out, open(options.names or os.devnull, "w") as names:
        for at in range(0, len(table), 76):
            record = table[at : at + 76]
            entries += u32(record, 64)
            for code, data in read_page(repository, record, bodies):
                if code == 1:
                    names.write(raw_name(data).hex() + "\n")
                if bodies:
                    out.write(data)
                    tree.update(data)
                    length += len(data)
                else:
                    length += len(data) if code < 2 else data
    need(length == sealed["bytes"], f"the stream has {length} bytes, the index says {sealed['bytes']}")
    need(entries == sealed["entries"], "the page table has another number of entries than the index says")
    if bodies and sealed["treeHash"]:
        need(tree.hexdigest() == sealed["treeHash"], "the stream has another hash than the index says")
    state = "complete" if index["complete"] else "incomplete"
    print(json.dumps({"snapshot": index["snapshot"], "state": state, "bytes": length, "entries": entries}))


def check_bricks(repository, sealed):
    """Every brick that the snapshot needs is on record and there."""
    listed = read_root(repository, sealed["brickList"], "the brick list")
    need(len(listed) % 32 == 0, "the brick list ends inside a name")
    names = {listed[i : i + 32].hex() for i in range(0, len(listed), 32)} | set(sealed["lastBricks"])
    need(len(names) == sealed["bricks"], "the brick list has another length than the index says")
    for name in names:
        need(name in repository.ledger.tocs, f"brick {name} is in no ledger")
        kind, size, _ = repository.ledger.tocs[name]
        need(Brick(repository, name, kind, repository.domain).size == size, f"brick {name} has another length")


if __name__ == "__main__":
    try:
        main()
    except Damage as problem:
        sys.exit(f"damage: {problem}")
    except Unsupported as problem:
        print(f"unsupported: {problem}", file=sys.stderr)
        sys.exit(10)
