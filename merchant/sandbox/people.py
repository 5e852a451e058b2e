"""Who buys in the invented shop: people who do not exist, from many places."""

from __future__ import annotations

import string
import unicodedata
from dataclasses import dataclass
from random import Random

from merchant.sandbox.story import Buyer

#: Letters that are not a base letter and an accent.
_NO_ACCENT = str.maketrans({"ß": "ss", "ł": "l", "ı": "i", "ø": "o", "đ": "d"})


@dataclass(frozen=True, slots=True)
class Place:
    """Where people come from. Names are pairs of how they are written and spelt."""

    country: str
    currency: str
    dial: str
    cities: tuple[str, ...]
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]
    weight: int = 4
    family_first: bool = False


def _same(words: str) -> tuple[tuple[str, str], ...]:
    """Names in Latin letters; the e-mail spells them in plain ASCII."""
    return tuple((word, _plain(word)) for word in words.split())


def _plain(word: str) -> str:
    """The word in a-z alone: "Weißenfels" is weissenfels, "Łukasz" lukasz."""
    parted = unicodedata.normalize("NFKD", word.lower().translate(_NO_ACCENT))
    return "".join(letter for letter in parted if letter in string.ascii_lowercase)


def _spelt(words: str) -> tuple[tuple[str, str], ...]:
    """Names in other letters: `written=spelt`."""
    pairs = (word.partition("=") for word in words.split())
    return tuple((written, spelt) for written, _, spelt in pairs)


