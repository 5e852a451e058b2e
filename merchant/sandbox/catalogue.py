"""What the invented game shop sells: games, add-ons, passes, coins, merchandise."""

from __future__ import annotations

from merchant.sandbox.story import Article

#: Price tags: eur and usd in cents, jpy in yen, kwd in fils (the last digit is 0, as
#: card networks want it).
_TAGS: dict[str, tuple[int, int, int, int]] = {
    "free": (0, 0, 0, 0),
    "coin": (99, 99, 120, 300),
    "small": (499, 499, 650, 1550),
    "song": (799, 899, 1100, 2650),
    "add-on": (1299, 1499, 1800, 4250),
    "indie": (1999, 1999, 2400, 6100),
    "pass": (2999, 2999, 3980, 9250),
    "middle": (3499, 3999, 4980, 11000),
    "large": (5999, 5999, 7480, 18450),
    "deluxe": (8499, 8999, 10980, 26400),
    "box": (14900, 15900, 19800, 45750),
    "month": (799, 799, 980, 2450),
}

#: key, name, sku, platform, price tag
_SHELF: tuple[tuple[str, str, str, str, str], ...] = (
    ("vey", "Lanterns of Vey", "LOV-STD", "steam", "middle"),
    ("vey-deluxe", "Lanterns of Vey: Deluxe Edition", "LOV-DLX", "steam", "large"),
    ("vey-bell", "Lanterns of Vey: The Drowned Bell", "LOV-DLC1", "steam", "add-on"),
    ("orchard", "Orbital Orchard", "ORB-STD", "steam", "indie"),
    ("orchard-comets", "Orbital Orchard: Comet Season", "ORB-DLC1", "steam", "small"),
    ("knights", "Tin Knights", "TIN-STD", "gog", "indie"),
    ("knights-siege", "Tin Knights: Siege of Kettlegate", "TIN-DLC1", "gog", "add-on"),
    ("tram", "Night Tram", "NTR-STD", "itch", "song"),
    ("glacier", "Glacier Run 2", "GLR2-STD", "egs", "large"),
    ("glacier-gold", "Glacier Run 2: Gold Edition", "GLR2-GLD", "egs", "deluxe"),
    ("glacier-pass", "Glacier Run 2: Season Pass", "GLR2-PASS", "egs", "pass"),
    ("moth", "Moth & Ember", "MTH-STD", "nintendo", "middle"),
    ("fleet", "Paper Fleet", "PPF-STD", "gog", "indie"),
    ("fleet-kraken", "Paper Fleet: Kraken Pack", "PPF-DLC1", "gog", "small"),
    ("salt", "Saltmarsh Stories", "SLT-STD", "psn", "middle"),
    ("salt-pass", "Saltmarsh Stories: Year One Pass", "SLT-PASS", "psn", "pass"),
    ("hollow", "Hollow Meridian", "HMR-PRE", "xbox", "large"),
    ("coins-500", "500 Harbor Coins", "COIN-500", "", "small"),
    ("coins-1200", "1,200 Harbor Coins", "COIN-1200", "", "song"),
    ("coins-6500", "6,500 Harbor Coins", "COIN-6500", "", "middle"),
    ("coins-25", "25 Harbor Coins", "COIN-25", "", "coin"),
    ("ost", "Lanterns of Vey: Original Soundtrack", "LOV-OST", "", "song"),
    ("pin", "Enamel Pin Set “Five Lanterns”", "MRC-PIN", "", "add-on"),
    ("plush", "Tin Knight Plush, 30 cm", "MRC-PLUSH", "", "pass"),
    ("vinyl", "Night Tram on Vinyl (2 LP)", "MRC-VINYL", "", "middle"),
    ("collector", "Glacier Run 2: Collector’s Box", "MRC-GLR2", "", "box"),
    ("club", "Harbor Club, monthly", "CLUB-M", "", "month"),
    ("wallpaper", "Harbor Wallpaper Pack", "FREE-WALL", "", "free"),
)


def _article(key: str, name: str, sku: str, platform: str, tag: str) -> Article:
    eur, usd, jpy, kwd = _TAGS[tag]
    prices = {"eur": eur, "usd": usd, "jpy": jpy, "kwd": kwd}
    return Article(key, name, sku, platform, prices)


ARTICLES: tuple[Article, ...] = tuple(_article(*row) for row in _SHELF)
BY_KEY = {article.key: article for article in ARTICLES}

#: Sold again every month, and given away.
MONTHLY = BY_KEY["club"]
FREE = BY_KEY["wallpaper"]
#: What an ordinary basket is filled from.
ORDINARY = tuple(a for a in ARTICLES if a not in (MONTHLY, FREE))
#: Of these somebody may take several.
SEVERAL = frozenset({"coins-500", "coins-1200", "coins-25", "pin", "plush", "vinyl"})
