"""Make a reference, a sample that differs from it in known places, and reads of the sample: always the same."""

from __future__ import annotations

import gzip
import random
from typing import NamedTuple

_LENGTH = 6000
_SHALLOW = "shallow"  # a sequence that hardly any read covers
_READ = 100
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


class Variant(NamedTuple):
    """A variant as in a VCF: its position counts from 1."""

    chromosome: str
    position: int
    reference: str
    alternative: str


class Sample(NamedTuple):
    """What the pipeline starts from, and what it should find.

    Args:
        reference: a FASTA file.
        reads: two FASTQ files of read pairs, compressed.
        variants: what enough reads show.
        shallow: a variant that only few reads show.
        read_count: how many reads there are.
    """

    reference: bytes
    reads: tuple[bytes, bytes]
    variants: set[Variant]
    shallow: Variant
    read_count: int


def make_sample() -> Sample:
    """Make a genome of two sequences with ten variants in the one, and one variant in the other."""
    chance = random.Random(13)  # noqa: S311 - the same in each run
    sequences = {name: "".join(chance.choices("ACGT", k=length)) for name, length in (("1", _LENGTH), (_SHALLOW, 600))}
    variants = [_variant(chance, sequences["1"], start) for start in range(400, _LENGTH - 400, 500)]
    shallow = _substitution(chance, _SHALLOW, sequences[_SHALLOW], 250)
    pairs = _pairs(chance, _changed(sequences["1"], variants), 1000)
    pairs += [_pair(_changed(sequences[_SHALLOW], [shallow]), start, 300) for start in (160, 180, 200)]
    reference = "".join(f">{name}\n{sequence}\n" for name, sequence in sequences.items())
    return Sample(reference.encode(), (_fastq(pairs, 0), _fastq(pairs, 1)), set(variants), shallow, 2 * len(pairs))


def _variant(chance: random.Random, sequence: str, start: int) -> Variant:
    """Make a variant near a place: mostly a substitution, sometimes an insertion or a deletion.

    Inserted and deleted bases end with another one than stands before them, so that they have only one position.
    """
    kind, length = chance.choice(("substitution", "substitution", "insertion", "deletion")), chance.randint(1, 4)
    if kind == "substitution":
        return _substitution(chance, "1", sequence, start)
    if kind == "deletion":
        place = next(place for place in range(start, _LENGTH) if sequence[place] != sequence[place + length])
        return Variant("1", place + 1, sequence[place : place + length + 1], sequence[place])
    before = sequence[start]
    inserted = "".join(chance.choices("ACGT", k=length)) + chance.choice("ACGT".replace(before, ""))
    return Variant("1", start + 1, before, before + inserted)


def _substitution(chance: random.Random, name: str, sequence: str, place: int) -> Variant:
    return Variant(name, place + 1, sequence[place], chance.choice("ACGT".replace(sequence[place], "")))


def _changed(sequence: str, variants: list[Variant]) -> str:
    for each in sorted(variants, key=lambda variant: -variant.position):
        before, after = sequence[: each.position - 1], sequence[each.position - 1 + len(each.reference) :]
        sequence = before + each.alternative + after
    return sequence


def _pairs(chance: random.Random, sequence: str, count: int) -> list[tuple[str, str]]:
    """Read both ends of fragments, whose lengths vary as in a laboratory: bwa compares a pair's distance with them."""
    lengths = [round(chance.gauss(300, 25)) for _ in range(count)]
    pairs = [_pair(sequence, chance.randrange(len(sequence) - length), length) for length in lengths]
    return [(_with_errors(chance, first), _with_errors(chance, second)) for first, second in pairs]


def _pair(sequence: str, start: int, length: int) -> tuple[str, str]:
    fragment = sequence[start : start + length]
    return fragment[:_READ], fragment[-_READ:].translate(_COMPLEMENT)[::-1]


def _with_errors(chance: random.Random, read: str) -> str:
    return "".join(chance.choice("ACGT") if chance.random() < 0.003 else base for base in read)


def _fastq(pairs: list[tuple[str, str]], which: int) -> bytes:
    lines = (f"@read{number}/{which + 1}\n{pair[which]}\n+\n{'I' * _READ}\n" for number, pair in enumerate(pairs))
    return gzip.compress("".join(lines).encode(), mtime=0)
