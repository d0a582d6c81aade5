"""Amounts in words, as the terminal shows them."""

from __future__ import annotations


def usd(amount: float) -> str:
    """US dollars: cents for large amounts, up to six decimals where a call costs less than a cent."""
    decimals = 2 if amount >= 100 else 4 if amount >= 0.01 or amount == 0 else 6
    return f"{amount:,.{decimals}f} USD"


def duration(seconds: float) -> str:
    """A time span in its two largest units: `40 s`, `3 min 20 s`, `2 h 05 min`."""
    seconds = max(0, round(seconds))
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds:02} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,} h {minutes:02} min"


def short_count(number: int) -> str:
    """A count in at most five characters: `950`, `12.3k`, `4.5M`."""
    for size, unit in ((1_000_000_000, "G"), (1_000_000, "M"), (10_000, "k")):
        if number >= size:
            scaled = number / (1_000 if unit == "k" else size)
            return f"{scaled:.0f}{unit}" if scaled >= 100 else f"{scaled:.1f}{unit}"
    return str(number)


def with_article(noun: str) -> str:
    """A noun with its article: `a draft`, `an essay`."""
    return f"{'an' if noun[:1] in 'aeiou' else 'a'} {noun}"


def counted(number: int, noun: str) -> str:
    """A number of things: `1 call`, `1,200 calls`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