PLACES: tuple[Place, ...] = (
    Place(
        "US", "usd", "+1206555", ("Tacoma", "Duluth", "Savannah", "El Paso"),
        _same("Avery Jordan Maya Theo Ruth Caleb Nadia Wes Imani Paige"),
        _same("Holloway Okafor Whitlock Reyes Brandt Kessler Dunmore Abbott Lindqvist"),
        weight=10,
    ),
    Place(
        "DE", "eur", "+4930555", ("Leipzig", "Bremen", "Köln", "Freiburg"),
        _same("Jörg Anneke Matthias Svenja Lukas Grete Hannes Käthe Björn Elif"),
        _same("Müller Weißenfels Brückner Hoffmann Yıldız Schröder Lehnert Kühn"),
        weight=8,
    ),
    Place(
        "JP", "jpy", "+8135550", ("札幌市", "仙台市", "広島市", "神戸市"),
        _spelt("葵=aoi 陽菜=hina 蓮=ren 大翔=hiroto 結衣=yui さくら=sakura 健太=kenta"),
        _spelt("高橋=takahashi 渡辺=watanabe 小林=kobayashi 斎藤=saito 松本=matsumoto"),
        weight=7, family_first=True,
    ),
    Place(
        "GB", "usd", "+4416325", ("Leeds", "Cardiff", "Dundee"),
        _same("Imogen Callum Priya Rhys Bea Alasdair Zainab Owen"),
        _same("Hartley O'Connell Pemberton Sidhu Mackay Fairclough Ashdown"),
        weight=5,
    ),
    Place(
        "FR", "eur", "+3315550", ("Nantes", "Lyon", "Rennes"),
        _same("Élodie Baptiste Inès Théo Maëlle Gaëtan Chloé Yacine"),
        _same("Lefèvre Garnier Benhaddou Rousselet Chevalier Delacroix Marchand"),
        weight=5,
    ),
    Place(
        "ES", "eur", "+3491555", ("Sevilla", "Bilbao", "A Coruña"),
        _same("Íñigo Lucía Álvaro Begoña Nuria Joaquín Marisol"),
        _same("Núñez Ibáñez Echeverría Cortázar Peña Rojas Galván"),
    ),
    Place(
        "GR", "eur", "+3021555", ("Θεσσαλονίκη", "Πάτρα", "Ηράκλειο"),
        _spelt("Ελένη=eleni Νίκος=nikos Δήμητρα=dimitra Γιώργος=giorgos Σοφία=sofia"),
        _spelt("Παπαδάκης=papadakis Κωνσταντίνου=konstantinou Νικολάου=nikolaou"),
        weight=3,
    ),
    Place(
        "BG", "eur", "+3592555", ("Пловдив", "Варна", "Бургас"),
        _spelt("Ивайло=ivaylo Десислава=desislava Петър=petar Радост=radost"),
        _spelt("Димитров=dimitrov Стоянова=stoyanova Ангелов=angelov Колева=koleva"),
        weight=3,
    ),
    Place(
        "UA", "usd", "+3804455", ("Львів", "Одеса", "Київ"),
        _spelt("Олена=olena Тарас=taras Соломія=solomiia Богдан=bohdan Юлія=yuliia"),
        _spelt("Шевчук=shevchuk Коваленко=kovalenko Бондар=bondar Гнатюк=hnatiuk"),
        weight=3,
    ),
    Place(
        "KW", "kwd", "+9652555", ("الكويت", "حولي", "الجهراء"),
        _spelt("نورة=noura فهد=fahad مريم=maryam خالد=khalid دلال=dalal"),
        _spelt("العنزي=alenezi المطيري=almutairi الرشيدي=alrashidi الصباحي=alsabahi"),
        weight=4,
    ),
    Place(
        "PL", "eur", "+4822555", ("Łódź", "Gdańsk", "Wrocław"),
        _same("Łukasz Zofia Michał Agnieszka Kacper Hania"),
        _same("Wojciechowska Zieliński Kowalczyk Wróbel Pawlak"),
    ),
    Place(
        "BR", "usd", "+5511555", ("Recife", "Curitiba", "São Luís"),
        _same("João Thaís Caetano Luíza Raví Antônia"),
        _same("Conceição Azevedo Guimarães Nóbrega Falcão"),
    ),
    Place(
        "KR", "usd", "+8225550", ("부산", "대구", "인천"),
        _spelt("서연=seoyeon 민준=minjun 하은=haeun 도윤=doyun 지우=jiwoo"),
        _spelt("박=park 최=choi 정=jung 한=han 윤=yoon"),
        weight=3, family_first=True,
    ),
    Place(
        "AU", "usd", "+6125550", ("Hobart", "Geelong", "Cairns"),
        _same("Matilda Lachlan Kirra Jarrah Edie Bryce"),
        _same("Fitzgerald Nguyen Thornbury Maclean Vella"),
        weight=3,
    ),
    Place(
        "CZ", "eur", "+4202555", ("Brno", "Olomouc", "Plzeň"),
        _same("Tereza Ondřej Bára Vojtěch Štěpán"),
        _same("Dvořáková Horák Králíček Šimek Procházka"),
        weight=2,
    ),
)  # fmt: skip

_WEIGHTS = [place.weight for place in PLACES]
#: The people who know the shop, by number.
REGULARS = range(900)
_HOSTS = ("example.com", "example.net", "example.org")


def somebody(chance: Random, among: range = REGULARS) -> tuple[Buyer, str]:
    """A buyer and the currency they pay in; some of these people come often."""
    # Squared, so that low numbers, the faithful customers, come up more.
    return person(among[int(chance.random() ** 2 * len(among))])


def person(number: int) -> tuple[Buyer, str]:
    """The person with that number, always the same, and their currency."""
    chance = Random(f"person {number}")
    place = chance.choices(PLACES, _WEIGHTS)[0]
    given, family = chance.choice(place.given), chance.choice(place.family)
    name = (
        f"{family[0]} {given[0]}" if place.family_first else f"{given[0]} {family[0]}"
    )
    buyer = Buyer(
        name=name,
        email=f"{given[1]}.{family[1]}{number}@{_HOSTS[number % 3]}",
        country=place.country,
        city=chance.choice(place.cities),
        phone=f"{place.dial}{number % 10_000:04d}",
        key=f"player-{number:06d}",
        steam_id=str(76561197960265728 + 7_919 * (number + 1)),
    )
    return buyer, place.currency
